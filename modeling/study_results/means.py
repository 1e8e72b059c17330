"""Mean opinion scores of single pairs and captions, from few ratings each.

Truth is what the population of raters would give to this very pair, or on average to the pairs of this caption. A
pair's own variance over a handful of ratings says little, and none where all four said 10; so it is moderated by that
of all pairs: s2 = (d0 s0^2 + d s^2) / (d0 + d), and the interval is that of Student's t with d0 + d degrees of freedom
(Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3:3). d0 and s0 are found by moments of s^2, and not of its logarithm, which
ratings that all agree would make infinite.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from modeling.metrics import CONFIDENCE, Floats
from modeling.study_results.answers import Ints, Scores
from modeling.study_results.variance_parts import variance_parts


@dataclass(frozen=True)
class Means:
    """One entry per pair or caption, by its number: mean, ends of the 95 % interval (NaN where undefined), ratings."""

    mean: Floats
    low: Floats
    high: Floats
    n: Ints


@dataclass(frozen=True)
class ModeratedVariances:
    """Per pair: variance of single ratings in squared points, and its degrees of freedom."""

    variance: Floats
    df: Floats


def pair_means(scores: Scores) -> Means:
    """Mean opinion score of each pair."""
    n, mean, squares = _by_pair(scores)
    found = moderated_variances(n, squares)
    return _interval(scores, mean, found.variance / n, found.df, n)


def caption_means(scores: Scores) -> Means:
    """Mean over the caption's pairs, each counting the same. A rater who scored several of them took their offset to
    each, which adds the variance of raters to what the pairs' own variances say.
    """
    n, mean, squares = _by_pair(scores)
    found = moderated_variances(n, squares)
    n_captions = scores.n_captions
    pairs = np.bincount(scores.caption, minlength=n_captions)
    weight = 1 / pairs[scores.caption]
    part = weight**2 * found.variance / n
    own = np.bincount(scores.caption, part, n_captions)
    df = own**2 / np.bincount(scores.caption, part**2 / found.df, n_captions)  # Satterthwaite 1946
    values = np.asarray(np.bincount(scores.caption, weight * mean, n_captions), dtype=np.float64)
    total = np.bincount(scores.caption, n, n_captions).astype(np.int64)
    return _interval(scores, values, own + _shared_raters(scores, weight / n), df, total)


def moderated_variances(n: Ints, squares: Floats) -> ModeratedVariances:
    """From numbers of ratings and sums of squared deviations, one entry per pair. NaN where no pair has two ratings, or
    all ratings of a pair are equal everywhere.
    """
    d = (n - 1).astype(np.float64)
    total = d.sum()
    if total <= 0 or squares.sum() <= 0:
        undefined = np.full(len(n), np.nan)
        return ModeratedVariances(undefined, undefined)
    pooled = squares.sum() / total
    several = d > 0
    # E[s^4] = E[sigma^4] (1 + 2 / d) for normal ratings.
    fourth = (squares[several] ** 2 / d[several]).sum() / (d[several] + 2).sum()
    spread = fourth / pooled**2 - 1
    # sigma^2 as a scaled inverse chi-square of d0 degrees has squared relative spread 2 / (d0 - 4).
    d0 = min(4 + 2 / spread, total) if spread > 0 else total
    prior = pooled * (d0 - 2) / d0 if spread > 0 and d0 > 2 else pooled
    return ModeratedVariances((d0 * prior + squares) / (d0 + d), np.minimum(d0 + d, total))


def _by_pair(scores: Scores) -> tuple[Ints, Floats, Floats]:
    n = np.bincount(scores.pair, minlength=scores.n_pairs).astype(np.int64)
    mean = np.bincount(scores.pair, scores.score, scores.n_pairs) / n
    squares = np.bincount(scores.pair, (scores.score - mean[scores.pair]) ** 2, scores.n_pairs)
    return n, np.asarray(mean), np.asarray(squares)


def _shared_raters(scores: Scores, weight: Floats) -> Floats:
    """What raters who scored several pairs of a caption add to the variance of its mean; `weight` by pair."""
    parts = variance_parts(scores)
    if parts is None:
        return np.zeros(scores.n_captions)
    caption = scores.caption[scores.pair]
    by_rating = weight[scores.pair]
    cells, cell = np.unique(caption * np.int64(scores.n_raters) + scores.rater, return_inverse=True)
    together = np.bincount(cell, by_rating) ** 2
    once = np.bincount(caption, by_rating**2, scores.n_captions)
    return np.asarray(parts.rater * (np.bincount(cells // scores.n_raters, together, scores.n_captions) - once))


def _interval(scores: Scores, mean: Floats, variance: Floats, df: Floats, n: Ints) -> Means:
    half = stats.t.ppf((1 + CONFIDENCE) / 2, df) * np.sqrt(variance)
    return Means(mean, np.maximum(mean - half, scores.scale_min), np.minimum(mean + half, scores.scale_max), n)
