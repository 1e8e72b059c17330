"""How each rater uses the scale and agrees with the others, and how much the scores of each item scatter.

Every function takes flat arrays, one entry per score: the key of its rater, the key of its item, the score, and whether
it is counted. An item is what is scored: a pair, or a comparison with the preference as its score. A rater has at most
one score of an item. Undefined values are NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeling.agreement import Ints
from modeling.metrics import Floats

Bools = npt.NDArray[np.bool_]
# With fewer shared items a correlation has no standard error worth the name.
FEWEST_SHARED = 4


@dataclass(frozen=True)
class RaterStatistics:
    """One entry per rater, by ascending key.

    `n` scores with `mean` and `sd` (n - 1), in units of the scale. `offset` is the mean distance from the mean of the
    others' counted scores, over the `n_shared` items that have one; `r` Pearson's correlation with that mean
    (leave-one-out), `r_se` its standard error, sqrt((1 - r^2) / (n_shared - 2)).
    """

    rater: Ints
    n: Ints
    mean: Floats
    sd: Floats
    n_shared: Ints
    offset: Floats
    r: Floats
    r_se: Floats


@dataclass(frozen=True)
class ItemStatistics:
    """One entry per item with a counted score, by ascending key: `n` scores, their `mean` and `sd` (n - 1)."""

    item: Ints
    n: Ints
    mean: Floats
    sd: Floats


def others_mean(item: Ints, score: Floats, counted: Bools) -> Floats:
    """For each score the mean of the counted scores of its item but for itself; NaN where there is none."""
    if not len(item):
        return np.empty(0)
    _, place = np.unique(item, return_inverse=True)
    n = np.bincount(place, counted)[place] - counted
    total = np.bincount(place, np.where(counted, score, 0.0))[place] - np.where(counted, score, 0.0)
    return _divided(total, n)


def rater_statistics(rater: Ints, item: Ints, score: Floats, counted: Bools) -> RaterStatistics:
    """A rater's own scores are described whether they are counted or not; the others' only where they are."""
    keys, place = np.unique(rater, return_inverse=True)
    size = len(keys)
    n, mean, sd = _moments(place, score, size)
    rest = others_mean(item, score, counted)
    shared = np.isfinite(rest)
    at, own, other = place[shared], score[shared], rest[shared]
    n_shared = np.bincount(at, minlength=size).astype(np.int64)
    r = correlation(at, own, other, size)
    defined = n_shared >= FEWEST_SHARED
    with np.errstate(invalid="ignore", divide="ignore"):
        r_se = np.sqrt(np.maximum(0.0, 1 - r**2) / (n_shared - 2))
    return RaterStatistics(
        rater=keys,
        n=n,
        mean=mean,
        sd=sd,
        n_shared=n_shared,
        offset=_divided(np.bincount(at, own - other, size), n_shared),
        r=np.where(defined, r, np.nan),
        r_se=np.where(defined, r_se, np.nan),
    )


def item_statistics(item: Ints, score: Floats, counted: Bools) -> ItemStatistics:
    keys, place = np.unique(item[counted], return_inverse=True)
    n, mean, sd = _moments(place, score[counted], len(keys))
    return ItemStatistics(item=keys, n=n, mean=mean, sd=sd)


def _moments(place: Ints, score: Floats, size: int) -> tuple[Ints, Floats, Floats]:
    n = np.bincount(place, minlength=size).astype(np.int64)
    mean = _divided(np.bincount(place, score, size), n)
    squares = np.bincount(place, (score - mean[place]) ** 2, size)
    return n, mean, np.sqrt(_divided(squares, n - 1))


def correlation(place: Ints, x: Floats, y: Floats, size: int) -> Floats:
    """Pearson's r of x and y at each of `size` places; NaN where one of them is constant."""
    n = np.bincount(place, minlength=size)
    dx = x - _divided(np.bincount(place, x, size), n)[place]
    dy = y - _divided(np.bincount(place, y, size), n)[place]
    xx, yy, xy = (np.bincount(place, product, size) for product in (dx * dx, dy * dy, dx * dy))
    scale = np.sqrt(xx * yy)
    # Scores that are all alike differ by rounding alone.
    result: Floats = np.divide(xy, scale, out=np.full(size, np.nan), where=scale > 1e-9)
    return result


def _divided(total: npt.ArrayLike, n: npt.ArrayLike) -> Floats:
    totals, counts = np.asarray(total, dtype=np.float64), np.asarray(n, dtype=np.float64)
    result: Floats = np.divide(totals, counts, out=np.full(len(totals), np.nan), where=counts > 0)
    return result
