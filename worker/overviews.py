"""A test at a glance, and all tests in a list: counts that are ready to be shown.

A study rating is counted unless an Exclusion leaves it out.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from listening_tests.choices import FINISHED_SESSION_STATUSES, PairRole, SessionStatus, WithdrawnRatings
from listening_tests.models import ListeningTest, Pair, Question, Rating, Session, Withdrawal
from listening_tests.reported_problems import n_problems_by_test
from worker.models import RunStatus, TrainingPlan, TrainingRun
from worker.selectors import (
    counted_study_ratings,
    is_excluded,
    n_new_ratings,
    next_look,
    run_active,
    run_list,
    study_ratings,
    training_plan,
)

DAYS_SHOWN = 60


@dataclass(frozen=True)
class DayCount:
    day: date
    n_ratings: int


@dataclass(frozen=True)
class PairsByRatings:
    """How many study pairs have this number of ratings."""

    n_ratings: int
    n_pairs: int


@dataclass(frozen=True)
class ScoreCount:
    score: float
    n_ratings: int


@dataclass(frozen=True)
class TestOverview:
    """A test at a glance. The three series are without gaps: what did not occur is there with 0.

    `ratings_per_day` spans at most DAYS_SHOWN days up to the last rating's. `n_new_ratings` and `n_until_retrain` count
    from the last run; `n_until_retrain` is None where retraining by itself is off, 0 where the next starts one.

    `n_late` and `n_too_soon` are counted ratings that are flagged so. `n_deleted_ratings` and `n_kept_ratings` are
    those of the `n_withdrawals` raters who withdrew, deleted or excluded. `newest_model` is the last run that is done,
    as `run_list` gives it.
    """

    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    n_pairs: int
    n_rated_pairs: int
    n_ratings: int
    n_excluded_ratings: int
    n_raters: int
    n_late: int
    n_too_soon: int
    n_sessions_active: int
    n_sessions_finished: int
    n_sessions_screened: int
    n_sessions_withdrawn: int
    n_withdrawals: int
    n_deleted_ratings: int
    n_kept_ratings: int
    ratings_per_day: list[DayCount]
    pairs_by_ratings: list[PairsByRatings]
    score_histogram: list[ScoreCount]
    n_new_ratings: int
    n_until_retrain: int | None
    plan: TrainingPlan
    next_look: datetime
    run_active: TrainingRun | None
    newest_model: TrainingRun | None


@dataclass(frozen=True)
class TestLine:
    """A test among all tests. `n_wanted` is k ratings for each study pair; `last_run` comes out of `run_list`.

    `n_problems` are reports of raters.
    """

    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    test: ListeningTest
    n_ratings: int
    n_wanted: int
    n_problems: int
    last_run: TrainingRun | None


def overview_of_test(*, test: ListeningTest) -> TestOverview:
    """Everything that a test's page shows beside its runs and what raters reported."""
    tally = _tally(test)
    question = test.questions.order_by("id").first()
    n_pairs = Pair.objects.filter(test=test, role=PairRole.STUDY).count()
    plan = training_plan(test=test)
    n_new = n_new_ratings(test=test)
    return TestOverview(
        n_pairs=n_pairs,
        n_rated_pairs=len(tally.pairs),
        n_ratings=tally.pairs.total(),
        n_excluded_ratings=study_ratings(test=test).filter(is_excluded()).count(),
        n_raters=len(tally.raters),
        n_late=tally.flags["late"],
        n_too_soon=tally.flags["too_soon"],
        **_sessions(test),
        **_withdrawals(test),
        ratings_per_day=_ratings_per_day(tally.days),
        pairs_by_ratings=_pairs_by_ratings(tally.pairs, n_pairs=n_pairs),
        score_histogram=_score_histogram(tally.scores, scale=question.values() if question else []),
        n_new_ratings=n_new,
        n_until_retrain=max(0, plan.retrain_after - n_new) if plan.retrain_after else None,
        plan=plan,
        next_look=next_look(),
        run_active=run_active(test=test),
        newest_model=run_list(test=test).filter(status=RunStatus.DONE).first(),
    )


def _sessions(test: ListeningTest) -> dict[str, int]:
    return Session.objects.filter(test=test).aggregate(
        n_sessions_active=Count("pk", filter=Q(status=SessionStatus.ACTIVE)),
        n_sessions_finished=Count("pk", filter=Q(status__in=FINISHED_SESSION_STATUSES)),
        n_sessions_screened=Count("pk", filter=Q(status=SessionStatus.SCREENED)),
        n_sessions_withdrawn=Count("pk", filter=Q(status=SessionStatus.WITHDRAWN)),
    )


def _withdrawals(test: ListeningTest) -> dict[str, int]:
    def n_ratings(treatment: WithdrawnRatings) -> Sum:
        return Sum("n_ratings", filter=Q(treatment=treatment), default=0)

    return Withdrawal.objects.filter(test=test).aggregate(
        n_withdrawals=Count("pk"),
        n_deleted_ratings=n_ratings(WithdrawnRatings.DELETE),
        n_kept_ratings=n_ratings(WithdrawnRatings.EXCLUDE),
    )


def lines_of_tests() -> list[TestLine]:
    """Every test, newest first, in as many queries whatever their number."""
    n_ratings = _count_by_test(
        Rating.objects.filter(~is_excluded(), _is_of_first_question(), pair__role=PairRole.STUDY)
    )
    n_pairs = _count_by_test(Pair.objects.filter(role=PairRole.STUDY))
    n_problems = n_problems_by_test()
    newest = TrainingRun.objects.order_by("test_id", "-created_at", "-id").distinct("test_id")
    last_runs = {run.test_id: run for run in run_list().filter(pk__in=newest.values("pk"))}
    return [
        TestLine(
            test=test,
            n_ratings=n_ratings.get(test.pk, 0),
            n_wanted=n_pairs.get(test.pk, 0) * test.ratings_per_pair,
            n_problems=n_problems.get(test.pk, 0),
            last_run=last_runs.get(test.pk),
        )
        for test in ListeningTest.objects.all()
    ]


def _is_of_first_question() -> Q:
    earlier = Question.objects.filter(test=OuterRef("test"), pk__lt=OuterRef("question"))
    return ~Q(Exists(earlier))


def _count_by_test(rows: QuerySet[Any]) -> dict[int, int]:
    return dict(rows.order_by().values_list("test").annotate(n=Count("pk")))


@dataclass
class _Tally:
    """Counted study ratings by pair, by rater, by score and by day (UTC), and how many of them each flag has."""

    pairs: Counter[int]
    raters: Counter[int]
    scores: Counter[float]
    days: Counter[date]
    flags: Counter[str]


def _tally(test: ListeningTest) -> _Tally:
    """All five in one pass over the ratings: a million of them take a second, and five passes five."""
    columns = counted_study_ratings(test=test).values_list(
        "pair_id", "rater_id", "score", TruncDate("submitted_at"), "late", "too_soon"
    )
    inner, parameters = columns.query.sql_with_params()
    tally = _Tally(Counter(), Counter(), Counter(), Counter(), Counter())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pair, rater, score, day, late, too_soon, count(*) FROM ({inner}) "  # noqa: S608 -- Django's own statement
            "AS counted (pair, rater, score, day, late, too_soon) "
            "GROUP BY GROUPING SETS ((pair), (rater), (score), (day), (late, too_soon))",
            parameters,
        )
        for pair, rater, score, day, late, too_soon, n in cursor:
            if pair is not None:
                tally.pairs[pair] = n
            elif rater is not None:
                tally.raters[rater] = n
            elif score is not None:
                tally.scores[score] = n
            elif day is not None:
                tally.days[day] = n
            else:
                tally.flags.update(late=late * n, too_soon=too_soon * n)
    return tally


def _ratings_per_day(counts: Counter[date]) -> list[DayCount]:
    if not counts:
        return []
    last = max(counts)
    first = max(min(counts), last - timedelta(days=DAYS_SHOWN - 1))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [DayCount(day=day, n_ratings=counts[day]) for day in days]


def _pairs_by_ratings(counts: Counter[int], *, n_pairs: int) -> list[PairsByRatings]:
    by_number = Counter(counts.values())
    by_number[0] = n_pairs - len(counts)
    return [PairsByRatings(n_ratings=n, n_pairs=by_number[n]) for n in range(max(by_number) + 1)]


def _score_histogram(counts: Counter[float], *, scale: list[float]) -> list[ScoreCount]:
    return [ScoreCount(score=value, n_ratings=counts[value]) for value in sorted({*scale, *counts})]
