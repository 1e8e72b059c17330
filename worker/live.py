"""A test as it is collected, this moment: coverage, who is at work, where raters leave, pace, failed sounds, cost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from listening_tests.choices import AuditedAction, TestKind, TestStatus
from listening_tests.costs import Cost, cost_so_far
from listening_tests.coverage import ROLES_IN_K, Coverage, coverage_of
from listening_tests.kinds import kind_of
from listening_tests.models import ListeningTest
from listening_tests.reported_problems import ReportedProblems, reported_problems
from listening_tests.sitting_pages import SittingPages, sitting_pages
from modeling.pacing import Quartiles, hours_left, quartiles
from worker.kept import kept

# The time that an answer takes is that of the latest of them: quick to find, and true of now.
ANSWERS_TIMED = 2_000
# An answer in so many minutes: somebody is answering now.
JUST_NOW = timedelta(minutes=5)
# What the pace is counted over, the first that has enough answers.
WINDOWS = (timedelta(hours=24), timedelta(days=7))
# A test that was opened just now has no pace yet.
SHORTEST_WINDOW = timedelta(minutes=10)
FARTHEST_END = timedelta(days=3650)


@dataclass(frozen=True)
class Pace:
    """`n_answers` came since `since`; at that pace every item has k answers at `ends_at`, which is None where too few
    came to tell, or where it is years away.
    """

    n_answers: int
    since: datetime
    per_hour: float
    ends_at: datetime | None


@dataclass(frozen=True)
class LiveTest:
    """`at` is when it was counted. `n_answering` raters have answered within the last five minutes. `seconds` are those
    from an item's being shown to its answer, of the latest answers.
    """

    at: datetime
    coverage: Coverage
    sittings: SittingPages
    n_answering: int
    last_answer_at: datetime | None
    seconds: Quartiles
    problems: ReportedProblems
    cost: Cost
    pace: Pace
    is_going_on: bool


def live_test(*, test: ListeningTest) -> LiveTest:
    """At a million ratings counted every few seconds, however many look on; see worker.kept."""
    return kept(("live", test.pk, test.status), lambda: _count(test, timezone.now()))


def last_answer_at(*, test: ListeningTest) -> datetime | None:
    newest = kind_of(test).answers.objects.filter(test=test).order_by("-submitted_at")
    return newest.values_list("submitted_at", flat=True).first()


def _count(test: ListeningTest, now: datetime) -> LiveTest:
    coverage = coverage_of(test=test)
    sittings = sitting_pages(test=test, now=now)
    recent = kind_of(test).answers.objects.filter(test=test, submitted_at__gt=now - JUST_NOW)
    return LiveTest(
        at=now,
        coverage=coverage,
        sittings=sittings,
        n_answering=recent.values("rater").distinct().count(),
        last_answer_at=last_answer_at(test=test),
        seconds=_seconds(test),
        problems=reported_problems(test=test),
        cost=cost_so_far(test),
        pace=_pace(test, coverage.n_missing, now),
        is_going_on=test.status == TestStatus.OPEN or sittings.n_at_work > 0,
    )


def _answers(test: ListeningTest) -> QuerySet[Any]:
    """One row for each answer of a rater, whatever the number of questions and of sounds side by side."""
    first = test.questions.order_by("id").first()
    rows: QuerySet[Any] = kind_of(test).answers.objects.filter(test=test, question=first).order_by()
    return rows.filter(Q(place=1) | Q(place__isnull=True)) if test.kind != TestKind.COMPARISON else rows


def _seconds(test: ListeningTest) -> Quartiles:
    latest = _answers(test).filter(shown_at__isnull=False).order_by("-submitted_at")
    rows = latest.values_list("shown_at", "submitted_at")[:ANSWERS_TIMED]
    return quartiles([(submitted - shown).total_seconds() for shown, submitted in rows])


def _pace(test: ListeningTest, n_missing: int, now: datetime) -> Pace:
    item = "trial" if kind_of(test).leased.has_places else "pair"
    in_k = _answers(test).filter(**{f"{item}__role__in": ROLES_IN_K})
    opened = let_in_at(test=test) or now
    for window in WINDOWS:
        since = max(now - window, min(opened, now - SHORTEST_WINDOW))
        n_answers = in_k.filter(submitted_at__gt=since).count()
        hours = (now - since) / timedelta(hours=1)
        left = hours_left(n_missing=n_missing, n_answers=n_answers, hours=hours)
        if left is not None:
            break
    ends_at = now + timedelta(hours=left) if left is not None and left < FARTHEST_END / timedelta(hours=1) else None
    return Pace(n_answers=n_answers, since=since, per_hour=n_answers / hours, ends_at=ends_at)


def let_in_at(*, test: ListeningTest) -> datetime | None:
    """When raters were let in last: a pause is no part of the pace."""
    opened = test.audit_entries.filter(action=AuditedAction.OPENED).aggregate(at=Max("created_at"))["at"]
    return max((at for at in (opened, test.opened_at) if at), default=None)
