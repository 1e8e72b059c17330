"""Reads of computed results, and of what was answered since. Nothing here changes a row or computes a statistic."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, QuerySet

from listening_tests.choices import TestKind
from listening_tests.models import Exclusion, ListeningTest, Question
from worker.models import ACTIVE_RESULTS_STATUSES, CaptionResult, ComputedResults, PairResult, ResultsStatus
from worker.selectors import study_comparisons, study_ratings


@dataclass(frozen=True)
class AnswersRead:
    """What a computing reads, as counts and largest keys: excluded study answers are in the first two."""

    n_answers: int
    newest_answer: int
    n_exclusions: int
    newest_exclusion: int


@dataclass(frozen=True)
class ResultsState:
    """What there is of a question's results: the newest done, the one on its way, the last failure after it.

    `n_newer` answers came since, `n_gone` were deleted since, and `is_rescreened` says that exclusions were made or
    taken back since.
    """

    done: ComputedResults | None
    active: ComputedResults | None
    failed: ComputedResults | None
    now: AnswersRead
    n_newer: int
    n_gone: int
    is_rescreened: bool

    @property
    def is_stale(self) -> bool:
        return bool(self.n_newer or self.n_gone or self.is_rescreened)


def answers_now(*, test: ListeningTest, question: Question) -> AnswersRead:
    answers = _study_answers(test, question)
    column = "comparison" if test.kind == TestKind.COMPARISON else "rating"
    of_answers = Exclusion.objects.filter(**{f"{column}__in": answers.values("pk")})
    counted = answers.aggregate(n=Count("pk"), newest=Max("pk"))
    excluded = of_answers.aggregate(n=Count("pk"), newest=Max("pk"))
    return AnswersRead(counted["n"], counted["newest"] or 0, excluded["n"], excluded["newest"] or 0)


def results_state(*, test: ListeningTest, question: Question) -> ResultsState:
    rows = list(ComputedResults.objects.filter(question=question).order_by("-requested_at", "-id"))
    done = next((row for row in rows if row.status == ResultsStatus.DONE), None)
    active = next((row for row in rows if row.status in ACTIVE_RESULTS_STATUSES), None)
    newest = rows[0] if rows else None
    now = answers_now(test=test, question=question)
    n_newer = n_gone = 0
    is_rescreened = False
    if done is not None:
        if now.newest_answer > done.newest_answer:
            n_newer = _study_answers(test, question).filter(pk__gt=done.newest_answer).count()
        n_gone = max(0, done.n_answers - (now.n_answers - n_newer))
        is_rescreened = (now.n_exclusions, now.newest_exclusion) != (done.n_exclusions, done.newest_exclusion)
    return ResultsState(
        done=done,
        active=active,
        failed=newest if newest is not None and newest.status == ResultsStatus.FAILED else None,
        now=now,
        n_newer=n_newer,
        n_gone=n_gone,
        is_rescreened=is_rescreened,
    )


def newest_results(*, question: Question) -> ComputedResults | None:
    """The newest results that are done."""
    done = ComputedResults.objects.filter(question=question, status=ResultsStatus.DONE)
    return done.select_related("test", "question").first()


def pair_results(*, results: ComputedResults) -> QuerySet[PairResult]:
    return PairResult.objects.filter(results=results).select_related("pair__clip", "pair__caption")


def caption_results(*, results: ComputedResults) -> QuerySet[CaptionResult]:
    return CaptionResult.objects.filter(results=results).select_related("caption")


def _study_answers(test: ListeningTest, question: Question) -> QuerySet[Any]:
    if test.kind == TestKind.COMPARISON:
        return study_comparisons(test=test, question=question)
    return study_ratings(test=test, question=question)
