"""What a run tells while it trains: points, log, costs; and what is kept of one that did not come to its end."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from listening_tests.choices import WithdrawnRatings
from listening_tests.exceptions import Refused
from listening_tests.models import Rater, Withdrawal
from modeling.config import TrainingConfig
from modeling.device_use import MemoryUse
from modeling.results import MeasuredPoint, Progress, TrainingCancelled, TrainingResult
from tests.worker.studies import make_study, queued_run, result_of
from worker import jobs
from worker.code_version import code_version
from worker.models import RunStatus, TrainingPoint, TrainingRun
from worker.run_checkpoints import can_go_on, checkpoints_bound, checkpoints_clear, run_go_on
from worker.run_costs import run_measured
from worker.run_files import run_directories, run_directory
from worker.run_log import MOST_LINES, RunLog, run_log, run_log_add
from worker.run_points import MOST_EPOCHS, MOST_STEPS, points_forget, points_store, run_points, stride
from worker.services import CANCELLED_ON_ITS_WAY, run_cancel

pytestmark = pytest.mark.django_db(transaction=True)
Train = Callable[..., TrainingResult]


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Callable[[Train], None]:
    """Puts another training in the place of the real one, which takes minutes."""
    return lambda train: monkeypatch.setattr("worker.jobs.training.train", train)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    taken: list[int] = []
    monkeypatch.setattr("worker.services.run_training.apply_async", lambda args, **_: taken.extend(args))
    return taken


def execute(run: TrainingRun) -> TrainingRun:
    jobs.run_execute(run_id=run.pk)
    return TrainingRun.objects.get(pk=run.pk)


def write_checkpoint(out_dir: Path, name: str = "epoch-00001-step-000000") -> None:
    (out_dir / "checkpoint" / name).mkdir(parents=True)


def texts(run: TrainingRun) -> list[str]:
    return [line.text for line in run_log(run=run)]


def test_it_works(training: Callable[[Train], None]) -> None:
    test = make_study()
    during: list[TrainingRun] = []

    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **told: Any) -> TrainingResult:
        told["on_point"](MeasuredPoint(0, 4, 0, 2, validation=0.1))
        for step in (1, 2):
            told["on_point"](MeasuredPoint(step, 4, 0, 2, loss=1 / step))
        logging.getLogger("modeling.checkpoint").warning("The checkpoint cannot be written.")
        told["on_point"](MeasuredPoint(2, 4, 1, 2, loss=0.5, validation=0.25))
        write_checkpoint(out_dir)
        told["on_progress"](Progress("training", 2, 4, loss=0.5))
        during.append(TrainingRun.objects.get())
        (out_dir / "checkpoint/epoch-00001-step-000000").rmdir()
        return result_of(test, out_dir)

    training(train)
    run = execute(queued_run(test))

    assert [(point.step, point.epoch, point.loss, point.validation) for point in run_points(run=run)] == [
        (0, 0, None, 0.1),
        (1, 0, 1.0, None),
        (2, 1, 0.5, 0.25),
    ]
    assert texts(run) == [
        f"Begins on {run.device}, {code_version()}.",
        "After epoch 0 of 2, step 0: validation 0.100.",
        "The checkpoint cannot be written.",
        "After epoch 1 of 2, step 2: validation 0.250, loss 0.5000.",
        "Trains.",
    ]
    assert [line.is_warning for line in run_log(run=run)] == [False, False, True, False, False]
    place = run_directory(run=run).relative_to(settings.MEDIA_ROOT) / "checkpoint/epoch-00001-step-000000"
    assert (during[0].checkpoint, run.checkpoint) == (str(place), "")
    assert run.seed == run.config["seed"]
    assert run.is_on_gpu is not None and run.code_version.startswith("commit ")
    assert 0 < during[0].device_seconds < run.device_seconds
    assert run.memory_bytes and run.peak_memory_bytes and run.peak_memory_bytes >= run.memory_bytes


def test_costs_are_summed_over_workers_and_peaks_kept() -> None:
    run = queued_run(make_study())
    run_measured(run=run, seconds=2.5, memory=MemoryUse(7 * 2**30, 30, 50 * 2**30, 90 * 2**30), checkpoint="")
    run_measured(run=run, seconds=4.0, memory=MemoryUse(6 * 2**30, 20, 40 * 2**30, 90 * 2**30), checkpoint="runs/a")
    run.refresh_from_db()

    assert (run.memory_bytes, run.peak_memory_bytes) == (6 * 2**30, 7 * 2**30)
    of_gpu = (run.gpu_memory_bytes, run.peak_gpu_memory_bytes, run.gpu_memory_total_bytes)
    assert of_gpu == (20, 50 * 2**30, 90 * 2**30)
    run_measured(run=run, seconds=1.0, memory=MemoryUse(100), checkpoint="runs/a")
    run.refresh_from_db()
    assert (run.peak_memory_bytes, run.peak_gpu_memory_bytes) == (7 * 2**30, 50 * 2**30)
    assert run.device_seconds == 7.5
    assert run.checkpoint == "runs/a"


def test_a_process_that_lost_its_run_tells_nothing_more() -> None:
    run = queued_run(make_study())
    TrainingRun.objects.filter(pk=run.pk).update(attempt=run.attempt + 1)

    assert not run_measured(run=run, seconds=2.5, memory=MemoryUse(700), checkpoint="runs/a")
    run.refresh_from_db()
    assert (run.device_seconds, run.memory_bytes, run.checkpoint) == (0, None, "")


@pytest.mark.parametrize(("n", "expected"), [(0, 1), (400, 1), (401, 2), (802, 4), (6000, 16)])
def test_a_stride_is_the_least_power_of_two_that_keeps_few(n: int, expected: int) -> None:
    assert stride(n, 400) == expected
    assert n // expected <= 400


def test_a_long_run_keeps_some_500_points_evenly_spread() -> None:
    run = queued_run(make_study())
    n_steps, per_epoch = 5000, 10
    for start in range(0, n_steps, 500):
        taken = range(start + 1, start + 501)
        points = [MeasuredPoint(step, n_steps, (step - 1) // per_epoch, 500, loss=1.0) for step in taken]
        ends = [
            MeasuredPoint(step, n_steps, step // per_epoch, 500, loss=1.0, validation=0.5)
            for step in taken
            if step % per_epoch == 0
        ]
        points_store(run_id=run.pk, points=sorted([*points, *ends], key=lambda point: (point.step, point.epoch)))

    kept = run_points(run=run)
    steps = [point.step for point in kept if point.validation is None]
    assert len(kept) <= MOST_STEPS + MOST_EPOCHS
    assert steps == [step for step in range(16, n_steps + 1, 16) if step % per_epoch]
    assert [point.epoch for point in kept if point.validation is not None] == list(range(8, 501, 8))


def test_a_run_that_goes_on_has_no_step_twice(training: Callable[[Train], None]) -> None:
    test = make_study()
    run = queued_run(test)
    points_store(run_id=run.pk, points=[MeasuredPoint(step, 9, 0, 3, loss=9.0) for step in range(1, 6)])

    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **told: Any) -> TrainingResult:
        told["on_point"](MeasuredPoint(3, 9, 0, 3, loss=1.0))
        return result_of(test, out_dir)

    training(train)
    execute(run)

    assert [(point.step, point.loss) for point in run_points(run=run)] == [(1, 9.0), (2, 9.0), (3, 1.0)]
    assert "Goes on from its checkpoint, at step 3 of 9." in texts(run)
    points_forget(run_id=run.pk, from_step=0)
    assert not TrainingPoint.objects.exists()


def test_a_log_keeps_its_last_lines_each_on_one_line() -> None:
    run = queued_run(make_study())
    log = RunLog(run.pk)
    for number in range(MOST_LINES + 2):
        log.note(f"Line\n{number} " + "x" * 600)
        if number == 100:
            log.store()
    log.store()
    run_log_add(run_id=run.pk, text="Line 202")

    lines = run_log(run=run)
    assert len(lines) == MOST_LINES
    assert lines[0].text.startswith("Line 3 xxx") and len(lines[0].text) == 500
    assert [line.text[:8] for line in run_log(run=run, last=2)] == ["Line 201", "Line 202"]


def cancelled_run(training: Callable[[Train], None]) -> TrainingRun:
    """One that was cancelled after it had written a checkpoint."""

    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **told: Any) -> TrainingResult:
        told["on_point"](MeasuredPoint(1, 9, 0, 3, loss=1.0))
        run_cancel(run=TrainingRun.objects.get(status=RunStatus.RUNNING))
        assert told["should_stop"]()
        write_checkpoint(out_dir)
        raise TrainingCancelled

    training(train)
    return execute(queued_run(make_study()))


def test_a_cancelled_run_keeps_its_checkpoint_and_goes_on(
    training: Callable[[Train], None], published: list[int]
) -> None:
    run = cancelled_run(training)
    assert (run.status, run.message) == (RunStatus.CANCELLED, CANCELLED_ON_ITS_WAY)
    assert (Path(settings.MEDIA_ROOT) / run.checkpoint).is_dir()
    assert can_go_on(run=run)
    assert texts(run)[-1] == "Stopped after step 1. Its checkpoint is kept."
    cost, published[:] = run.device_seconds, []

    answers = [run_go_on(run=run), run_go_on(run=run)]

    assert [(again.status, again.finished_at, changed) for again, changed in answers] == [
        (RunStatus.QUEUED, None, True),
        (RunStatus.QUEUED, None, False),
    ]
    assert published == [run.pk]
    snapshot = run.snapshot

    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **told: Any) -> TrainingResult:
        assert list((out_dir / "checkpoint").iterdir())
        return result_of(run.test, out_dir)

    training(train)
    done = execute(run)
    assert (done.status, done.snapshot) == (RunStatus.DONE, snapshot)
    assert done.device_seconds > cost


def test_without_a_checkpoint_nothing_goes_on(training: Callable[[Train], None]) -> None:
    run = run_cancel(run=queued_run(make_study()))
    with pytest.raises(Refused) as refusal:
        run_go_on(run=run)

    assert str(refusal.value) == f"{run} has no checkpoint to go on from. Start a new run."
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


def test_a_checkpoint_that_is_gone_is_no_checkpoint(training: Callable[[Train], None]) -> None:
    run = cancelled_run(training)
    (Path(settings.MEDIA_ROOT) / run.checkpoint).rmdir()
    with pytest.raises(Refused, match="has no checkpoint to go on from"):
        run_go_on(run=run)


def test_beside_another_run_nothing_goes_on(training: Callable[[Train], None], published: list[int]) -> None:
    run = cancelled_run(training)
    other = queued_run(run.test)
    with pytest.raises(Refused) as refusal:
        run_go_on(run=run)

    assert str(refusal.value) == (
        f"{other} of this test is queued already. Wait for it to end or cancel it; then this one can go on."
    )


def test_with_ratings_of_who_withdrew_nothing_goes_on(training: Callable[[Train], None]) -> None:
    run = cancelled_run(training)
    assert run.snapshot is not None
    withdrawal = Withdrawal.objects.create(
        test=run.test,
        rater=Rater.objects.create(),
        treatment=WithdrawnRatings.DELETE,
        n_ratings=7,
        first_rated_at=run.snapshot.created_at - timedelta(days=1),
    )
    assert withdrawal.created_at > run.snapshot.created_at
    with pytest.raises(Refused) as refusal:
        run_go_on(run=run)

    assert str(refusal.value) == (
        f"{run} holds ratings of raters who have withdrawn since, so it cannot go on. Start a new run, without them."
    )
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


def test_of_many_that_are_unfinished_the_newest_stay_when_another_begins() -> None:
    test, runs = make_study(), []
    for _ in range(4):
        run = run_cancel(run=queued_run(test))
        write_checkpoint(run_directory(run=run))
        TrainingRun.objects.filter(pk=run.pk).update(checkpoint="some")
        runs.append(run)

    assert checkpoints_bound(beginning=queued_run(test)) == 2
    kept = list(TrainingRun.objects.exclude(checkpoint="").order_by("pk"))
    assert kept == runs[2:]
    assert [run_directories(run=run).exists() for run in runs] == [False, False, True, True]


def test_what_was_left_unfinished_goes_when_a_later_run_is_done(
    training: Callable[[Train], None], published: list[int]
) -> None:
    run = cancelled_run(training)
    training(lambda config, snapshot_dir, out_dir, **_: result_of(run.test, out_dir))
    done = execute(queued_run(run.test))
    run.refresh_from_db()

    assert (done.status, run.checkpoint) == (RunStatus.DONE, "")
    assert not run_directories(run=run).exists()
    assert run_directories(run=done).exists()
    assert not can_go_on(run=run)
    assert checkpoints_clear(done=done) == 0
