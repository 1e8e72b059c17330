"""Rules about a rater's scores among themselves and beside those of others."""

from __future__ import annotations

import numpy as np

from modeling.agreement import Ints
from modeling.metrics import Floats
from modeling.rater_agreement import correlation, others_mean
from modeling.screening.answers import STUDY, Answers, Limits, Measured

# Of the standard normal distribution: the ends of a 95 % interval.
Z = 1.959964


def repeats(answers: Answers, limits: Limits) -> Measured:
    """The mean distance between the two scores of a sound that came twice, unseen, in points of 0..10."""
    del limits
    first, second = _repeated(answers)
    distance = np.abs(answers.score[first] - answers.score[second])
    rater = answers.rater[first]
    n = np.bincount(rater, minlength=answers.n_raters).astype(np.int64)
    sums = np.bincount(rater, distance, answers.n_raters)
    return Measured(np.divide(sums, n, out=np.full(len(n), np.nan), where=n > 0), n)


def straight_lining(answers: Answers, limits: Limits) -> Measured:
    """The longest run of one and the same answer, as a share of all that the rater gave."""
    del limits
    n = answers.count(np.ones(len(answers.rater), dtype=np.bool_))
    longest = _longest_runs(answers.rater, answers.given, answers.n_raters)
    return Measured(np.divide(longest, n, out=np.full(len(n), np.nan), where=n > 0), n)


def low_variance(answers: Answers, limits: Limits) -> Measured:
    """The standard deviation of the study scores, in points of 0..10 (ITU-T P.808: scores must vary)."""
    del limits
    chosen = answers.role == STUDY
    n = answers.count(chosen)
    centred = answers.score - answers.mean(chosen, answers.score)[answers.rater]
    squares = np.bincount(answers.rater[chosen], centred[chosen] ** 2, answers.n_raters)
    variance = np.divide(squares, n - 1, out=np.full(len(n), np.nan), where=n > 1)
    return Measured(np.sqrt(variance), n)


def agreement(answers: Answers, limits: Limits) -> Measured:
    """Pearson's correlation of the rater's scores with the mean of everybody else's, over study sounds that others
    scored too. Judged by the upper end of its 95 % interval, by Fisher's z with a standard error of 1 / sqrt(n - 3).
    """
    del limits
    chosen = answers.role == STUDY
    rater, item, score = answers.rater[chosen], answers.item[chosen], answers.score[chosen]
    rest = others_mean(item, score, np.ones(len(item), dtype=np.bool_))
    shared = np.isfinite(rest)
    r = correlation(rater[shared], score[shared], rest[shared], answers.n_raters)
    n = np.bincount(rater[shared], minlength=answers.n_raters).astype(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        upper = np.tanh(np.arctanh(np.clip(r, -1, 1)) + Z / np.sqrt(np.where(n > 3, n - 3, np.nan)))
    return Measured(r, n, judged=upper)


def _repeated(answers: Answers) -> tuple[Ints, Ints]:
    """The places of the two answers of each rater to a sound and to its repeat."""
    again = np.flatnonzero(answers.repeat_of >= 0)
    if not len(again):
        return again, again
    width = int(max(answers.item.max(), answers.repeat_of.max())) + 1
    keys = answers.rater * width + answers.item
    order = np.argsort(keys, kind="stable")
    wanted = answers.rater[again] * width + answers.repeat_of[again]
    at = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    found = keys[order][at] == wanted
    return order[at[found]], again[found]


def _longest_runs(rater: Ints, given: Floats, n_raters: int) -> Ints:
    longest = np.zeros(n_raters, dtype=np.int64)
    if not len(rater):
        return longest
    order = np.argsort(rater, kind="stable")
    raters, values = rater[order], given[order]
    starts = np.flatnonzero(np.r_[True, (raters[1:] != raters[:-1]) | (values[1:] != values[:-1])])
    np.maximum.at(longest, raters[starts], np.diff(np.r_[starts, len(raters)]))
    return longest
