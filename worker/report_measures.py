"""What a run's report is measured to be when the run ends: rows that pages then only read.

From the run's predictions of its held-out pairs: both models in parts of them, how well the calibrated score means what
it says, where people agree and the model is wrong, the champion on the same pairs, and where the learning curve leads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from listening_tests.choices import TestKind
from listening_tests.models import Pair
from modeling import metrics, splits
from modeling.calibration_curve import CalibrationCurve, calibration_curve
from modeling.certain_gaps import certain_gaps
from modeling.compared_parts import ComparedPart, HeldoutPairs, compared_parts
from modeling.learning_curve import Forecast, forecast
from modeling.metrics import MetricValue, Predicted
from modeling.results import PairPrediction, TrainingResult
from worker.challenges import judged
from worker.models import (
    CalibrationBin,
    CurvePoint,
    LearningForecast,
    MeasuredModel,
    Metric,
    MetricName,
    ModelVersion,
    PartMetric,
    Prediction,
    RunReport,
    RunStatus,
    TrainingRun,
)
from worker.registry import champion_of

# What the forecast is asked about.
MORE_RATINGS = 1_000
LONGEST_GROUP = 100


@dataclass(frozen=True)
class MeasuredReport:
    """Unsaved rows of one run's report."""

    predictions: list[Prediction]
    report: RunReport
    champion_metrics: list[Metric] = field(default_factory=list)
    parts: list[PartMetric] = field(default_factory=list)
    bins: list[CalibrationBin] = field(default_factory=list)
    forecast: LearningForecast | None = None
    curve: list[CurvePoint] = field(default_factory=list)


def report_measured(*, run: TrainingRun, result: TrainingResult) -> MeasuredReport:
    """Takes seconds where thousands of pairs are held out, so nothing is to be locked meanwhile."""
    found = _heldout(run, result)
    predictions = [_prediction(run, pair, told) for pair, told in found]
    champion = champion_of(test=run.test, question=run.question)
    against = _champion_metrics(run, champion, predictions)
    report = RunReport(run=run, champion=champion if against else None)
    forecast_row, curve = _forecast(run, result)
    if run.test.kind == TestKind.COMPARISON or not predictions:
        # Bradley-Terry scores are of one caption only: there are no parts, and no mean of ratings to be certain of.
        return MeasuredReport(predictions, report, against, forecast=forecast_row, curve=curve)
    pairs = _as_arrays(predictions)
    calibrated = np.array([row.tuned_score for row in predictions])
    _set_gaps(predictions, calibrated, pairs)
    calibration = calibration_curve(calibrated, pairs.human, [splits.fold_caption(text) for text in pairs.caption])
    _set_calibration(report, calibration)
    return MeasuredReport(
        predictions,
        report,
        against,
        parts=_part_rows(run, predictions, pairs),
        bins=_bins(run, calibration),
        forecast=forecast_row,
        curve=curve,
    )


def report_store(*, measured: MeasuredReport) -> None:
    """Saves all rows, in the transaction of whoever ends the run."""
    Prediction.objects.bulk_create(measured.predictions, batch_size=2_000)
    measured.report.save()
    Metric.objects.bulk_create(measured.champion_metrics)
    PartMetric.objects.bulk_create(measured.parts)
    CalibrationBin.objects.bulk_create(measured.bins)
    if measured.forecast is not None:
        measured.forecast.save()
        CurvePoint.objects.bulk_create(measured.curve)


def _heldout(run: TrainingRun, result: TrainingResult) -> list[tuple[Pair, PairPrediction]]:
    told = {prediction.pair: prediction for prediction in result.predictions if prediction.split == splits.HELDOUT}
    rows = Pair.objects.filter(test=run.test, uuid__in=told).select_related("caption").order_by("pk")
    return [(row, told[str(row.uuid)]) for row in rows]


def _prediction(run: TrainingRun, pair: Pair, told: PairPrediction) -> Prediction:
    return Prediction(
        run=run,
        pair=pair,
        human_mean=told.human_mean,
        n_ratings=told.n_ratings,
        base_cosine=told.base_cosine,
        tuned_cosine=told.tuned_cosine,
        tuned_score=told.tuned_score,
        rating_sd=told.rating_sd,
    )


def _as_arrays(rows: Sequence[Prediction]) -> HeldoutPairs:
    return HeldoutPairs(
        caption=[row.pair.caption.text for row in rows],
        system=[row.pair.system for row in rows],
        human=np.array([row.human_mean for row in rows]),
        n_ratings=np.array([row.n_ratings for row in rows], dtype=np.int64),
        rating_sd=np.array([np.nan if row.rating_sd is None else row.rating_sd for row in rows]),
    )


def _set_gaps(rows: Sequence[Prediction], score: metrics.Floats, pairs: HeldoutPairs) -> None:
    gaps = certain_gaps(score, pairs.human, pairs.n_ratings, pairs.rating_sd)
    for row, gap in zip(rows, gaps.tolist(), strict=True):
        row.certain_gap = metrics.plain(gap)


def _part_rows(run: TrainingRun, rows: Sequence[Prediction], pairs: HeldoutPairs) -> list[PartMetric]:
    base, tuned = (
        Predicted.of_cosine([getattr(row, column) for row in rows]) for column in ("base_cosine", "tuned_cosine")
    )
    return [row for part in compared_parts(base, tuned, pairs) for row in _rows_of_part(run, part)]


def _rows_of_part(run: TrainingRun, part: ComparedPart) -> list[PartMetric]:
    sides = {
        MeasuredModel.BASE: part.base,
        MeasuredModel.TUNED: part.tuned,
        MeasuredModel.DIFFERENCE: part.difference,
    }
    return [
        PartMetric(run=run, part=part.part, group=part.group[:LONGEST_GROUP], model=model, name=name, **vars(value))
        for model, values in sides.items()
        for name, value in values.items()
    ]


def _set_calibration(report: RunReport, curve: CalibrationCurve) -> None:
    for name in ("slope", "intercept", "bias"):
        found: MetricValue = getattr(curve, name)
        for column, value in ((name, found.value), (f"{name}_low", found.low), (f"{name}_high", found.high)):
            setattr(report, column, value)


def _bins(run: TrainingRun, curve: CalibrationCurve) -> list[CalibrationBin]:
    return [
        CalibrationBin(
            run=run,
            number=number,
            low_score=one.low,
            high_score=one.high,
            score=one.score,
            human=one.human.value,
            human_low=one.human.low,
            human_high=one.human.high,
            n=one.human.n,
        )
        for number, one in enumerate(curve.bins, start=1)
    ]


def _champion_metrics(run: TrainingRun, champion: ModelVersion | None, rows: Sequence[Prediction]) -> list[Metric]:
    """The champion's agreement, and this run's less it, on the held-out pairs that both were measured on."""
    if champion is None:
        return []
    theirs = {row.pair_id: judged(row, champion.run) for row in Prediction.objects.filter(run=champion.run)}
    common = [row for row in rows if row.pair_id in theirs]
    if not common:
        return []
    models = [
        Predicted.of_cosine([theirs[row.pair_id] for row in common]),
        Predicted.of_cosine([judged(row, run) for row in common]),
    ]
    captions = [splits.fold_caption(row.pair.caption.text) for row in common]
    (standing, _), (_, gain) = metrics.compare_all(models, [row.human_mean for row in common], captions)
    sides: Mapping[str, metrics.Values] = {MeasuredModel.CHAMPION: standing, MeasuredModel.VS_CHAMPION: gain}
    return [
        Metric(run=run, model=model, name=name, **vars(value))
        for model, values in sides.items()
        for name, value in values.items()
    ]


def _forecast(run: TrainingRun, result: TrainingResult) -> tuple[LearningForecast | None, list[CurvePoint]]:
    """From this run and those before it that differ from it in their ratings alone."""
    own = result.tuned.get(MetricName.SRCC)
    if own is None or own.value is None or run.snapshot is None:
        return None, []
    points = [*_earlier(run, result.model_name), (run.snapshot.n_ratings + run.snapshot.n_comparisons, own.value)]
    sizes = [n for n, _ in points]
    ceiling = result.ceiling_srcc
    found = forecast(
        sizes,
        [value for _, value in points],
        ceiling=ceiling.value if ceiling.high is None else ceiling.high,
        more=MORE_RATINGS,
    )
    row = LearningForecast(
        run=run, n_runs=len(points), n_sizes=len(set(sizes)), n_now=max(sizes), n_more=MORE_RATINGS, **_told(found)
    )
    if found is None:
        return row, []
    return row, [
        CurvePoint(forecast=row, n_ratings=n, srcc=at.value, low=at.low, high=at.high) for n, at in found.drawn
    ]


def _told(found: Forecast | None) -> dict[str, float | None]:
    if found is None:
        return {}
    return {
        f"{name}{ending}": getattr(value, column)
        for name, value in (("now", found.now), ("then", found.then), ("gain", found.gain))
        for ending, column in (("", "value"), ("_low", "low"), ("_high", "high"))
    }


def _earlier(run: TrainingRun, base_model: str) -> list[tuple[int, float]]:
    """Ratings and held-out SRCC of the test's finished runs of the same question, preset and base model."""
    rows = Metric.objects.filter(
        run__test=run.test,
        run__status=RunStatus.DONE,
        run__question=run.question,
        run__preset=run.preset,
        run__base_model=base_model[:200],
        run__snapshot__isnull=False,
        model=MeasuredModel.TUNED,
        name=MetricName.SRCC,
        value__isnull=False,
    ).order_by("run_id")
    columns = rows.values_list("run__snapshot__n_ratings", "run__snapshot__n_comparisons", "value")
    return [(n_ratings + n_comparisons, value) for n_ratings, n_comparisons, value in columns if value is not None]
