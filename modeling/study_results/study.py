"""Everything about the answers to one question, in one value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modeling.study_results.agreement import Agreement, agreement_of
from modeling.study_results.answers import Choices, Scores
from modeling.study_results.mixed_model import MixedModel, mixed_model
from modeling.study_results.systems import SystemResults, mean_scores, preferred_systems
from modeling.study_results.variance_parts import VarianceParts, variance_parts

BINS = 20


@dataclass(frozen=True)
class ScoreCount:
    """How often a score was given; on a continuous scale, one from `score` up to `upto`."""

    score: float
    upto: float | None
    n: int


@dataclass(frozen=True)
class StudyResults:
    """Ratings have all of it, comparisons `systems` alone."""

    answers: int
    raters: int
    pairs: int
    captions: int
    systems: SystemResults
    mean: float | None = None
    sd: float | None = None
    agreement: Agreement | None = None
    variances: VarianceParts | None = None
    scores: tuple[ScoreCount, ...] = ()
    mixed_model: MixedModel | None = None


def results_of_scores(scores: Scores, *, step: float) -> StudyResults:
    """`step` is that of the scale, 0 where it is continuous."""
    return StudyResults(
        answers=len(scores),
        raters=scores.n_raters,
        pairs=scores.n_pairs,
        captions=scores.n_captions,
        systems=mean_scores(scores) if len(scores) else SystemResults((), (), 0),
        mean=float(scores.score.mean()) if len(scores) else None,
        sd=float(scores.score.std(ddof=1)) if len(scores) > 1 else None,
        agreement=agreement_of(scores),
        variances=variance_parts(scores),
        scores=_counted(scores, step),
        mixed_model=mixed_model(scores),
    )


def results_of_choices(choices: Choices) -> StudyResults:
    return StudyResults(
        answers=len(choices),
        raters=len(np.unique(choices.rater)),
        pairs=0,
        captions=len(np.unique(choices.caption)),
        systems=preferred_systems(choices),
    )


def _counted(scores: Scores, step: float) -> tuple[ScoreCount, ...]:
    """Every value of the scale, or on a continuous one bins of one width."""
    width = step or (scores.scale_max - scores.scale_min) / BINS
    n_values = round((scores.scale_max - scores.scale_min) / width) + (1 if step else 0)
    place = (scores.score - scores.scale_min) / width
    # The upper end of a continuous scale belongs to its last bin.
    number = np.clip(np.rint(place) if step else np.floor(place), 0, n_values - 1).astype(np.int64)
    counts = np.bincount(number, minlength=n_values)
    lows = scores.scale_min + width * np.arange(n_values)
    return tuple(
        ScoreCount(float(low), None if step else float(low + width), int(n))
        for low, n in zip(lows, counts, strict=True)
    )
