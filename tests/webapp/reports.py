"""A finished run with all of its report, whose every number is another one, so that none passes for another."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from listening_tests.models import ListeningTest, Pair
from modeling.metrics import MetricValue, Predicted, compare_all
from modeling.results import PairPrediction, TrainingResult
from modeling.splits import HELDOUT
from tests.factories import make_caption, make_pair
from tests.webapp.factories import make_done_run, make_prediction, make_run, make_snapshot
from worker.models import (
    CalibrationBin,
    CurvePoint,
    LearningForecast,
    MeasuredModel,
    Metric,
    MetricName,
    ModelVersion,
    Part,
    PartMetric,
    RunReport,
    RunStatus,
    TrainingRun,
)
from worker.report_measures import report_measured, report_store

GROUPS = (
    (Part.WITHIN_CAPTION, ""),
    (Part.WITHIN_SYSTEM, ""),
    (Part.SYSTEM, ""),
    (Part.SYSTEM, "<b>alpha</b>"),
    (Part.ORIGIN, "natural"),
    (Part.ORIGIN, "synthesised"),
    (Part.N_RATINGS, "1"),
    (Part.N_RATINGS, "9 or more"),
    (Part.DISAGREEMENT, "low"),
)


def numbers(seed: int) -> Iterator[float]:
    rng = np.random.default_rng(seed)
    while True:
        yield float(np.round(rng.uniform(0.05, 0.95), 6))


def make_reported_run(
    test: ListeningTest, *, champion: TrainingRun | None = None, n_pairs: int = 24, **fields: object
) -> TrainingRun:
    """With `champion`'s model as the champion of the day."""
    run = make_done_run(test, question="relevance", n_validation=71, **fields)
    some = numbers(run.pk)
    for row in run.metrics.all():
        row.value, row.low, row.high, row.n = next(some), next(some), next(some), 100 + row.pk % 97
        row.save()
    if champion is not None:
        Metric.objects.bulk_create(
            Metric(run=run, model=model, name=name, value=next(some), low=next(some), high=next(some), n=131)
            for model in (MeasuredModel.CHAMPION, MeasuredModel.VS_CHAMPION)
            for name in MetricName.values[:4]
        )
    PartMetric.objects.bulk_create(
        PartMetric(
            run=run, part=part, group=group, model=model, name=name,
            value=next(some), low=next(some), high=next(some), n=10 + place,
        )
        for place, (part, group) in enumerate(GROUPS)
        for model in ("base", "tuned", "difference")
        for name in MetricName.values[:4]
    )  # fmt: skip
    RunReport.objects.create(
        run=run,
        champion=champion.model_version if champion else None,
        **{
            f"{name}{ending}": next(some) for name in ("slope", "intercept", "bias") for ending in ("", "_low", "_high")
        },
    )
    CalibrationBin.objects.bulk_create(
        CalibrationBin(
            run=run, number=number, low_score=number, high_score=number + next(some), score=number + next(some) / 2,
            human=number + next(some), human_low=number - next(some), human_high=number + 1 + next(some), n=40 + number,
        )
        for number in range(1, 5)
    )  # fmt: skip
    forecast = LearningForecast.objects.create(
        run=run, n_runs=3, n_sizes=3, n_now=3360, n_more=1000,
        **{f"{name}{ending}": next(some) for name in ("now", "then", "gain") for ending in ("", "_low", "_high")},
    )  # fmt: skip
    CurvePoint.objects.bulk_create(
        CurvePoint(forecast=forecast, n_ratings=n, srcc=next(some), low=next(some), high=next(some))
        for n in (1200, 2400, 4360)
    )
    make_pairs(run, n_pairs)
    return run


def make_pairs(run: TrainingRun, n: int) -> None:
    """Held-out pairs of which every third is wrong beyond the margin."""
    some = numbers(run.pk + 1)
    for place in range(n):
        pair = make_pair(
            run.test, caption=make_caption(f"Held out <i>{run.pk}</i>, sound {place}"), system="<b>alpha</b>"
        )
        values = {"human_mean": 10 * next(some), "tuned_score": 10 * next(some), "rating_sd": 3 * next(some)}
        gap = 4 * next(some) if place % 3 == 0 else -next(some)
        make_prediction(run, pair, n_ratings=2 + place % 7, base_cosine=next(some), tuned_cosine=next(some), **values)
        run.predictions.filter(pair=pair).update(certain_gap=gap)


def make_measured_run(test: ListeningTest, n_ratings: int, *, n_pairs: int = 120, sd: float = 0.15) -> TrainingRun:
    """A finished run whose report was measured for good, on predictions that follow people, off by `sd` of a cosine."""
    pairs = list(test.pairs.select_related("caption")) or [
        make_pair(test, caption=caption, system=system)
        for caption in (make_caption() for _ in range(n_pairs // 3))
        for system in ("", "audioldm2", "tango")
    ]
    rng = np.random.default_rng(n_ratings)
    snapshot = make_snapshot(test)
    snapshot.n_ratings = n_ratings
    snapshot.save()
    fields = {
        "n_heldout": n_pairs,
        "n_train": 4 * n_pairs,
        "n_dropped": 0,
        "snapshot": snapshot,
        "base_model": "builtin",
    }
    run = make_run(test, RunStatus.DONE, question="relevance", **fields)
    result = _result(pairs, rng, sd)
    measured = report_measured(run=run, result=result)
    for model in ("base", "tuned", "difference"):
        for name, value in getattr(result, model).items():
            Metric.objects.create(run=run, model=model, name=name, **vars(value))
    Metric.objects.create(run=run, model="one_vs_rest", name="srcc", value=0.51, low=0.44, high=0.57, n=n_pairs)
    Metric.objects.create(run=run, model="ceiling", name="srcc", value=0.8, low=0.75, high=0.84, n=n_pairs)
    report_store(measured=measured)
    ModelVersion.objects.create(run=run, directory="models/1", weights_sha256=run.uuid.hex * 2)
    return run


def _result(pairs: list[Pair], rng: np.random.Generator, sd: float) -> TrainingResult:
    human, n_ratings = rng.uniform(0.5, 9.5, len(pairs)), rng.integers(1, 9, len(pairs))
    base, tuned = (np.clip(human / 14 + rng.normal(0, noise, len(pairs)), -1, 1) for noise in (0.35, sd))
    models = [Predicted.of_cosine(cosine) for cosine in (base, tuned)]
    captions = [pair.caption.text for pair in pairs]
    (base_values, tuned_values), (_, difference) = compare_all(models, human, captions)
    predictions = [
        PairPrediction(
            str(pair.uuid), HELDOUT, float(human[place]), int(n_ratings[place]), float(base[place]),
            float(tuned[place]), float(np.clip(14 * tuned[place], 0, 10)),
            float(rng.uniform(0.4, 2.4)) if n_ratings[place] > 1 else None,
        )
        for place, pair in enumerate(pairs)
    ]  # fmt: skip
    return TrainingResult(
        n_heldout=len(pairs), n_train=4 * len(pairs), n_validation=0, n_dropped=0, base=base_values,
        tuned=tuned_values, difference=difference, one_vs_rest_srcc=MetricValue(0.51, 0.44, 0.57, len(pairs)),
        ceiling_srcc=MetricValue(0.8, 0.75, 0.84, len(pairs)), predictions=tuple(predictions), model_dir=Path(),
        model_name="builtin", note="", epochs_run=1, seconds=1.0,
    )  # fmt: skip
