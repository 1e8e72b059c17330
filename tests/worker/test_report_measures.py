"""What a run's report holds once the run has ended, against what is computed from its predictions by hand."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from django.test import override_settings

from listening_tests.models import ListeningTest, Pair
from modeling import metrics
from modeling.metrics import MetricValue, Predicted
from modeling.results import PairPrediction, TrainingResult
from modeling.splits import HELDOUT, fold_caption
from tests.worker.studies import captions_of, make_sound, make_study, queued_run, result_of
from worker import services
from worker.jobs import run_carry_out
from worker.models import (
    LearningForecast,
    MeasuredModel,
    Metric,
    MetricName,
    Part,
    PartMetric,
    Prediction,
    Promotion,
    PromotionTrigger,
    RunReport,
    RunStatus,
    TrainingRun,
)

pytestmark = pytest.mark.django_db
N = 48


@pytest.fixture
def study() -> ListeningTest:
    test = make_study(n_heldout=0, n_train=2)
    sounds = [make_sound() for _ in range(3)]
    for place, caption in enumerate(islice(captions_of(HELDOUT, salt=str(test.uuid)), N)):
        system = ("", "alpha", "beta")[place % 3]
        Pair.objects.create(test=test, clip=sounds[place % 3], caption=caption, system=system)
    return test


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[None]:
    with override_settings(MEDIA_ROOT=tmp_path):
        yield


def heldout(test: ListeningTest) -> list[Pair]:
    return list(test.pairs.filter(system__in=["", "alpha", "beta"]).select_related("caption").order_by("pk"))[-N:]


def told_of(test: ListeningTest, tmp_path: Path, *, seed: int = 1, srcc: float = 0.5) -> TrainingResult:
    """A result whose predictions follow people, the tuned model's more closely."""
    rng = np.random.default_rng(seed)
    predictions = []
    for place, pair in enumerate(heldout(test)):
        human = float(rng.uniform(1, 9))
        base, tuned = (float(np.clip(human / 10 + rng.normal(0, sd), -1, 1)) for sd in (0.4, 0.1))
        n = 1 + place % 4
        sd = float(rng.uniform(0.5, 2)) if n > 1 else None
        predictions.append(PairPrediction(str(pair.uuid), HELDOUT, human, n, base, tuned, 10 * tuned, sd))
    whole = result_of(test, tmp_path / f"out-{seed}")
    tuned_values = whole.tuned | {"srcc": MetricValue(srcc, srcc - 0.1, srcc + 0.1, N)}
    return replace(whole, predictions=tuple(predictions), tuned=tuned_values, n_heldout=N)


def carried_out(test: ListeningTest, result: TrainingResult, monkeypatch: pytest.MonkeyPatch) -> TrainingRun:
    monkeypatch.setattr("worker.jobs.training.train", lambda *_, **__: result)
    run = services.run_claim(run_id=queued_run(test).pk, host="bench")
    assert run is not None
    run_carry_out(run=run)
    run.refresh_from_db()
    assert run.status == RunStatus.DONE, run.message + run.traceback
    return run


@pytest.fixture(autouse=True)
def enough_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.services.n_heldout_pairs", lambda **_: 100)


def plain(row: PartMetric | Metric) -> MetricValue:
    return MetricValue(row.value, row.low, row.high, row.n)


def test_it_works(study: ListeningTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = carried_out(study, told_of(study, tmp_path), monkeypatch)

    assert run.report.champion is None
    assert not run.metrics.filter(model=MeasuredModel.CHAMPION).exists()
    rows = list(Prediction.objects.filter(run=run, pair__system="alpha").select_related("pair__caption"))
    base, tuned = (
        Predicted.of_cosine([getattr(row, name) for row in rows]) for name in ("base_cosine", "tuned_cosine")
    )
    human, captions = [row.human_mean for row in rows], [fold_caption(row.pair.caption.text) for row in rows]
    (base_values, tuned_values), (_, difference) = metrics.compare_all([base, tuned], human, captions)
    for model, values in (("base", base_values), ("tuned", tuned_values), ("difference", difference)):
        for name in MetricName.values[:4]:
            row = run.part_metrics.get(part=Part.SYSTEM, group="alpha", model=model, name=name)
            assert (row.value, row.n) == (pytest.approx(values[name].value), 16)
    assert set(run.part_metrics.filter(part=Part.ORIGIN).values_list("group", flat=True)) == {"natural", "synthesised"}
    assert run.calibration_bins.count() == 3
    assert sum(run.calibration_bins.values_list("n", flat=True)) == N
    assert run.report.slope == pytest.approx(1, abs=0.4)
    assert run.report.slope_low < run.report.slope < run.report.slope_high


def test_gaps_are_stored_with_the_predictions(
    study: ListeningTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = carried_out(study, told_of(study, tmp_path), monkeypatch)

    rows = list(run.predictions.all())
    assert all((row.certain_gap is None) == (row.n_ratings == 1) == (row.rating_sd is None) for row in rows)
    assert all(row.certain_gap < abs(row.tuned_score - row.human_mean) for row in rows if row.certain_gap is not None)


def test_the_champion_stands_beside_the_run(
    study: ListeningTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = carried_out(study, told_of(study, tmp_path), monkeypatch)
    Promotion.objects.create(
        test=study,
        question=first.question,
        version=first.model_version,
        trigger=PromotionTrigger.PERSON,
        reason="Best.",
    )
    # A pair that the champion was not measured on has no part in the comparison.
    first.predictions.order_by("pk")[0].delete()

    run = carried_out(study, told_of(study, tmp_path, seed=2), monkeypatch)

    assert run.report.champion == first.model_version
    found = {(row.model, row.name): plain(row) for row in run.metrics.filter(model__contains="champion")}
    assert len(found) == 8
    assert found["champion", "srcc"].n == N - 1
    theirs = dict(first.predictions.values_list("pair_id", "tuned_cosine"))
    ours = run.predictions.filter(pair_id__in=theirs).select_related("pair__caption").order_by("pair_id")
    human = [row.human_mean for row in ours]
    assert found["champion", "srcc"].value == pytest.approx(metrics.srcc([theirs[row.pair_id] for row in ours], human))
    assert found["vs_champion", "srcc"].value == pytest.approx(
        metrics.srcc([row.tuned_cosine for row in ours], human) - found["champion", "srcc"].value
    )
    assert found["vs_champion", "srcc"].low <= found["vs_champion", "srcc"].value <= found["vs_champion", "srcc"].high


def test_runs_on_more_and_more_ratings_make_a_curve(
    study: ListeningTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    for seed, (n_ratings, srcc) in enumerate([(500, 0.4), (1_000, 0.5), (2_000, 0.55)]):
        runs.append(carried_out(study, told_of(study, tmp_path, seed=seed, srcc=srcc), monkeypatch))
        if seed < 2:
            runs[-1].snapshot.n_ratings = n_ratings
            runs[-1].snapshot.save()
    # Of runs of another preset nothing is learned.
    too_few = runs[1].forecast
    assert (too_few.n_runs, too_few.n_sizes, too_few.now, too_few.points.count()) == (2, 2, None, 0)
    last = runs[2].forecast
    assert (last.n_runs, last.n_sizes, last.n_more) == (3, 3, 1_000)
    assert last.n_now == 1_000
    assert last.gain_low <= last.gain <= last.gain_high
    assert last.points.count() > 5
    TrainingRun.objects.filter(pk=runs[0].pk).update(preset="other")

    other = carried_out(study, told_of(study, tmp_path, seed=9), monkeypatch)

    assert (other.forecast.n_runs, other.forecast.n_sizes) == (3, 2)


def test_a_fault_in_measuring_leaves_nothing_behind(
    study: ListeningTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("worker.jobs.report_measured", fault)
    monkeypatch.setattr("worker.jobs.training.train", lambda *_, **__: told_of(study, tmp_path))
    run = services.run_claim(run_id=queued_run(study).pk, host="bench")
    assert run is not None

    run_carry_out(run=run)

    run.refresh_from_db()
    assert run.status == RunStatus.ERRORED
    for model in (Metric, Prediction, PartMetric, RunReport, LearningForecast):
        assert not model.objects.filter(run=run).exists()
