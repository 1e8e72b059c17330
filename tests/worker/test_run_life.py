"""A run from its claim to its end, through `run_execute`, which is what the queue calls."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from modeling.config import TrainingConfig
from modeling.results import Progress, TrainingCancelled, TrainingRefused, TrainingResult
from tests.worker.studies import make_study, queued_run, result_of
from worker import jobs, lifecycle
from worker.models import Metric, ModelVersion, Prediction, RunStatus, TrainingRun
from worker.services import INTERRUPTED, LOST_AFTER, NO_BROKER, run_cancel, run_claim, runs_mark_lost

pytestmark = pytest.mark.django_db(transaction=True)
Train = Callable[..., TrainingResult]


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Callable[[Train], None]:
    """Puts another training in the place of the real one, which takes minutes."""
    return lambda train: monkeypatch.setattr("worker.jobs.training.train", train)


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

    assert seen == [12, True, RunStatus.RUNNING, "training", 3, 9, 0.25, 12.0]
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
    assert not jobs.run_directory(run=run).exists()


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


def test_a_stopped_worker_gives_its_run_back(training: Callable[[Train], None]) -> None:
    test = make_study()

    def interrupted(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **callbacks: Any) -> TrainingResult:
        lifecycle.on_worker_shutting_down()
        assert callbacks["should_stop"]()
        raise TrainingCancelled

    lifecycle.on_worker_init()
    try:
        training(interrupted)
        run = execute(queued_run(test))
    finally:
        lifecycle.on_worker_init()

    # Its message is published at once; with no broker here, it says that it waits.
    assert (run.status, run.message, run.finished_at) == (RunStatus.QUEUED, NO_BROKER, None)
    assert INTERRUPTED != NO_BROKER

    training(lambda config, snapshot_dir, out_dir, **_: result_of(test, out_dir))
    again = execute(run)
    assert (again.status, again.snapshot) == (RunStatus.DONE, run.snapshot)


def test_a_silent_run_is_lost_and_blocks_nothing(training: Callable[[Train], None]) -> None:
    test = make_study()
    run = run_claim(run_id=queued_run(test).pk, host="elsewhere:1")
    assert run is not None and runs_mark_lost() == 0

    TrainingRun.objects.update(heartbeat_at=run.heartbeat_at - LOST_AFTER * 2)
    other = queued_run(test)

    run.refresh_from_db()
    assert run.status == RunStatus.ERRORED
    assert run.message.startswith("The worker of this run stopped without a word.")
    assert other.pk != run.pk


@pytest.mark.parametrize(("queue", "expected"), [("gpu", 1), ("default", 0)])
def test_a_starting_worker_that_trains_takes_up_what_waits(
    monkeypatch: pytest.MonkeyPatch, queue: str, expected: int
) -> None:
    run = queued_run(make_study())
    published: list[int] = []
    monkeypatch.setattr("worker.services.run_training.apply_async", lambda args, **_: published.extend(args))
    queues = SimpleNamespace(consume_from={queue: None})
    lifecycle.on_worker_ready(sender=SimpleNamespace(app=SimpleNamespace(amqp=SimpleNamespace(queues=queues))))

    assert published == [run.pk] * expected
