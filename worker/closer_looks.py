"""One rater, one pair, one trial: every answer, and what it says beside those of the others."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import QuerySet

from listening_tests.choices import Choice, TestKind
from listening_tests.models import Comparison, ListeningTest, Pair, Question, Rater, Rating, Session, Trial
from modeling.pacing import Quartiles, quartiles
from modeling.rater_agreement import item_statistics, others_mean
from worker.answer_arrays import read_answers
from worker.item_lists import TrialLine, members_in_order, trial_line
from worker.rater_lists import RaterLine, rater_line, rater_table

# Raters of other people's data sets may have rated thousands of pairs.
MOST_ANSWERS = 500
BINS = 10


@dataclass(frozen=True)
class SeenAnswer:
    """A rating or a comparison, with how long it took from being shown, and the exclusions that leave it out.

    `others` is the mean of the counted scores of the others, None where there is none, and of comparisons.
    """

    answer: Rating | Comparison
    others: float | None
    seconds: float | None

    @property
    def exclusions(self) -> list[Any]:
        return list(self.answer.exclusions.all())

    @property
    def distance(self) -> float | None:
        if self.others is None or not isinstance(self.answer, Rating):
            return None
        return self.answer.score - self.others


@dataclass(frozen=True)
class Bin:
    label: str
    n: int


@dataclass(frozen=True)
class RaterLook:
    """`scale_use` counts the scores of `answers`, or the places that were chosen; `replayed` is the share of sounds
    that were started more than once, `heard` the median share of a clip that was heard; None where nothing tells.

    At most MOST_ANSWERS of the `n_answers` answers are in `answers`, in the order in which they came.
    """

    line: RaterLine
    sessions: list[Session]
    scale_use: list[Bin]
    seconds: Quartiles
    replayed: float | None
    heard: float | None
    answers: list[SeenAnswer]
    n_answers: int


@dataclass(frozen=True)
class PairLook:
    """`n` counted scores with `mean` and `sd`; `answers` has those that are left out too."""

    pair: Pair
    n: int
    mean: float | None
    sd: float | None
    answers: list[SeenAnswer]
    n_answers: int


@dataclass(frozen=True)
class TrialLook:
    line: TrialLine
    answers: list[SeenAnswer]
    n_answers: int


def rater_look(*, test: ListeningTest, rater: Rater, question: Question | None) -> RaterLook | None:
    """None where the rater has neither a sitting nor an answer at the test."""
    sittings = Session.objects.filter(test=test, rater=rater).select_related("questionnaire").order_by("started_at")
    sessions = list(sittings)
    rows = _rows(test, question).filter(rater=rater)
    n_answers = rows.count()
    if not sessions and not n_answers:
        return None
    table = rater_table(test=test, question=question, of_rater=rater.pk)
    answers = _seen(rows[:MOST_ANSWERS], _others(test, question, rater))
    return RaterLook(
        line=rater_line(table, 0, rater, sessions[-1] if sessions else None),
        sessions=sessions,
        scale_use=_scale_use(test, question, answers),
        seconds=quartiles([seen.seconds for seen in answers if seen.seconds is not None]),
        replayed=_replayed(answers),
        heard=_heard(answers),
        answers=answers,
        n_answers=n_answers,
    )


def pair_look(*, pair: Pair, question: Question | None) -> PairLook:
    """`pair` with its clip, caption and test."""
    rows = _rows(pair.test, question).filter(pair=pair)
    found = list(rows)
    left_out = np.array([bool(row.exclusions.all()) for row in found], dtype=np.bool_)
    scores = np.array([row.score for row in found], dtype=np.float64)
    numbers = item_statistics(np.zeros(len(found), dtype=np.int64), scores, ~left_out)
    n = int(numbers.n[0]) if len(numbers.n) else 0
    return PairLook(
        pair=pair,
        n=n,
        mean=float(numbers.mean[0]) if n else None,
        sd=float(numbers.sd[0]) if n > 1 else None,
        answers=_seen(found[:MOST_ANSWERS], {}),
        n_answers=len(found),
    )


def trial_look(*, test: ListeningTest, trial_uuid: UUID, question: Question | None) -> TrialLook:
    """Raises Trial.DoesNotExist."""
    trials = Trial.objects.filter(test=test).select_related("caption").prefetch_related(members_in_order())
    trial = trials.get(uuid=trial_uuid)
    found = list(_rows(test, question).filter(trial=trial))
    counted = [row for row in found if not row.exclusions.all()]
    members = [member.pair_id for member in trial.members.all()]
    preferred = Counter(_preferred(row) for row in counted)
    line = trial_line(trial, len(counted), preferred[members[0]], preferred[members[1]])
    return TrialLook(line=line, answers=_seen(found[:MOST_ANSWERS], {}), n_answers=len(found))


def _preferred(comparison: Comparison) -> int | None:
    if comparison.choice == Choice.NONE:
        return None
    return comparison.first_id if comparison.choice == Choice.FIRST else comparison.second_id


def _rows(test: ListeningTest, question: Question | None) -> QuerySet[Any]:
    """Answers in the order in which they came, with all that a table shows of them."""
    rows: QuerySet[Any]
    if test.kind == TestKind.COMPARISON:
        rows = Comparison.objects.select_related("rater", "trial__caption", "first__clip", "second__clip")
    else:
        rows = Rating.objects.select_related("rater", "pair__clip", "pair__caption")
    rows = rows.filter(test=test, question=question).prefetch_related("exclusions")
    return rows.order_by("submitted_at", "id")


def _seen(rows: Iterable[Any], others: dict[int, float]) -> list[SeenAnswer]:
    return [
        SeenAnswer(
            answer=row,
            others=others.get(row.pair_id) if isinstance(row, Rating) else None,
            seconds=(row.submitted_at - row.shown_at).total_seconds() if row.shown_at else None,
        )
        for row in rows
    ]


def _others(test: ListeningTest, question: Question | None, rater: Rater) -> dict[int, float]:
    """By pair the mean of the others' counted scores."""
    if question is None or test.kind == TestKind.COMPARISON:
        return {}
    answers = read_answers(test=test, question=question, of_rater=rater.pk)
    means = others_mean(answers.item, answers.score, ~answers.left_out)
    own = (answers.rater == rater.pk) & np.isfinite(means)
    return dict(zip(answers.item[own].tolist(), means[own].tolist(), strict=True))


def _scale_use(test: ListeningTest, question: Question | None, answers: list[SeenAnswer]) -> list[Bin]:
    """How often each value of the scale was given, on a continuous one in bins; of comparisons which place was."""
    if question is None:
        return []
    if test.kind == TestKind.COMPARISON:
        chosen = Counter(seen.answer.choice for seen in answers if isinstance(seen.answer, Comparison))
        return [Bin(str(choice.label), chosen[choice]) for choice in (Choice.FIRST, Choice.NONE, Choice.SECOND)]
    scores = [seen.answer.score for seen in answers if isinstance(seen.answer, Rating)]
    if question.is_continuous:
        counts, edges = np.histogram(scores, bins=BINS, range=(question.scale_min, question.scale_max))
        ends = zip(edges, edges[1:], counts, strict=False)
        return [Bin(f"{low:g} to {high:g}", int(n)) for low, high, n in ends]
    given = Counter(scores)
    return [Bin(f"{value:g}", given[value]) for value in sorted({*question.values(), *given})]


def _plays(row: Rating | Comparison) -> list[tuple[int, float, float | None]]:
    """Of each sound of an answer how often it was started, the seconds heard, and its length."""
    if isinstance(row, Rating):
        told = [(row.plays, row.heard_s, row.pair.clip.duration_s)]
    else:
        told = [
            (row.first_plays, row.first_heard_s, row.first.clip.duration_s),
            (row.second_plays, row.second_heard_s, row.second.clip.duration_s),
        ]
    return [(plays, heard_s, length) for plays, heard_s, length in told if plays is not None and heard_s is not None]


def _replayed(answers: list[SeenAnswer]) -> float | None:
    plays = [plays for seen in answers for plays, _, _ in _plays(seen.answer)]
    return float(np.mean([n > 1 for n in plays])) if plays else None


def _heard(answers: list[SeenAnswer]) -> float | None:
    parts = [min(1.0, heard_s / length) for seen in answers for _, heard_s, length in _plays(seen.answer) if length]
    return float(np.median(parts)) if parts else None
