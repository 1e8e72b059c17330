"""From single ratings to one target per pair, on 0..10. The only place where scores leave their scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeling.agreement import variances
from modeling.metrics import Floats
from modeling.snapshot import RatingRow

TOP = 10.0
# What a rater is taken to have rated as reliably as everybody, before anything is known of them.
PRIOR_RATINGS = 10.0


def to_ten(score: npt.ArrayLike, scale_min: npt.ArrayLike, scale_max: npt.ArrayLike) -> Floats:
    """Scores mapped linearly from their scale to 0..10."""
    low, high = np.asarray(scale_min, dtype=np.float64), np.asarray(scale_max, dtype=np.float64)
    return np.asarray(TOP * (np.asarray(score, dtype=np.float64) - low) / (high - low))


@dataclass(frozen=True)
class FlatRatings:
    """Ratings as arrays, one entry per rating: pair and rater numbers, scores on 0..10; `pairs` names the pairs."""

    pairs: tuple[str, ...]
    pair: npt.NDArray[np.int64]
    rater: npt.NDArray[np.int64]
    score: Floats


def flatten(rows: Sequence[RatingRow]) -> FlatRatings:
    """The rows as arrays; pairs are numbered in the order of first appearance."""
    pairs = {name: number for number, name in enumerate(dict.fromkeys(row.pair for row in rows))}
    raters = {name: number for number, name in enumerate(dict.fromkeys(row.rater for row in rows))}
    return FlatRatings(
        pairs=tuple(pairs),
        pair=np.array([pairs[row.pair] for row in rows], dtype=np.int64),
        rater=np.array([raters[row.rater] for row in rows], dtype=np.int64),
        score=to_ten([row.score for row in rows], [row.scale_min for row in rows], [row.scale_max for row in rows]),
    )


def pair_means(ratings: FlatRatings) -> Floats:
    """Mean score of each pair on 0..10, in the order of `ratings.pairs`."""
    return _means(ratings.pair, ratings.score, len(ratings.pairs))


def centred_means(ratings: FlatRatings) -> Floats:
    """Mean of each pair after each rater's shrunken offset is subtracted, clipped to 0..10.

    A rater's offset is the mean of score minus pair mean over the n ratings given; shrunken it is offset * vo / (vo +
    vr / n), the best linear predictor of a random effect (Robinson 1991, "That BLUP is a good thing"). Reading of ours:
    one pass, not the mixed model's full solution; the residual's variance vr is the within-pair variance less vo, and
    vo is the mean square of raw offsets less what vr alone would put there, not below 0. Offsets are recentred to mean
    0 over ratings, so that targets keep the scale's meaning. On RELATE (arXiv 2506.23582): some .01 of SRCC gained.
    """
    offsets = shrunken_offsets(ratings)
    means = _means(ratings.pair, ratings.score - offsets[ratings.rater], len(ratings.pairs))
    return np.clip(means, 0.0, TOP)


def shrunken_offsets(ratings: FlatRatings) -> Floats:
    """Offset of each rater in points of 0..10, as `centred_means` says; all 0 where nothing can be estimated."""
    fitted = variances(ratings.pair, ratings.score)
    n_raters = int(ratings.rater.max()) + 1 if len(ratings.rater) else 0
    if fitted is None:
        return np.zeros(n_raters)
    deviation, share = _deviations(ratings)
    given = np.bincount(ratings.rater, minlength=n_raters)
    # A pair of k ratings shows only (k - 1) / k of an offset in the deviation from its own mean.
    shown = np.bincount(ratings.rater, share, n_raters).astype(np.float64)
    raw = np.divide(np.bincount(ratings.rater, deviation, n_raters), shown, out=np.zeros(n_raters), where=shown > 0)
    spread = _offset_variance(raw, shown, fitted.within)
    residual = max(fitted.within - spread, 0.0)
    weight = np.divide(spread * shown, spread * shown + residual, out=np.zeros(n_raters), where=shown > 0)
    offsets = raw * weight
    return np.asarray(offsets - np.average(offsets, weights=given))


def standardised_means(ratings: FlatRatings) -> Floats:
    """Mean of each pair's scores, each standardised by its rater's own mean and spread; back on 0..10, and clipped.

    Source: SPO-CLAPScore (arXiv 2601.02900) and its code: z = (score - rater's mean) / rater's standard deviation; the
    global mean is the mean of raters' means, the global spread the root mean square of raters' spreads. It trains
    (10 cos - mean) / spread towards z; with z taken back to mean + spread * z, the squared error of 10 cos is that one
    times spread^2, so that `mse` on this target is SPO's loss but for a constant. Our reading: a rater of fewer than
    two ratings, or of equal ones, has the global spread (theirs: 1), and a rater of one rating the global mean.
    """
    n = np.bincount(ratings.rater)
    means = _means(ratings.rater, ratings.score, len(n))
    squares = np.bincount(ratings.rater, (ratings.score - means[ratings.rater]) ** 2, len(n))
    spreads = np.sqrt(np.divide(squares, n - 1, out=np.zeros(len(n)), where=n > 1))
    told = spreads > 0
    if not told.any():
        return pair_means(ratings)
    middle, spread = float(means.mean()), float(np.sqrt(np.mean(spreads[told] ** 2)))
    means, spreads = np.where(n > 1, means, middle), np.where(told, spreads, spread)
    z = (ratings.score - means[ratings.rater]) / spreads[ratings.rater]
    return np.clip(middle + spread * _means(ratings.pair, z, len(ratings.pairs)), 0.0, TOP)


def weighted_means(ratings: FlatRatings) -> Floats:
    """Mean of each pair with each rating weighted by how reliable its rater is, on 0..10.

    A rater's weight is the inverse of the variance of score minus pair mean (the best linear unbiased estimate of a
    mean, Aitken 1936), as in ITU-T P.913's and Netflix' recovery of scores. Our reading: the variance is shrunken
    towards all raters' as if the rater had `PRIOR_RATINGS` more of it, since few ratings say little of a rater.
    """
    deviation, share = _deviations(ratings)
    n_raters = int(ratings.rater.max()) + 1 if len(ratings.rater) else 0
    shown = np.bincount(ratings.rater, share, n_raters)
    if not shown.sum():
        return pair_means(ratings)
    squares = np.bincount(ratings.rater, deviation**2, n_raters)
    usual = squares.sum() / shown.sum()
    if usual == 0:
        return pair_means(ratings)
    weight = 1 / ((squares + PRIOR_RATINGS * usual) / (shown + PRIOR_RATINGS))
    weights = weight[ratings.rater]
    n = len(ratings.pairs)
    return np.asarray(np.bincount(ratings.pair, ratings.score * weights, n) / np.bincount(ratings.pair, weights, n))


def _deviations(ratings: FlatRatings) -> tuple[Floats, Floats]:
    """Score minus pair mean, and the share (k - 1) / k of an offset that it shows, per rating."""
    counts = np.bincount(ratings.pair)[ratings.pair]
    return ratings.score - pair_means(ratings)[ratings.pair], (counts - 1) / counts


def _offset_variance(raw: Floats, shown: Floats, within: float) -> float:
    """vo by moments over raters who share pairs with others: E[raw^2] = vo + vr / shown, vr = vw - vo."""
    n = shown[shown > 1]
    if not len(n):
        return 0.0
    inverse = float(np.mean(1 / n))
    estimate = (float(np.mean(raw[shown > 1] ** 2)) - within * inverse) / (1 - inverse)
    return float(np.clip(estimate, 0.0, within))


def _means(pair: npt.NDArray[np.int64], score: Floats, n_pairs: int) -> Floats:
    return np.asarray(np.bincount(pair, score, n_pairs) / np.bincount(pair, minlength=n_pairs))


TARGETS = {"centred": centred_means, "mean": pair_means, "zscore": standardised_means, "weighted": weighted_means}
