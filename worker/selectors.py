"""What pages and commands read of the training loop: numbers that are ready to be shown.

A study rating is counted unless an Exclusion leaves it out, except where a docstring says otherwise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Abs
from django.utils import timezone

from listening_tests.choices import PairRole, TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import Comparison, Exclusion, ListeningTest, Pair, Question, Rating
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
# Pairs of a run that are drawn; of more, so many by chance.
MOST_POINTS = 2_000


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
    """What a finished run measured: srcc, lcc, ktau, mse of each model, and what people themselves reach.

    `champion` is the model that was in use when the run ended, and `vs_champion` this run's less its, on the held-out
    pairs that both were measured on; empty where there was none.
    """

    base: dict[str, MetricEstimate]
    tuned: dict[str, MetricEstimate]
    difference: dict[str, MetricEstimate]
    one_vs_rest_srcc: MetricEstimate | None
    ceiling_srcc: MetricEstimate | None
    champion: dict[str, MetricEstimate] = field(default_factory=dict)
    vs_champion: dict[str, MetricEstimate] = field(default_factory=dict)


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


def counted_study_ratings(*, test: ListeningTest, question: Question | None = None) -> QuerySet[Rating]:
    """The test's study ratings that no rule leaves out, of one question: the first where none is named."""
    return study_ratings(test=test, question=question).filter(~is_excluded())


def study_ratings(*, test: ListeningTest, question: Question | None = None) -> QuerySet[Rating]:
    """All study ratings of one question, the first where none is named; excluded ones too."""
    first = Subquery(Question.objects.filter(test=test).order_by("id").values("pk")[:1])
    return Rating.objects.filter(test=test, pair__role=PairRole.STUDY, question=question or first).order_by()


def is_excluded() -> Exists:
    return Exists(Exclusion.objects.filter(rating=OuterRef("pk")))


def study_comparisons(*, test: ListeningTest, question: Question) -> QuerySet[Comparison]:
    """All comparisons of two study pairs on one question, excluded ones too."""
    return Comparison.objects.filter(test=test, trial__role=PairRole.STUDY, question=question).order_by()


def counted_study_comparisons(*, test: ListeningTest, question: Question) -> QuerySet[Comparison]:
    excluded = Exists(Exclusion.objects.filter(comparison=OuterRef("pk")))
    return study_comparisons(test=test, question=question).filter(~excluded)


def question_named(*, test: ListeningTest, name: str = "") -> Question:
    """The test's question of this name, or its first. Raises `Refused` where there is none."""
    questions = list(test.questions.order_by("id"))
    if not questions:
        raise Refused(f"“{test.title}” asks raters no question yet. Add one on its page in the admin.")
    if not name:
        return questions[0]
    for question in questions:
        if question.name == name:
            return question
    names = ", ".join(question.name for question in questions)
    raise Refused(f"“{test.title}” asks no question named {name!r}. Its questions are: {names}.")


def n_study_answers(*, test: ListeningTest, question: Question | None = None) -> int:
    """Study ratings or comparisons of one question, the first where none is named; excluded ones too, so that a change
    of the rules is not mistaken for new answers.
    """
    question = question or test.questions.order_by("id").first()
    if question is None:
        return 0
    if test.kind == TestKind.COMPARISON:
        return study_comparisons(test=test, question=question).count()
    return study_ratings(test=test, question=question).count()


def n_heldout_pairs(*, test: ListeningTest, question: Question, enough: int = MIN_HELDOUT_PAIRS) -> int:
    """Study pairs with audio and a counted answer that the split holds out, counted up to `enough`: more is not looked
    at.
    """
    return len(list(islice(heldout_candidates(test=test, question=question), enough)))


@dataclass(frozen=True)
class HeldoutCandidate:
    """A pair that the split holds out, by its key and its name, and its caption."""

    pk: int
    uuid: UUID
    caption: str


def heldout_candidates(*, test: ListeningTest, question: Question) -> Iterator[HeldoutCandidate]:
    """Study pairs with audio and a counted answer that the split holds out."""
    pairs = Pair.objects.filter(_has_answer(test, question), test=test, role=PairRole.STUDY, clip__sha256__isnull=False)
    columns = ("pk", "uuid", "caption__text", "own_split")
    for pk, name, caption, own_split in pairs.order_by().values_list(*columns).iterator():
        if (own_split or splits.caption_split(caption, str(test.uuid))) == splits.HELDOUT:
            yield HeldoutCandidate(pk, name, caption)


def _has_answer(test: ListeningTest, question: Question) -> Q:
    if test.kind != TestKind.COMPARISON:
        return Q(Exists(counted_study_ratings(test=test, question=question).filter(pair=OuterRef("pk"))))
    counted = counted_study_comparisons(test=test, question=question)
    places = (Q(Exists(counted.filter(**{place: OuterRef("pk")}))) for place in ("first", "second"))
    return next(places) | next(places)


def training_plan(*, test: ListeningTest) -> TrainingPlan:
    """The test's plan, or the default one, unsaved, where nobody has made one."""
    return TrainingPlan.objects.filter(test=test).first() or TrainingPlan(test=test)


def next_look(*, now: datetime | None = None) -> datetime:
    """When beat looks for tests to retrain: the top of the next hour."""
    now = now or timezone.now()
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def question_planned(*, test: ListeningTest) -> Question | None:
    """The question that runs are on where nobody names one: the plan's, or the test's first."""
    planned = training_plan(test=test).question
    questions = sorted(test.questions.all(), key=lambda question: (question.name != planned, question.pk))
    return questions[0] if questions else None


def n_new_ratings(*, test: ListeningTest) -> int:
    """Study answers to the planned question since the test's last run on it, however that ended; all of them where
    there was none.
    """
    question = question_planned(test=test)
    runs = TrainingRun.objects.filter(test=test)
    # Runs from before the column was there name none: they were on the first question.
    last = runs.filter(question__in=["", question.name] if question else [""]).order_by("-created_at", "-id").first()
    return max(0, n_study_answers(test=test, question=question) - (last.n_ratings_at_start if last else 0))


def run_active(*, test: ListeningTest) -> TrainingRun | None:
    return TrainingRun.objects.filter(test=test, status__in=ACTIVE_RUN_STATUSES).first()


def run_list(*, test: ListeningTest | None = None) -> QuerySet[TrainingRun]:
    """Runs, newest first, each with `base_srcc`, `tuned_srcc`, and `difference_srcc` from `_low` to `_high`.

    These are None until a run is done. `withdrawn_words` takes the runs too.
    """
    runs = TrainingRun.objects.select_related("test", "requested_by", "snapshot").order_by("-created_at", "-id")
    if test is not None:
        runs = runs.filter(test=test)
    return with_withdrawals(runs, snapshot="snapshot__").annotate(
        base_srcc=_srcc_of(MeasuredModel.BASE),
        tuned_srcc=_srcc_of(MeasuredModel.TUNED),
        difference_srcc=_srcc_of(MeasuredModel.DIFFERENCE),
        difference_low=_srcc_of(MeasuredModel.DIFFERENCE, "low"),
        difference_high=_srcc_of(MeasuredModel.DIFFERENCE, "high"),
    )


def runs_of(*, tests: QuerySet[ListeningTest]) -> QuerySet[TrainingRun]:
    """As `run_list`, of several tests."""
    return run_list().filter(test__in=tests.order_by())


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
        champion=by_model[MeasuredModel.CHAMPION],
        vs_champion=by_model[MeasuredModel.VS_CHAMPION],
    )


def run_predictions(*, run: TrainingRun) -> list[ScatterPoint]:
    """The held-out pairs of a finished run, the worst disagreement first.

    Where there are more than `MOST_POINTS`, so many of them, the same each time: uuids are random.
    """
    some = Prediction.objects.filter(run=run).order_by("pair__uuid").values("pk")[:MOST_POINTS]
    rows = (
        Prediction.objects.filter(pk__in=some)
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
