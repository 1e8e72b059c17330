"""Systems: their mean opinion scores or Bradley-Terry strengths, and every two of them compared."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import expit

from modeling import bradley_terry
from modeling.metrics import Floats, MetricValue, plain
from modeling.study_results.answers import Choices, Ints, Scores
from modeling.study_results.two_way import SEED, Influences, TwoWayErrors, two_way_errors

TOP = 10.0
ROUNDING = 1e-9


@dataclass(frozen=True)
class SystemResult:
    """A system. `mean` is its mean opinion score on the question's scale, or in a comparison its score on 0..10; n of
    it counts answers. `strength` is in logits, and only of comparisons. `pairs` and `captions` are those answered.
    """

    system: str
    mean: MetricValue
    strength: MetricValue | None
    pairs: int
    captions: int
    raters: int


@dataclass(frozen=True)
class SystemDifference:
    """`first` minus `second`: points of the scale, or logits. `p` is of no difference, `p_holm` corrected for all."""

    first: str
    second: str
    difference: MetricValue
    p: float | None
    p_holm: float | None


@dataclass(frozen=True)
class SystemResults:
    """The best first. `draws`: resamples behind the intervals and p, 0 where none are defined."""

    systems: tuple[SystemResult, ...]
    differences: tuple[SystemDifference, ...]
    draws: int


def mean_scores(scores: Scores, *, draws: int | None = None, seed: int = SEED) -> SystemResults:
    """Each pair counts the same, however many ratings it has: a system's score is the mean of its pairs' means."""
    n_systems = len(scores.systems)
    system, caption = scores.system[scores.pair], scores.caption[scores.pair]
    given, of_system = np.bincount(scores.pair), np.bincount(scores.system)
    weight = 1 / (given[scores.pair] * of_system[system])
    means = np.bincount(scores.system, np.bincount(scores.pair, scores.score) / given) / of_system
    deviation = scores.score - means[system]
    # Where all say the same, rounding leaves something that would be taken for a variance.
    deviation[np.abs(deviation) < ROUNDING * (scores.scale_max - scores.scale_min)] = 0
    influences = Influences(scores.rater, caption, system, weight * deviation, weight, n_systems)
    answers = np.bincount(system, minlength=n_systems).astype(np.int64)
    estimates, errors, order = _compared(influences, means, draws, seed)
    found = [
        SystemResult(
            system=scores.systems[number],
            mean=_clipped(means[number], errors.half_width[number], int(answers[number]), scores),
            strength=None,
            pairs=int((scores.system == number).sum()),
            captions=len(np.unique(scores.caption[scores.system == number])),
            raters=len(np.unique(scores.rater[system == number])),
        )
        for number in order
    ]
    differences = _differences(scores.systems, order, estimates, errors, answers)
    return SystemResults(tuple(found), differences, errors.draws)


def preferred_systems(choices: Choices, *, draws: int | None = None, seed: int = SEED) -> SystemResults:
    """Bradley-Terry strengths, as `modeling.bradley_terry` defines them. A comparison's influence on them is the
    inverse Hessian times its gradient (the usual sandwich for an M-estimator).
    """
    n_systems = len(choices.systems)
    if not len(choices):
        return SystemResults((), (), 0)
    wins = np.zeros((n_systems, n_systems))
    np.add.at(wins, (choices.first, choices.second), choices.won)
    np.add.at(wins, (choices.second, choices.first), 1 - choices.won)
    strengths = bradley_terry.solve(wins[None])[0]
    influences = _strength_influences(choices, wins, strengths)
    answers = np.round((wins + wins.T).sum(axis=1)).astype(np.int64)
    estimates, errors, order = _compared(influences, strengths, draws, seed)
    found = [_strength_result(choices, number, strengths, errors, int(answers[number])) for number in order]
    return SystemResults(tuple(found), _differences(choices.systems, order, estimates, errors, answers), errors.draws)


def _strength_influences(choices: Choices, wins: Floats, strengths: Floats) -> Influences:
    n_systems, n = len(strengths), len(choices)
    preferred = expit(strengths[:, None] - strengths[None])
    coupling = (wins + wins.T) * preferred * (1 - preferred)
    average = expit(strengths)
    own = coupling.sum(axis=1) + 2 * bradley_terry.PRIOR * average * (1 - average)
    inverse = np.linalg.inv(np.diag(own) - coupling)
    surprise = choices.won - preferred[choices.first, choices.second]
    influence = surprise[:, None] * (inverse[choices.first] - inverse[choices.second])
    # Without the prior they would sum to 0 by themselves.
    influence -= influence.mean(axis=0)
    return Influences(
        np.repeat(choices.rater, n_systems),
        np.repeat(choices.caption, n_systems),
        np.tile(np.arange(n_systems), n),
        influence.ravel(),
        np.full(n * n_systems, 1 / n),
        n_systems,
    )


def _strength_result(choices: Choices, number: int, strengths: Floats, errors: TwoWayErrors, n: int) -> SystemResult:
    mine = (choices.first == number) | (choices.second == number)
    strength = _value(strengths[number], errors.half_width[number], n)
    value, low, high = (_as_score(end) for end in (strength.value, strength.low, strength.high))
    return SystemResult(
        system=choices.systems[number],
        mean=MetricValue(value, low, high, n),
        strength=strength,
        pairs=0,
        captions=len(np.unique(choices.caption[mine])),
        raters=len(np.unique(choices.rater[mine])),
    )


def _as_score(strength: float | None) -> float | None:
    return None if strength is None else float(TOP * expit(strength))


def _compared(
    influences: Influences, values: Floats, draws: int | None, seed: int
) -> tuple[Floats, TwoWayErrors, list[int]]:
    """Estimates and errors of the systems and then of every two of them, and the systems' order, the best first."""
    order = [int(number) for number in np.argsort(-values, kind="stable")]
    n_systems = len(values)
    twos = list(combinations(order, 2))
    contrasts = np.zeros((n_systems + len(twos), n_systems))
    contrasts[:n_systems] = np.eye(n_systems)
    for row, (first, second) in enumerate(twos, start=n_systems):
        contrasts[row, first], contrasts[row, second] = 1, -1
    estimates = contrasts @ values
    return estimates, two_way_errors(influences, contrasts, estimates, draws=draws, seed=seed), order


def _differences(
    names: tuple[str, ...], order: list[int], estimates: Floats, errors: TwoWayErrors, answers: Ints
) -> tuple[SystemDifference, ...]:
    twos, start = list(combinations(order, 2)), len(names)
    corrected = holm(errors.p[start:])
    return tuple(
        SystemDifference(
            first=names[first],
            second=names[second],
            difference=_value(estimates[row], errors.half_width[row], int(answers[first] + answers[second])),
            p=plain(errors.p[row]),
            p_holm=plain(corrected[row - start]),
        )
        for row, (first, second) in enumerate(twos, start=start)
    )


def holm(p: Floats) -> Floats:
    """Corrected by Holm's step-down method (1979); what is NaN stays so and is not counted."""
    corrected = np.full(len(p), np.nan)
    defined = np.flatnonzero(np.isfinite(p))
    order = defined[np.argsort(p[defined])]
    left = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(1, np.maximum.accumulate(left * p[order]))
    return corrected


def _clipped(value: float, half_width: float, n: int, scores: Scores) -> MetricValue:
    """With an interval that ends where the scale does."""
    whole = _value(value, half_width, n)
    if whole.low is None or whole.high is None:
        return whole
    return MetricValue(whole.value, max(whole.low, scores.scale_min), min(whole.high, scores.scale_max), n)


def _value(value: float, half_width: float, n: int) -> MetricValue:
    if not np.isfinite(half_width):
        return MetricValue(float(value), None, None, n)
    return MetricValue(float(value), float(value - half_width), float(value + half_width), n)
