"""What pages and commands read of the training loop: numbers that are ready to be shown.

A study rating is counted unless an Exclusion leaves it out, except where a docstring says otherwise.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Abs, TruncDate
from django.utils import timezone

from listening_tests.choices import FINISHED_SESSION_STATUSES, PairRole, SessionStatus
from listening_tests.exceptions import Refused
from listening_tests.models import Exclusion, ListeningTest, Pair, Question, Rating, Session
from modeling import splits
from worker.models import (
    ACTIVE_RUN_STATUSES,
    MeasuredModel,
    Metric,
    MetricName,
    Prediction,
    TrainingPlan,
    TrainingRun,
)

# modeling refuses to report on fewer; known here so that Retrain says so at once.
MIN_HELDOUT_PAIRS = 30
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
    """

    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    n_pairs: int
    n_rated_pairs: int
    n_ratings: int
    n_excluded_ratings: int
    n_raters: int
    n_sessions_active: int
    n_sessions_finished: int
    ratings_per_day: list[DayCount]
    pairs_by_ratings: list[PairsByRatings]
    score_histogram: list[ScoreCount]
    n_new_ratings: int
    n_until_retrain: int | None
    plan: TrainingPlan
    next_look: datetime
    run_active: TrainingRun | None


@dataclass(frozen=True)
class TestLine:
    """A test among all tests. `n_wanted` is k ratings for each study pair; `last_run` comes out of `run_list`."""

    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    test: ListeningTest
    n_ratings: int
    n_wanted: int
    last_run: TrainingRun | None


@dataclass(frozen=True)
class MetricEstimate:
    """A number with its 95 % interval, None where undefined, over n held-out pairs."""

    value: float | None
    low: float | None
    high: float | None
    n: int


UNMEASURED = MetricEstimate(value=None, low=None, high=None, n=0)


@dataclass(frozen=True)
class RunMetrics:
    """What a finished run measured: srcc, lcc, ktau, mse of each model, and what people themselves reach."""

    base: dict[str, MetricEstimate]
    tuned: dict[str, MetricEstimate]
    difference: dict[str, MetricEstimate]
    one_vs_rest_srcc: MetricEstimate | None
    ceiling_srcc: MetricEstimate | None


@dataclass(frozen=True)
class ScatterPoint:
    """One held-out pair of a run. `human_mean` and `tuned_score` are on 0 to 10, cosines on -1 to 1.

    `disagreement` is how far the tuned score lies from people's mean.
    """

    pair_uuid: UUID
    clip_uuid: UUID
    caption: str
    system: str
    human_mean: float
    n_ratings: int
    base_cosine: float
    tuned_cosine: float
    tuned_score: float
    disagreement: float
    has_audio: bool


def counted_study_ratings(*, test: ListeningTest) -> QuerySet[Rating]:
    """The test's study ratings that no rule leaves out, of its first question."""
    return study_ratings(test=test).filter(~is_excluded())


def study_ratings(*, test: ListeningTest) -> QuerySet[Rating]:
    """All study ratings of the test's first question, excluded ones too."""
    question = Question.objects.filter(test=test).order_by("id").values("pk")[:1]
    return Rating.objects.filter(test=test, pair__role=PairRole.STUDY, question=Subquery(question)).order_by()


def is_excluded() -> Exists:
    return Exists(Exclusion.objects.filter(rating=OuterRef("pk")))


def first_question(*, test: ListeningTest) -> Question:
    """The question that training is about: the test's first. Raises `Refused` where it asks none."""
    question = test.questions.order_by("id").first()
    if question is None:
        raise Refused(f"“{test.title}” asks raters no question yet. Add one on its page in the admin.")
    return question


def n_study_ratings(*, test: ListeningTest) -> int:
    """Study ratings, excluded ones too, so that a change of the rules is not mistaken for new ratings."""
    return Rating.objects.filter(test=test, pair__role=PairRole.STUDY).count()


def n_heldout_pairs(*, test: ListeningTest, enough: int = MIN_HELDOUT_PAIRS) -> int:
    """Rated study pairs with audio that the split holds out, counted up to `enough`: more is not looked at."""
    rated = Exists(Rating.objects.filter(~is_excluded(), pair=OuterRef("pk")))
    pairs = Pair.objects.filter(rated, test=test, role=PairRole.STUDY, clip__sha256__isnull=False)
    n_pairs = 0
    for caption in pairs.order_by().values_list("caption__text", flat=True).iterator():
        n_pairs += splits.caption_split(caption, str(test.uuid)) == splits.HELDOUT
        if n_pairs == enough:
            break
    return n_pairs


def training_plan(*, test: ListeningTest) -> TrainingPlan:
    """The test's plan, or the default one, unsaved, where nobody has made one."""
    return TrainingPlan.objects.filter(test=test).first() or TrainingPlan(test=test)


def next_look(*, now: datetime | None = None) -> datetime:
    """When beat looks for tests to retrain: the top of the next hour."""
    now = now or timezone.now()
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def n_new_ratings(*, test: ListeningTest) -> int:
    """Study ratings since the test's last run, however that ended; all of them where there was none."""
    last = TrainingRun.objects.filter(test=test).order_by("-created_at", "-id").first()
    return max(0, n_study_ratings(test=test) - (last.n_ratings_at_start if last else 0))


def run_active(*, test: ListeningTest) -> TrainingRun | None:
    return TrainingRun.objects.filter(test=test, status__in=ACTIVE_RUN_STATUSES).first()


def run_list(*, test: ListeningTest | None = None) -> QuerySet[TrainingRun]:
    """Runs, newest first, each with `base_srcc`, `tuned_srcc`, and `difference_srcc` from `_low` to `_high`.

    These are None until a run is done.
    """
    runs = TrainingRun.objects.select_related("test", "requested_by").order_by("-created_at", "-id")
    if test is not None:
        runs = runs.filter(test=test)
    return runs.annotate(
        base_srcc=_srcc_of(MeasuredModel.BASE),
        tuned_srcc=_srcc_of(MeasuredModel.TUNED),
        difference_srcc=_srcc_of(MeasuredModel.DIFFERENCE),
        difference_low=_srcc_of(MeasuredModel.DIFFERENCE, "low"),
        difference_high=_srcc_of(MeasuredModel.DIFFERENCE, "high"),
    )


def run_queue() -> QuerySet[TrainingRun]:
    """The active runs of all tests in the order in which they are worked off."""
    return run_list().filter(status__in=ACTIVE_RUN_STATUSES).order_by("created_at", "id")


def n_runs_ahead(*, run: TrainingRun) -> int:
    """How many runs stand before a queued one."""
    return TrainingRun.objects.filter(status__in=ACTIVE_RUN_STATUSES, created_at__lt=run.created_at).count()


def run_by_uuid(*, uuid: UUID | str) -> TrainingRun:
    """Raises `TrainingRun.DoesNotExist`. `run.model_version` is there for a run that is done."""
    return TrainingRun.objects.select_related("test", "snapshot", "requested_by", "model_version").get(uuid=uuid)


def run_metrics(*, run: TrainingRun) -> RunMetrics | None:
    """The run's numbers as they were stored; None until it is done."""
    by_model: dict[str, dict[str, MetricEstimate]] = {model: {} for model in MeasuredModel.values}
    for row in Metric.objects.filter(run=run):
        by_model[row.model][row.name] = MetricEstimate(value=row.value, low=row.low, high=row.high, n=row.n)
    if not by_model[MeasuredModel.TUNED]:
        return None
    return RunMetrics(
        base=by_model[MeasuredModel.BASE],
        tuned=by_model[MeasuredModel.TUNED],
        difference=by_model[MeasuredModel.DIFFERENCE],
        one_vs_rest_srcc=by_model[MeasuredModel.ONE_VS_REST].get(MetricName.SRCC),
        ceiling_srcc=by_model[MeasuredModel.CEILING].get(MetricName.SRCC),
    )


def run_predictions(*, run: TrainingRun) -> list[ScatterPoint]:
    """The held-out pairs of a finished run, the worst disagreement first."""
    rows = (
        Prediction.objects.filter(run=run)
        .select_related("pair__clip", "pair__caption")
        .annotate(disagreement=Abs(F("tuned_score") - F("human_mean")))
        .order_by("-disagreement", "pair_id")
    )
    return [
        ScatterPoint(
            pair_uuid=row.pair.uuid,
            clip_uuid=row.pair.clip.uuid,
            caption=row.pair.caption.text,
            system=row.pair.system,
            human_mean=row.human_mean,
            n_ratings=row.n_ratings,
            base_cosine=row.base_cosine,
            tuned_cosine=row.tuned_cosine,
            tuned_score=row.tuned_score,
            disagreement=row.disagreement,
            has_audio=bool(row.pair.clip.rendition),
        )
        for row in rows
    ]


def overview_of_test(*, test: ListeningTest) -> TestOverview:
    """Everything that a test's page shows beside its runs."""
    tally = _tally(test)
    question = test.questions.order_by("id").first()
    n_pairs = Pair.objects.filter(test=test, role=PairRole.STUDY).count()
    plan = training_plan(test=test)
    n_new = n_new_ratings(test=test)
    sessions = Session.objects.filter(test=test).aggregate(
        active=Count("pk", filter=Q(status=SessionStatus.ACTIVE)),
        finished=Count("pk", filter=Q(status__in=FINISHED_SESSION_STATUSES)),
    )
    return TestOverview(
        n_pairs=n_pairs,
        n_rated_pairs=len(tally.pairs),
        n_ratings=tally.pairs.total(),
        n_excluded_ratings=study_ratings(test=test).filter(is_excluded()).count(),
        n_raters=len(tally.raters),
        n_sessions_active=sessions["active"],
        n_sessions_finished=sessions["finished"],
        ratings_per_day=_ratings_per_day(tally.days),
        pairs_by_ratings=_pairs_by_ratings(tally.pairs, n_pairs=n_pairs),
        score_histogram=_score_histogram(tally.scores, scale=question.values() if question else []),
        n_new_ratings=n_new,
        n_until_retrain=max(0, plan.retrain_after - n_new) if plan.retrain_after else None,
        plan=plan,
        next_look=next_look(),
        run_active=run_active(test=test),
    )


def lines_of_tests() -> list[TestLine]:
    """Every test, newest first, in as many queries whatever their number."""
    n_ratings = _count_by_test(
        Rating.objects.filter(~is_excluded(), _is_of_first_question(), pair__role=PairRole.STUDY)
    )
    n_pairs = _count_by_test(Pair.objects.filter(role=PairRole.STUDY))
    newest = TrainingRun.objects.order_by("test_id", "-created_at", "-id").distinct("test_id")
    last_runs = {run.test_id: run for run in run_list().filter(pk__in=newest.values("pk"))}
    return [
        TestLine(
            test=test,
            n_ratings=n_ratings.get(test.pk, 0),
            n_wanted=n_pairs.get(test.pk, 0) * test.ratings_per_pair,
            last_run=last_runs.get(test.pk),
        )
        for test in ListeningTest.objects.all()
    ]


def _is_of_first_question() -> Q:
    earlier = Question.objects.filter(test=OuterRef("test"), pk__lt=OuterRef("question"))
    return ~Q(Exists(earlier))


def _count_by_test(rows: QuerySet[Any]) -> dict[int, int]:
    return dict(rows.order_by().values_list("test").annotate(n=Count("pk")))


def _srcc_of(model: str, column: str = "value") -> Max:
    return Max(f"metrics__{column}", filter=Q(metrics__model=model, metrics__name=MetricName.SRCC))


@dataclass
class _Tally:
    """Counted study ratings by pair, by rater, by score and by day (UTC)."""

    pairs: Counter[int]
    raters: Counter[int]
    scores: Counter[float]
    days: Counter[date]


def _tally(test: ListeningTest) -> _Tally:
    """All four in one pass over the ratings: a million of them take a second, and four passes four."""
    columns = counted_study_ratings(test=test).values_list("pair_id", "rater_id", "score", TruncDate("submitted_at"))
    inner, parameters = columns.query.sql_with_params()
    tally = _Tally(Counter(), Counter(), Counter(), Counter())
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT pair, rater, score, day, count(*) FROM ({inner}) AS counted (pair, rater, score, day) "  # noqa: S608 -- Django's own statement
            "GROUP BY GROUPING SETS ((pair), (rater), (score), (day))",
            parameters,
        )
        for pair, rater, score, day, n in cursor:
            if pair is not None:
                tally.pairs[pair] = n
            elif rater is not None:
                tally.raters[rater] = n
            elif score is not None:
                tally.scores[score] = n
            else:
                tally.days[day] = n
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
