"""Runs whose process fell silent, or was thought dead and is not; and messages that the broker lost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from modeling.config import TrainingConfig
from modeling.results import Progress, TrainingResult
from tests.worker.studies import make_study, result_of
from worker import jobs
from worker.hosts import HANGS_AFTER, LOST_AFTER, host_name
from worker.lookout import look
from worker.models import Metric, ModelVersion, RunStatus, RunTrigger, TrainingRun
from worker.run_files import run_directories, run_directory
from worker.services import (
    LOST,
    MAX_RESTARTS,
    run_cancel,
    run_claim,
    run_end_cancelled,
    run_finish,
    run_give_up,
    run_heartbeat,
    run_is_ours,
    run_progress,
    run_release,
    run_request,
    run_snapshot_set,
)
from worker.snapshots import snapshot_create
from worker.tasks import look_at_calendar

pytestmark = pytest.mark.django_db(transaction=True)
ELSEWHERE = "elsewhere:1"


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The runs whose messages a broker, which is there, has taken."""
    taken: list[int] = []
    monkeypatch.setattr("worker.services.run_training.apply_async", lambda args, **_: taken.extend(args))
    return taken


def waiting_run() -> TrainingRun:
    """One that was never asked for, on too little to train on: so nothing takes long."""
    test = make_study(n_heldout=1, n_train=1, ratings_per_pair=1)
    return TrainingRun.objects.create(test=test, preset="small", question=test.questions.get().name)


def claimed_run(host: str = ELSEWHERE, **columns: object) -> TrainingRun:
    """A run as the process `host` knows it, and with these columns in its row."""
    run = run_claim(run_id=waiting_run().pk, host=host)
    assert run is not None
    TrainingRun.objects.filter(pk=run.pk).update(**columns)
    return run


def silent_run(host: str = ELSEWHERE, silent_for: Any = LOST_AFTER, **columns: object) -> TrainingRun:
    return claimed_run(host, heartbeat_at=timezone.now() - silent_for, **columns)


def row_of(run: TrainingRun) -> TrainingRun:
    return TrainingRun.objects.get(pk=run.pk)


def test_it_works(published: list[int]) -> None:
    run = silent_run()
    look(at_messages=False)

    row = row_of(run)
    assert (row.status, row.n_restarts, published) == (RunStatus.QUEUED, 1, [run.pk])
    again = run_claim(run_id=run.pk, host="another:2")
    assert again is not None and (again.status, again.attempt) == (RunStatus.RUNNING, 2)


def test_two_heartbeats_must_fail_to_come(published: list[int]) -> None:
    run = silent_run(silent_for=LOST_AFTER / 2)
    look(at_messages=False)

    assert (row_of(run).status, published) == (RunStatus.RUNNING, [])


def test_a_process_that_is_seen_to_live_may_wait_for_its_database(
    published: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # These tests may be younger than the last sign of life of the process that they stand for.
    monkeypatch.setattr("worker.hosts.CLOCK_MARGIN_S", 3600)
    patient, hanging = silent_run(host_name(), LOST_AFTER * 2), silent_run(host_name(), HANGS_AFTER)
    look(at_messages=False)

    assert (row_of(patient).status, row_of(hanging).status) == (RunStatus.RUNNING, RunStatus.QUEUED)
    assert published == [hanging.pk]


def test_models_that_were_not_compared_are_looked_for_with_lost_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr("worker.lookout.newcomers_compare_missed", lambda: looked.append(True))
    look(at_messages=False)
    assert looked == []
    look(at_messages=True)
    assert looked == [True]


def test_beat_looks_too(published: list[int]) -> None:
    run = silent_run()
    look_at_calendar()

    assert (row_of(run).status, published) == (RunStatus.QUEUED, [run.pk])


def test_retrain_takes_back_too(published: list[int]) -> None:
    run = silent_run()
    found, created = run_request(test=run.test, trigger=RunTrigger.PERSON)

    assert (found.pk, found.status, created, published) == (run.pk, RunStatus.QUEUED, False, [run.pk])


def test_a_run_is_taken_back_so_often_and_no_more(published: list[int]) -> None:
    run = silent_run()
    for _ in range(MAX_RESTARTS):
        look(at_messages=False)
        assert run_claim(run_id=run.pk, host=ELSEWHERE)
        TrainingRun.objects.update(heartbeat_at=timezone.now() - LOST_AFTER)
    look(at_messages=False)

    row = row_of(run)
    assert (row.status, row.message, row.n_restarts) == (RunStatus.ERRORED, LOST, MAX_RESTARTS)
    assert published == [run.pk] * MAX_RESTARTS


def test_a_silent_run_that_was_being_cancelled_ends_cancelled(published: list[int]) -> None:
    run = run_cancel(run=silent_run())
    look(at_messages=False)

    assert (row_of(run).status, published) == (RunStatus.CANCELLED, [])


@pytest.mark.parametrize("n_messages, expected", [(0, 2), (1, 2), (2, 0), (7, 0)])
def test_lost_messages_are_published_again(
    published: list[int], monkeypatch: pytest.MonkeyPatch, n_messages: int, expected: int
) -> None:
    monkeypatch.setattr("worker.services.n_messages", lambda queue: n_messages)
    runs = [waiting_run() for _ in range(2)]
    look(at_messages=True)

    assert published == [run.pk for run in runs][:expected]


def test_without_a_database_the_next_look_may_go_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: Any) -> int:
        raise OperationalError

    monkeypatch.setattr("worker.services.runs_take_back", away)
    look(at_messages=True)


@pytest.fixture
def thought_dead(published: list[int]) -> TrainingRun:
    """A run as a process knows it that fell silent, while another has it by now."""
    run = silent_run()
    look(at_messages=False)
    assert run_claim(run_id=run.pk, host="another:2")
    return run


CHANGES: dict[str, Callable[[TrainingRun], object]] = {
    "snapshot": lambda run: run_snapshot_set(run=run),
    "progress": lambda run: run_progress(run=run, progress=Progress("training", 7, 9)),
    "heartbeat": lambda run: run_heartbeat(run=run),
    "finish": lambda run: run_finish(run=run, status=RunStatus.FAILED, message="No."),
    "release": lambda run: run_release(run=run),
    "discard": lambda run: run_end_cancelled(run=run),
    "give up": lambda run: run_give_up(run=run),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_who_was_thought_dead_changes_nothing(
    thought_dead: TrainingRun, change: Callable[[TrainingRun], object]
) -> None:
    before = TrainingRun.objects.values().get(pk=thought_dead.pk)
    run_directory(run=row_of(thought_dead)).mkdir(parents=True)

    assert not change(thought_dead)
    assert TrainingRun.objects.values().get(pk=thought_dead.pk) == before
    assert run_directory(run=row_of(thought_dead)).exists()
    assert not run_is_ours(run=thought_dead)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nor_while_its_run_waits(published: list[int], change: Callable[[TrainingRun], object]) -> None:
    run = silent_run()
    look(at_messages=False)
    row = row_of(run)

    if change is not CHANGES["finish"] and change is not CHANGES["discard"]:
        assert not change(run)
        assert row_of(run).status == row.status
    assert run_is_ours(run=run) is False


def test_who_was_thought_dead_stores_nothing(thought_dead: TrainingRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **_: Any) -> TrainingResult:
        return result_of(thought_dead.test, out_dir)

    monkeypatch.setattr("worker.jobs.training.train", train)
    jobs.run_carry_out(run=thought_dead)

    row = row_of(thought_dead)
    assert (row.status, row.attempt, row.host) == (RunStatus.RUNNING, 2, "another:2")
    assert not Metric.objects.exists() and not ModelVersion.objects.exists()


def write_checkpoint(run: TrainingRun, name: str, content: bytes = b"weights") -> Path:
    place = run_directory(run=run) / "checkpoint" / name
    place.mkdir(parents=True)
    (place / "network.safetensors").write_bytes(content)
    return place


def execute_and_look(run: TrainingRun, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What the next attempt of a queued run finds in its directory when it begins to train."""
    seen: dict[str, bytes] = {}

    def train(config: TrainingConfig, snapshot_dir: Path, out_dir: Path, **_: Any) -> TrainingResult:
        seen.update(
            {str(path.relative_to(out_dir)): path.read_bytes() for path in out_dir.rglob("*") if path.is_file()}
        )
        return result_of(run.test, out_dir)

    monkeypatch.setattr("worker.jobs.training.train", train)
    jobs.run_execute(run_id=run.pk)
    return seen


def test_each_attempt_writes_into_its_own_directory(published: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    run = silent_run()
    write_checkpoint(run, "epoch-00001-step-000000", b"older")
    theirs = write_checkpoint(run, "epoch-00002-step-000000", b"newest")
    (theirs.parent / ".epoch-00003-step-000000.draft").mkdir()
    look(at_messages=False)
    seen = execute_and_look(run, monkeypatch)

    row = row_of(run)
    assert seen == {"checkpoint/epoch-00002-step-000000/network.safetensors": b"newest"}
    assert (row.status, row.attempt) == (RunStatus.DONE, 2)
    assert row.model_version.directory == f"runs/{run.uuid}/attempt-2/model"
    assert [path.name for path in run_directories(run=run).iterdir()] == ["attempt-2"]


def test_a_run_from_before_attempts_were_counted_goes_on(published: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    run = silent_run(attempt=0)
    run.attempt = 0
    write_checkpoint(run, "epoch-00004-step-000000")
    look(at_messages=False)

    assert execute_and_look(run, monkeypatch) == {"checkpoint/epoch-00004-step-000000/network.safetensors": b"weights"}
    assert row_of(run).status == RunStatus.DONE


def test_a_changed_manifest_is_refused_and_named() -> None:
    run = waiting_run()
    snapshot = snapshot_create(test=run.test)
    TrainingRun.objects.filter(pk=run.pk).update(snapshot=snapshot)
    manifest = Path(settings.MEDIA_ROOT) / snapshot.directory / "manifest.json"
    manifest.write_text(manifest.read_text().replace("20", "21", 1))
    jobs.run_execute(run_id=run.pk)

    row = row_of(run)
    assert (row.status, row.message) == (
        RunStatus.FAILED,
        f"{manifest} was changed since the snapshot was made, or is gone. Start a new run, which makes a new one.",
    )


def test_a_database_that_goes_away_in_training_costs_one_attempt(
    published: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: Any, **__: Any) -> TrainingResult:
        raise OperationalError("the server closed the connection unexpectedly")

    monkeypatch.setattr("worker.jobs.training.train", train)
    run = waiting_run()
    jobs.run_execute(run_id=run.pk)

    row = row_of(run)
    assert (row.status, row.n_restarts, published) == (RunStatus.QUEUED, 1, [run.pk])


def test_what_was_found_waits_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "STORING_PAUSE_S", 0.0)
    store, times = jobs._store, [1, 2, 3]

    def store_at_third_try(*arguments: Any) -> ModelVersion:
        times.pop()
        version = store(*arguments) if times != [1, 2] else None
        if version is None or times:
            # At the second try it is the answer alone that is lost.
            raise OperationalError
        return version

    monkeypatch.setattr(jobs, "_store", store_at_third_try)
    run = waiting_run()
    execute_and_look(run, monkeypatch)

    assert (times, row_of(run).status) == ([], RunStatus.DONE)
    assert ModelVersion.objects.get().challenge


def test_a_full_disk_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: Any, **__: Any) -> TrainingResult:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker.jobs.training.train", train)
    run = waiting_run()
    jobs.run_execute(run_id=run.pk)

    machine = host_name().rpartition(":")[0]
    row = row_of(run)
    assert row.status == RunStatus.ERRORED
    assert row.message == (
        f"The disk of {machine} is full: what the run had found could not be written. Free some space there, then "
        "start the run again."
    )


def test_a_cancel_counts_for_who_has_the_run(thought_dead: TrainingRun) -> None:
    run_cancel(run=row_of(thought_dead))

    assert row_of(thought_dead).status == RunStatus.CANCELLING
    assert not run_end_cancelled(run=thought_dead)
    assert run_end_cancelled(run=row_of(thought_dead))
