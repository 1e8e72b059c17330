"""How far people agree with one another, and so how well any model could agree with them.

Every function takes two flat arrays, one entry per rating: the number of its pair and its score. Undefined values are
None.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeling import metrics
from modeling.metrics import Floats, MetricValue

N_SIMULATIONS = 200
N_DRAWS = 200
SEED = 20_250_624

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Variances:
    """Between-pair and within-pair variance, in squared score units."""

    between: float
    within: float


def icc1(pair: npt.ArrayLike, score: npt.ArrayLike) -> float | None:
    """ICC(1,1) by one-way ANOVA over pairs, single ratings included.

    (MSB - MSW) / (MSB + (n0 - 1) MSW) with n0 = (N - sum(n^2) / N) / (a - 1) for unequal numbers of ratings (Shrout &
    Fleiss 1979; n0 as in Snedecor & Cochran). Negative values are reported as they are. None without two pairs, without
    a pair rated twice, or where all scores are equal.
    """
    parts = _anova(*_grouped(pair, score))
    if parts is None:
        return None
    msb, msw, n0 = parts
    total = msb + (n0 - 1) * msw
    return float((msb - msw) / total) if total > 0 else None


def variances(pair: npt.ArrayLike, score: npt.ArrayLike) -> Variances | None:
    """vw = MSW and vb = (MSB - MSW) / n0, not below 0; None where `icc1` is undefined."""
    parts = _anova(*_grouped(pair, score))
    if parts is None or parts[0] + (parts[2] - 1) * parts[1] <= 0:
        return None
    msb, msw, n0 = parts
    return Variances(between=max(0.0, (msb - msw) / n0), within=msw)


def reliability(pair: npt.ArrayLike, score: npt.ArrayLike) -> float | None:
    """Mean over rated pairs of vb / (vb + vw / k), each pair with its own number of ratings k."""
    fitted = variances(pair, score)
    if fitted is None:
        return None
    counts = _grouped(pair, score)[2]
    return float(np.mean(fitted.between / (fitted.between + fitted.within / counts)))


def ceiling_srcc(
    pair: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    counts: Sequence[int] | None = None,
    seed: int = SEED,
    simulations: int = N_SIMULATIONS,
) -> MetricValue:
    """What a perfect model would score against means of these ratings.

    200 simulations, unless `simulations` asks for fewer: normal truth with variance vb, labels off by normal noise of
    variance vw / k, unclipped. `counts` are the k of the pairs to be simulated, by default those of the rated pairs
    themselves. The interval is the middle 95 % of the simulations.
    """
    k = np.asarray(counts, dtype=np.float64) if counts is not None else _grouped(pair, score)[2].astype(np.float64)
    fitted = variances(pair, score)
    if fitted is None or fitted.between == 0 or len(k) < 2:
        return MetricValue(None, None, None, len(k))
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, np.sqrt(fitted.between), (simulations, len(k)))
    labels = truth + rng.normal(0, 1, truth.shape) * np.sqrt(fitted.within / k)
    simulated = _row_srcc(truth, labels)
    return metrics.percentile_interval(float(np.nanmean(simulated)), simulated, len(k))


def one_vs_rest_srcc(
    pair: npt.ArrayLike, score: npt.ArrayLike, *, captions: Sequence[Hashable] | None = None, seed: int = SEED
) -> MetricValue:
    """A random rating of each pair with two or more against the mean of its others: mean SRCC of 200 draws.

    `captions`, one for each pair number, ask for the interval: captions are resampled, each resample with one of the
    draws.
    """
    starts, scores, counts = _grouped(pair, score)
    chosen = np.flatnonzero(counts >= 2)
    if len(chosen) < 2:
        return MetricValue(None, None, None, len(chosen))
    rng = np.random.default_rng(seed)
    k = counts[chosen]
    sums = np.add.reduceat(scores, starts)[chosen]
    picked = scores[starts[chosen] + (rng.random((N_DRAWS, len(chosen))) * k).astype(np.int64)]
    rest = (sums - picked) / (k - 1)
    drawn = _row_srcc(picked, rest)
    if not np.isfinite(drawn).any():
        return MetricValue(None, None, None, len(chosen))
    value = float(np.nanmean(drawn))
    pair_numbers = np.unique(np.asarray(pair, dtype=np.int64))[chosen]
    chosen_captions = [captions[number] for number in pair_numbers] if captions is not None else []
    if len(set(chosen_captions)) < 2:
        return MetricValue(value, None, None, len(chosen))
    resampled = _resampled_one_vs_rest(picked, rest, chosen_captions)
    return metrics.percentile_interval(value, resampled, len(chosen))


def _resampled_one_vs_rest(picked: Floats, rest: Floats, captions: Sequence[Hashable]) -> Floats:
    draws = metrics.caption_draws(captions)
    return np.concatenate(
        [metrics.resampled_srcc(picked[row], rest[row], draws[row::N_DRAWS]) for row in range(N_DRAWS)]
    )


def _row_srcc(x: Floats, y: Floats) -> Floats:
    """SRCC of each row of x with that of y; NaN where a row is constant."""
    from scipy.stats import rankdata  # here, as in modeling.metrics.srcc

    rx, ry = rankdata(x, axis=1), rankdata(y, axis=1)
    rx -= rx.mean(axis=1, keepdims=True)
    ry -= ry.mean(axis=1, keepdims=True)
    scale = np.sqrt((rx**2).sum(axis=1) * (ry**2).sum(axis=1))
    result: Floats = np.full(len(x), np.nan)
    np.divide((rx * ry).sum(axis=1), scale, out=result, where=scale > 0)
    return result


def _grouped(pair: npt.ArrayLike, score: npt.ArrayLike) -> tuple[Ints, Floats, Ints]:
    """First places, scores and counts of the pairs, with the ratings sorted by pair."""
    numbers, values = np.asarray(pair, dtype=np.int64), np.asarray(score, dtype=np.float64)
    if numbers.ndim != 1 or numbers.shape != values.shape:
        raise ValueError(f"Every rating needs a pair and a score; the shapes are {numbers.shape} and {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError("Every score must be a finite number.")
    order = np.argsort(numbers, kind="stable")
    _, starts, counts = np.unique(numbers[order], return_index=True, return_counts=True)
    return starts, values[order], counts


def _anova(starts: Ints, scores: Floats, counts: Ints) -> tuple[float, float, float] | None:
    """MSB, MSW and n0, or None where there are not two pairs or no pair has two ratings."""
    n, groups = len(scores), len(counts)
    if groups < 2 or n == groups:
        return None
    means = np.add.reduceat(scores, starts) / counts
    within = float(((scores - np.repeat(means, counts)) ** 2).sum())
    between = float((counts * (means - scores.mean()) ** 2).sum())
    n0 = (n - float((counts.astype(np.float64) ** 2).sum()) / n) / (groups - 1)
    return between / (groups - 1), within / (n - groups), n0
