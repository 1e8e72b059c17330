"""Rules about sounds of which it is known how they should be scored: anchors, gold pairs, instructed traps."""

from __future__ import annotations

import numpy as np

from modeling.metrics import Floats
from modeling.rater_agreement import Bools
from modeling.screening.answers import ANCHOR, GOLD, Answers, Limits, Measured

SUM, MEAN, ANY = "sum", "mean", "any"


def anchors(answers: Answers, limits: Limits) -> Measured:
    """How highly mismatched anchors were scored, on 0..10.

    `how` "sum": what `at_least` anchors sum up to; a rater of more has the mean of theirs, times `at_least`. RELATE
    (arXiv 2506.23582) leaves out who gives its three anchors a sum above 5. "mean": their mean. "any": the highest.
    """
    chosen = answers.role == ANCHOR
    n = answers.count(chosen)
    if limits.how == ANY:
        highest: Floats = np.full(answers.n_raters, -np.inf)
        np.maximum.at(highest, answers.rater[chosen], answers.score[chosen])
        return Measured(np.where(n > 0, highest, np.nan), n)
    if limits.how not in (SUM, MEAN):
        raise ValueError(f"Anchors are put together as sum, mean or any, not as {limits.how!r}.")
    mean = answers.mean(chosen, answers.score)
    return Measured(mean * limits.at_least if limits.how == SUM else mean, n)


def gold(answers: Answers, limits: Limits) -> Measured:
    """The share of gold pairs scored more than `tolerance` outside of their expected range (ITU-T P.808: 1)."""
    return _missed(answers, limits, _has_range(answers) & ~_is_one_value(answers))


def trap(answers: Answers, limits: Limits) -> Measured:
    """The share of instructed traps that were missed: gold pairs of which one single score is expected."""
    return _missed(answers, limits, _has_range(answers) & _is_one_value(answers))


def _missed(answers: Answers, limits: Limits, chosen: Bools) -> Measured:
    low, high = answers.expected_low - limits.tolerance, answers.expected_high + limits.tolerance
    # Scores come from divisions: 7.000000001 is not beyond 7.
    misses = (answers.score < low - 1e-6) | (answers.score > high + 1e-6)
    return Measured(answers.share(misses, chosen), answers.count(chosen))


def _has_range(answers: Answers) -> Bools:
    return np.asarray((answers.role == GOLD) & ~np.isnan(answers.expected_low) & ~np.isnan(answers.expected_high))


def _is_one_value(answers: Answers) -> Bools:
    return np.asarray(answers.expected_low == answers.expected_high)
