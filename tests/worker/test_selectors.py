"""What the pages read of runs: ready to be shown, in few queries."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.worker.studies import make_study, result_of
from worker import jobs, selectors
from worker.models import Metric, RunTrigger, TrainingRun
from worker.services import run_request

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("now", "then"),
    [
        (datetime(2026, 3, 1, 10, 0, tzinfo=UTC), datetime(2026, 3, 1, 11, 0, tzinfo=UTC)),
        (datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC), datetime(2026, 3, 2, 0, 0, tzinfo=UTC)),
    ],
)
def test_the_next_look_is_the_top_of_the_hour(now: datetime, then: datetime) -> None:
    assert selectors.next_look(now=now) == then


def test_a_run_without_numbers_has_none() -> None:
    run, _ = run_request(test=make_study(), trigger=RunTrigger.PERSON)

    assert selectors.run_metrics(run=run) is None
    assert selectors.run_predictions(run=run) == []
    assert selectors.run_active(test=run.test) == run
    assert selectors.run_list(test=run.test).get().tuned_srcc is None  # type: ignore[attr-defined]


@pytest.mark.django_db(transaction=True)
def test_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = make_study()
    run, _ = run_request(test=test, trigger=RunTrigger.PERSON)
    monkeypatch.setattr("worker.jobs.training.train", lambda config, snapshot, out, **_: result_of(test, out))
    jobs.run_execute(run_id=run.pk)
    run = selectors.run_by_uuid(uuid=run.uuid)
    metrics = selectors.run_metrics(run=run)

    assert metrics is not None
    assert metrics.tuned["srcc"] == selectors.MetricEstimate(value=0.5, low=0.4, high=0.6, n=30)
    assert metrics.ceiling_srcc is not None and metrics.ceiling_srcc.value is None
    assert metrics.one_vs_rest_srcc is not None and metrics.one_vs_rest_srcc.value == 0.5
    listed = selectors.run_list().get()
    assert (listed.base_srcc, listed.tuned_srcc) == (0.5, 0.5)  # type: ignore[attr-defined]
    [point] = selectors.run_predictions(run=run)
    pair = test.pairs.get(uuid=point.pair_uuid)
    assert (point.clip_uuid, point.caption, point.system) == (pair.clip.uuid, pair.caption.text, pair.system)
    assert (point.human_mean, point.base_cosine, point.tuned_cosine, point.tuned_score) == (5.0, 0.1, 0.4, 4.5)


@pytest.mark.django_db(transaction=True)
def test_the_run_list_needs_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(3):
        run, _ = run_request(test=make_study(), trigger=RunTrigger.PERSON)
        Metric.objects.create(run=run, model="tuned", name="srcc", value=0.5, n=30)
        Metric.objects.create(run=run, model="tuned", name="lcc", value=0.9, n=30)
    with django_assert_num_queries(1):
        runs = list(selectors.run_list())
    assert [run.tuned_srcc for run in runs] == [0.5] * 3  # type: ignore[attr-defined]
    assert TrainingRun.objects.count() == 3
