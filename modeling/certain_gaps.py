"""Where people agree and a model is wrong: how far its score lies outside of what people's mean may be.

The mean of k ratings is known to a margin of t * s / sqrt(k). The standard deviation s of three or four ratings is a
poor estimate: by chance it is now and then near 0. It is drawn towards the variance within all pairs, as if that had
been seen in `PRIOR_RATINGS` more ratings (the moderated t of Smyth 2004, "Linear models and empirical Bayes methods for
assessing differential expression", with its prior weight set instead of fitted).
"""

from __future__ import annotations

import numpy as np

from modeling.metrics import CONFIDENCE, Floats
from modeling.parts import Ints

PRIOR_RATINGS = 4


def certain_gaps(score: Floats, human: Floats, n_ratings: Ints, rating_sd: Floats) -> Floats:
    """|score - human| less the 95 % margin of `human`, on the scale of both (0..10); one entry per pair.

    Above 0 the model is wrong beyond what chance among raters explains, by that much at least. NaN where a pair has one
    rating, for nobody agreed with anybody, and everywhere where no pair has two. `rating_sd` is that of each pair's
    ratings (n - 1), NaN where it has one.
    """
    free = np.maximum(n_ratings - 1, 0).astype(np.float64)
    known = (free > 0) & np.isfinite(rating_sd)
    found = np.full(len(score), np.nan)
    if not known.any():
        return found
    own = rating_sd[known] ** 2
    pooled = float((free[known] * own).sum() / free[known].sum())
    weight = free[known] + PRIOR_RATINGS
    spread = (free[known] * own + PRIOR_RATINGS * pooled) / weight
    from scipy import stats  # here, as in modeling.metrics.srcc

    margin = stats.t.ppf((1 + CONFIDENCE) / 2, weight) * np.sqrt(spread / n_ratings[known])
    found[known] = np.abs(score[known] - human[known]) - margin
    return found
