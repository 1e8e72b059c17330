"""Rules about how a rater listened: time, play evidence, headphones. What was not recorded is not counted."""

from __future__ import annotations

import numpy as np

from modeling.screening.answers import UNCHECKED, Answers, Limits, Measured


def too_fast(answers: Answers, limits: Limits) -> Measured:
    """The share of answers that came less than `tolerance` seconds after their clips could have been heard."""
    known = ~np.isnan(answers.elapsed_s) & ~np.isnan(answers.needed_s)
    fast = answers.too_soon | (answers.elapsed_s < answers.needed_s + limits.tolerance)
    return Measured(answers.share(fast, known), answers.count(known))


def play_evidence(answers: Answers, limits: Limits) -> Measured:
    """The share of answers without a play, or where more than `tolerance` seconds of what must be heard are missing."""
    known = ~np.isnan(answers.unheard_s) & ~np.isnan(answers.plays)
    unheard = (answers.plays < 1) | (answers.unheard_s > limits.tolerance + 1e-6)
    return Measured(answers.share(unheard, known), answers.count(known))


def headphones(answers: Answers, limits: Limits) -> Measured:
    """1 where the sitting's headphone check failed, 0 where it was passed."""
    del limits
    known = answers.headphones != UNCHECKED
    failed = np.where(known, 1.0 - answers.headphones, np.nan)
    return Measured(failed, known.astype(np.int64))
