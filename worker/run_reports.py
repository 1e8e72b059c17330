"""What reports read: a run's, and a test's over all of its runs. Rows as they were stored when a run ended."""

from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Abs

from listening_tests.models import ListeningTest
from worker.models import (
    CalibrationBin,
    LearningForecast,
    MeasuredModel,
    Metric,
    MetricName,
    ModelVersion,
    Part,
    PartMetric,
    Prediction,
    RunReport,
    RunStatus,
    TrainingRun,
)
from worker.registry import champion_of
from worker.selectors import MetricEstimate, RunMetrics, run_metrics

# Pairs in a report's table, worst first; a list has all.
WRONG_SHOWN = 20


@dataclass(frozen=True)
class PartLine:
    """Both models in a group of the held-out pairs, by names of metrics."""

    part: Part
    group: str
    base: dict[str, MetricEstimate] = field(default_factory=dict)
    tuned: dict[str, MetricEstimate] = field(default_factory=dict)
    difference: dict[str, MetricEstimate] = field(default_factory=dict)


@dataclass(frozen=True)
class CurveRun:
    """A finished run in a learning curve: how many ratings it had, and the held-out SRCC of its model."""

    uuid: UUID
    n_ratings: int
    srcc: MetricEstimate


@dataclass(frozen=True)
class ReportOfRun:
    """All that a finished run's report shows. `report` is empty on runs from before parts were measured.

    `wrong` are the pairs that lie farthest outside of what people's mean may be, `n_wrong` how many do.
    """

    run: TrainingRun
    metrics: RunMetrics
    report: RunReport | None
    champion: ModelVersion | None
    parts: list[PartLine]
    bins: list[CalibrationBin]
    wrong: list[Prediction]
    n_wrong: int


@dataclass(frozen=True)
class ReportOfTest:
    """A question of a test over all of its finished runs, the newest first, and the curve that the newest is on."""

    test: ListeningTest
    question: str
    champion: ModelVersion | None
    newest: TrainingRun | None
    newest_metrics: RunMetrics | None
    forecast: LearningForecast | None
    curve_runs: list[CurveRun]


def report_of_run(*, run: TrainingRun) -> ReportOfRun | None:
    """None until the run is done, and for one whose numbers are not stored."""
    metrics = run_metrics(run=run)
    if metrics is None or run.status != RunStatus.DONE:
        return None
    report = RunReport.objects.filter(run=run).select_related("champion__run").first()
    wrong = wrong_pairs(run=run)
    return ReportOfRun(
        run=run,
        metrics=metrics,
        report=report,
        champion=report.champion if report else None,
        parts=_parts(run),
        bins=list(run.calibration_bins.all()),
        wrong=list(wrong[:WRONG_SHOWN]),
        n_wrong=wrong.count(),
    )


def heldout_pairs(*, run: TrainingRun) -> QuerySet[Prediction]:
    """The run's held-out pairs with what a list shows of them, in no order; `off` is how far score and mean are off."""
    rows = Prediction.objects.filter(run=run).select_related("pair__clip", "pair__caption")
    return rows.annotate(off=Abs(F("tuned_score") - F("human_mean")))


def wrong_pairs(*, run: TrainingRun) -> QuerySet[Prediction]:
    """Where people agree and the model is wrong: pairs whose score lies outside of the 95 % margin of people's mean,
    the farthest first.
    """
    return heldout_pairs(run=run).filter(certain_gap__gt=0).order_by("-certain_gap", "pair_id")


def report_of_test(*, test: ListeningTest, question: str) -> ReportOfTest:
    newest = finished_runs(test=test, question=question).first()
    forecast = LearningForecast.objects.filter(run=newest).prefetch_related("points").first() if newest else None
    return ReportOfTest(
        test=test,
        question=question,
        champion=champion_of(test=test, question=question),
        newest=newest,
        newest_metrics=run_metrics(run=newest) if newest else None,
        forecast=forecast,
        curve_runs=_curve_runs(newest) if newest else [],
    )


def finished_runs(*, test: ListeningTest, question: str) -> QuerySet[TrainingRun]:
    """Newest first, each with the columns of `estimate_of`: base, tuned, difference and vs_champion, SRCC."""
    runs = TrainingRun.objects.filter(test=test, question=question, status=RunStatus.DONE)
    columns = {
        f"{model}_{column}": _srcc(model, column)
        for model in (MeasuredModel.BASE, MeasuredModel.TUNED, MeasuredModel.DIFFERENCE, MeasuredModel.VS_CHAMPION)
        for column in ("value", "low", "high", "n")
    }
    runs = runs.select_related("snapshot__heldout_set", "model_version", "report__champion__run")
    return runs.annotate(**columns).order_by("-created_at", "-id")


def estimate_of(run: TrainingRun, model: str) -> MetricEstimate:
    """The SRCC of a row of `finished_runs`."""
    value, low, high, n = (getattr(run, f"{model}_{column}") for column in ("value", "low", "high", "n"))
    return MetricEstimate(value=value, low=low, high=high, n=n or 0)


def _srcc(model: str, column: str) -> Subquery:
    rows = Metric.objects.filter(run=OuterRef("pk"), model=model, name=MetricName.SRCC)
    return Subquery(rows.values(column)[:1])


def _parts(run: TrainingRun) -> list[PartLine]:
    lines: dict[tuple[str, str], PartLine] = {}
    for row in PartMetric.objects.filter(run=run).order_by("pk"):
        line = lines.setdefault((row.part, row.group), PartLine(Part(row.part), row.group))
        estimate = MetricEstimate(value=row.value, low=row.low, high=row.high, n=row.n)
        getattr(line, row.model)[row.name] = estimate
    return list(lines.values())


def _curve_runs(newest: TrainingRun) -> list[CurveRun]:
    """The runs that differ from the newest in their ratings alone, by their number; as `report_measures` takes them."""
    rows = (
        Metric.objects.filter(
            run__test_id=newest.test_id,
            run__question=newest.question,
            run__status=RunStatus.DONE,
            run__preset=newest.preset,
            run__base_model=newest.base_model,
            run__snapshot__isnull=False,
            model=MeasuredModel.TUNED,
            name=MetricName.SRCC,
            value__isnull=False,
        )
        .select_related("run__snapshot")
        .order_by("run_id")
    )
    found = [
        CurveRun(
            uuid=row.run.uuid,
            n_ratings=row.run.snapshot.n_ratings + row.run.snapshot.n_comparisons,
            srcc=MetricEstimate(value=row.value, low=row.low, high=row.high, n=row.n),
        )
        for row in rows
        if row.run.snapshot is not None
    ]
    return sorted(found, key=lambda one: (one.n_ratings, str(one.uuid)))
