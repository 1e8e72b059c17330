"""What pages and commands read of the training loop: numbers that are ready to be shown.

A study rating is counted unless an Exclusion leaves it out, except where a docstring says otherwise.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Abs
from django.utils import timezone

from listening_tests.choices import PairRole
from listening_tests.exceptions import Refused
from listening_tests.models import Exclusion, ListeningTest, Pair, Question, Rating
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
from worker.withdrawn import with_withdrawals

# modeling refuses to report on fewer; known here so that Retrain says so at once.
MIN_HELDOUT_PAIRS = 30


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

    These are None until a run is done. `withdrawn_words` takes the runs too.
    """
    runs = TrainingRun.objects.select_related("test", "requested_by").order_by("-created_at", "-id")
    if test is not None:
        runs = runs.filter(test=test)
    return with_withdrawals(runs, snapshot="snapshot__").annotate(
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
    """Raises `TrainingRun.DoesNotExist`. `run.model_version` is there for a run that is done.

    `withdrawn_words` takes the run.
    """
    runs = TrainingRun.objects.select_related("test", "snapshot", "requested_by", "model_version")
    return with_withdrawals(runs, snapshot="snapshot__").get(uuid=uuid)


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


def _srcc_of(model: str, column: str = "value") -> Max:
    return Max(f"metrics__{column}", filter=Q(metrics__model=model, metrics__name=MetricName.SRCC))
