"""A run from its claim to its end, through `run_execute`, which is what the queue calls."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from modeling.config import PRESETS, TrainingConfig
from modeling.results import Progress, TrainingCancelled, TrainingRefused, TrainingResult
from tests.worker.studies import make_study, queued_run, result_of
from worker import jobs, lifecycle
from worker.hosts import LOST_AFTER, host_name
from worker.models import Metric, ModelVersion, Prediction, RunStatus, RunTrigger, TrainingRun
from worker.run_files import run_directories
from worker.services import (
    INTERRUPTED,
    LOST,
    MAX_RESTARTS,
    NO_BROKER,
    run_cancel,
    run_claim,
    run_request,
)

pytestmark = pytest.mark.django_db(transaction=True)
Train = Callable[..., TrainingResult]


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Callable[[Train], None]:
    """Puts another training in the place of the real one, which takes minutes."""
    return lambda train: monkeypatch.setattr("worker.jobs.training.train", train)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The runs whose messages a broker, which is there, has taken."""
    taken: list[int] = []
    monkeypatch.setattr("worker.services.run_training.apply_async", lambda args, **_: taken.extend(args))
    return taken


def execute(run: TrainingRun) -> TrainingRun:
    jobs.run_execute(run_id=run.pk)
    return TrainingRun.objects.get(pk=run.pk)


def test_it_works(training: Callable[[Train], None]) -> None:
    test = make_study()
    seen: list[Any] = []

    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **callbacks: Any) -> TrainingResult:
        seen.extend([config.epochs, (snapshot_dir / "manifest.json").exists()])
        callbacks["on_progress"](Progress("training", 3, 9, loss=0.25, seconds_left=12.0))
        during = TrainingRun.objects.get()
        seen.extend([during.status, during.phase, during.step, during.total_steps, during.loss, during.seconds_left])
        return result_of(test, out_dir)

    training(train)
    run = execute(queued_run(test))

    assert seen == [PRESETS["small"].epochs, True, RunStatus.RUNNING, "training", 3, 9, 0.25, 12.0]
    assert (run.status, run.message, run.base_model) == (RunStatus.DONE, "A note.", "a model")
    assert (run.n_heldout, run.n_train, run.n_validation, run.n_dropped) == (30, 20, 4, 1)
    assert run.started_at and run.finished_at and run.host and run.seconds_left is None
    assert run.snapshot and run.snapshot.n_ratings == 54 * 3
    assert Metric.objects.filter(run=run).count() == 3 * 4 + 2
    assert Prediction.objects.filter(run=run).count() == 1  # held out pairs alone
    assert (Path(settings.MEDIA_ROOT) / run.model_version.directory / "model.safetensors").exists()


def test_a_refusal_is_a_failed_run_with_its_sentence(training: Callable[[Train], None]) -> None:
    def train(*_: Any, **__: Any) -> TrainingResult:
        raise TrainingRefused("The loss is no longer a number.")

    training(train)
    run = execute(queued_run(make_study()))

    assert (run.status, run.message, run.traceback) == (RunStatus.FAILED, "The loss is no longer a number.", "")
    assert run.finished_at
    assert not Metric.objects.exists()


def test_a_changed_sound_is_a_failed_run_with_its_sentence() -> None:
    test = make_study()
    run = queued_run(test)
    original = Path(test.pairs.first().clip.original.path)
    original.write_bytes(b"something else")

    run = execute(run)

    assert run.status == RunStatus.FAILED
    assert "the original file was changed." in run.message
    assert run.snapshot is None


def test_a_crash_is_an_errored_run_with_its_traceback(training: Callable[[Train], None]) -> None:
    training(lambda *_, **__: 1 // 0)
    run = execute(queued_run(make_study()))

    assert run.status == RunStatus.ERRORED
    assert run.message == "The run stopped on a fault of Earmark (ZeroDivisionError). Its traceback is kept with it."
    assert "ZeroDivisionError" in run.traceback


def test_a_crash_while_storing_stores_nothing(training: Callable[[Train], None]) -> None:
    test = make_study()

    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **_: Any) -> TrainingResult:
        result = result_of(test, out_dir)
        (result.model_dir / "model.safetensors").unlink()
        return result

    training(train)
    run = execute(queued_run(test))

    assert run.status == RunStatus.ERRORED
    assert not Metric.objects.exists() and not Prediction.objects.exists() and not ModelVersion.objects.exists()


def test_a_message_delivered_twice_runs_once(training: Callable[[Train], None]) -> None:
    test, calls = make_study(), []

    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **_: Any) -> TrainingResult:
        calls.append(out_dir)
        return result_of(test, out_dir)

    training(train)
    run = queued_run(test)
    in_step = threading.Barrier(4)

    def deliver() -> None:
        in_step.wait()
        jobs.run_execute(run_id=run.pk)
        connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(calls) == 1
    assert TrainingRun.objects.get().status == RunStatus.DONE


def test_a_queued_run_is_cancelled_at_once(training: Callable[[Train], None]) -> None:
    training(lambda *_, **__: pytest.fail("A cancelled run was trained."))
    run = run_cancel(run=queued_run(make_study()))

    assert (run.status, run.message) == (RunStatus.CANCELLED, "Cancelled before it began.")
    assert execute(run).status == RunStatus.CANCELLED


def test_a_running_run_is_cancelled_at_its_next_step(training: Callable[[Train], None]) -> None:
    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **callbacks: Any) -> TrainingResult:
        out_dir.mkdir(parents=True)
        assert not callbacks["should_stop"]()
        assert run_cancel(run=TrainingRun.objects.get()).status == RunStatus.CANCELLING
        assert callbacks["should_stop"]()
        raise TrainingCancelled

    training(train)
    run = execute(queued_run(make_study()))

    assert (run.status, run.message) == (RunStatus.CANCELLED, "Cancelled.")
    assert not run_directories(run=run).exists()


def test_a_cancel_after_the_last_step_still_counts(training: Callable[[Train], None]) -> None:
    test = make_study()

    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **_: Any) -> TrainingResult:
        run_cancel(run=TrainingRun.objects.get())
        return result_of(test, out_dir)

    training(train)

    assert execute(queued_run(test)).status == RunStatus.CANCELLED
    assert not Metric.objects.exists()


def test_an_ended_run_cannot_be_cancelled(training: Callable[[Train], None]) -> None:
    training(lambda *_, **__: 1 // 0)
    run = execute(queued_run(make_study()))

    assert run_cancel(run=run).status == RunStatus.ERRORED


def execute_on_a_worker_that_is_stopped(run: TrainingRun, training: Callable[[Train], None]) -> TrainingRun:
    def interrupted(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **callbacks: Any) -> TrainingResult:
        lifecycle.on_worker_shutting_down()
        assert callbacks["should_stop"]()
        raise TrainingCancelled

    lifecycle.on_worker_init()
    try:
        training(interrupted)
        return execute(run)
    finally:
        lifecycle.on_worker_init()


def test_a_stopped_worker_gives_its_run_back(training: Callable[[Train], None], published: list[int]) -> None:
    test = make_study()
    run = execute_on_a_worker_that_is_stopped(queued_run(test, enqueue=False), training)

    assert (run.status, run.message, run.finished_at) == (RunStatus.QUEUED, INTERRUPTED, None)
    assert (run.host, run.n_restarts, published) == ("", 0, [run.pk])

    training(lambda config, snapshot_dir, out_dir, **_: result_of(test, out_dir))
    again = execute(run)
    assert (again.status, again.snapshot) == (RunStatus.DONE, run.snapshot)


def test_a_stopped_workers_run_waits_for_the_broker(training: Callable[[Train], None]) -> None:
    run = execute_on_a_worker_that_is_stopped(queued_run(make_study()), training)

    assert (run.status, run.message) == (RunStatus.QUEUED, NO_BROKER)


def start_worker(queue: str = "gpu") -> None:
    queues = SimpleNamespace(consume_from={queue: None})
    lifecycle.on_worker_ready(sender=SimpleNamespace(app=SimpleNamespace(amqp=SimpleNamespace(queues=queues))))


@pytest.mark.parametrize(("queue", "expected"), [("gpu", 1), ("default", 0)])
def test_a_starting_worker_that_trains_takes_up_what_waits(published: list[int], queue: str, expected: int) -> None:
    run = queued_run(make_study(), enqueue=False)
    start_worker(queue)

    assert published == [run.pk] * expected


def process_that_ended() -> str:
    """The host of a process that was here."""
    process = subprocess.Popen([sys.executable, "-c", ""])  # noqa: S603 -- our own words
    process.wait()
    return f"{socket.gethostname()}:{process.pid}"


def run_on(host: str, **columns: object) -> TrainingRun:
    run = run_claim(run_id=queued_run(make_study(), enqueue=False).pk, host=host)
    assert run is not None
    TrainingRun.objects.filter(pk=run.pk).update(**columns)
    return TrainingRun.objects.get(pk=run.pk)


def test_a_killed_workers_run_goes_on(training: Callable[[Train], None], published: list[int]) -> None:
    run = run_on(process_that_ended(), phase="training", step=7, total_steps=9)
    written = run_directories(run=run) / "checkpoint"
    written.mkdir(parents=True)
    start_worker()
    run.refresh_from_db()

    assert (run.status, run.host, run.message) == (RunStatus.QUEUED, "", INTERRUPTED)
    assert (run.phase, run.step, run.n_restarts, published) == ("", 0, 1, [run.pk])
    assert written.exists()

    training(lambda config, snapshot_dir, out_dir, **_: result_of(run.test, out_dir))
    assert execute(run).status == RunStatus.DONE


def test_a_silent_run_of_a_killed_worker_goes_on_too(published: list[int]) -> None:
    run = run_on(process_that_ended(), heartbeat_at=timezone.now() - 2 * LOST_AFTER)
    start_worker()
    run.refresh_from_db()

    assert (run.status, published) == (RunStatus.QUEUED, [run.pk])


def test_a_killed_child_is_noticed_by_its_worker(published: list[int]) -> None:
    run = run_on(process_that_ended())
    lifecycle.on_task_failure()

    assert published == [run.pk]


def test_retrain_finds_a_killed_workers_run(published: list[int]) -> None:
    run = run_on(process_that_ended())
    found, created = run_request(test=run.test, trigger=RunTrigger.PERSON)

    assert (found.pk, found.status, created, published) == (run.pk, RunStatus.QUEUED, False, [run.pk])


def test_a_run_that_was_being_cancelled_ends_cancelled(published: list[int]) -> None:
    run = run_cancel(run=run_on(process_that_ended()))
    run_directories(run=run).mkdir(parents=True)
    start_worker()
    run.refresh_from_db()

    assert (run.status, run.message, published) == (RunStatus.CANCELLED, "Cancelled.", [])
    assert not run_directories(run=run).exists()


def test_a_run_that_kills_its_workers_is_given_up(published: list[int]) -> None:
    run = run_on(process_that_ended(), n_restarts=MAX_RESTARTS)
    start_worker()
    run.refresh_from_db()

    assert (run.status, run.message, published) == (RunStatus.ERRORED, LOST, [])


@pytest.mark.parametrize("host", [pytest.param(host_name(), id="this process"), "elsewhere:1", "nobody"])
def test_a_run_whose_process_may_live_is_left_alone(published: list[int], host: str) -> None:
    run = run_on(host)
    start_worker()
    run.refresh_from_db()

    assert (run.status, run.host, published) == (RunStatus.RUNNING, host, [])


def test_another_process_with_the_same_number_is_not_the_runs(published: list[int]) -> None:
    before_this_process = datetime.fromtimestamp(psutil.Process().create_time(), UTC) - timedelta(seconds=10)
    run = run_on(host_name(), heartbeat_at=before_this_process)
    start_worker()
    run.refresh_from_db()

    assert (run.status, published) == (RunStatus.QUEUED, [run.pk])
