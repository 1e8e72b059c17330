"""What happens to training runs: asked for, claimed, told about, cancelled, ended.

Each change is a conditional UPDATE, so that two processes that meet at a run agree on which of them changed it.
"""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from listening_tests.choices import TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question
from worker.celery import GPU_QUEUE
from worker.configuration import config_of_request, preset_of_request
from worker.hosts import is_lost
from worker.models import ACTIVE_RUN_STATUSES, HELD_RUN_STATUSES, RunStatus, RunTrigger, TrainingRun
from worker.publishing import n_messages, publish_or_tell
from worker.run_files import run_directories
from worker.selectors import (
    MIN_HELDOUT_PAIRS,
    counted_study_comparisons,
    counted_study_ratings,
    n_heldout_pairs,
    n_study_answers,
    question_named,
    training_plan,
)
from worker.tasks import run_training

if TYPE_CHECKING:
    from modeling.results import Progress

logger = logging.getLogger(__name__)

# A run whose process has died this often is not tried again: it may be what the processes die of.
MAX_RESTARTS = 3
NO_BROKER = "The queue cannot be reached just now; the run starts by itself when a worker is back."
LOST = "The worker of this run stopped without a word. Start the run again; if this happens again, look at its log."
INTERRUPTED = "The worker was stopped during the run; it goes on when the worker is back."
CANCELLED_ON_ITS_WAY = "Cancelled. What it had learned is kept in its checkpoint, from which it can go on."
# The columns of a run that goes back to the queue.
QUEUED_AGAIN: dict[str, Any] = {
    "status": RunStatus.QUEUED,
    "host": "",
    "phase": "",
    "step": 0,
    "total_steps": 0,
    "message": INTERRUPTED,
    "seconds_left": None,
}


def run_request(
    *,
    test: ListeningTest,
    trigger: str,
    requested_by: AbstractBaseUser | None = None,
    preset: str = "",
    config_file: Path | None = None,
    question: str = "",
    knobs: Mapping[str, Any] | None = None,
    enqueue: bool = True,
) -> tuple[TrainingRun, bool]:
    """The test's queued run, and whether it was made by this call: where one is active, that one is the answer.

    The preset is the given one, else the test's plan's, else the installation's; the settings of `config_file`, then
    those of `knobs`, are laid over it. The question is the one that is named, else that of `config_file`, else the
    plan's, else the test's first. The task is published after the commit. Raises `Refused` for too little data, and
    `SettingsRefused` with all that is wrong with the settings.
    """
    if test.pilot_of_id is not None:
        raise Refused(f"“{test.title}” is a pilot: nothing is learned from its simulated raters. Train on a real test.")
    runs_take_back(test=test)
    active = TrainingRun.objects.filter(test=test, status__in=ACTIVE_RUN_STATUSES).first()
    if active is not None:
        return active, False
    preset = preset_of_request(test=test, preset=preset)
    config = config_of_request(preset=preset, config_file=config_file, knobs=knobs)
    asked = question_named(test=test, name=question or config["question"] or training_plan(test=test).question)
    _require_enough_data(test, asked)
    values = {
        "trigger": RunTrigger(trigger),
        "requested_by": requested_by,
        "preset": preset,
        "question": asked.name,
        "config": config | {"question": asked.name},
        "seed": config["seed"],
        "n_ratings_at_start": n_study_answers(test=test, question=asked),
    }
    run, created = _create_or_find(test, values)
    if created and enqueue:
        transaction.on_commit(lambda: run_enqueue(run=run))
    return run, created


def run_enqueue(*, run: TrainingRun) -> bool:
    """Publishes the run's task. Returns False where the broker is out of reach: the run stays queued and says so."""
    is_published = publish_or_tell(run_training, run, NO_BROKER)
    if not is_published:
        run.message = NO_BROKER
    return is_published


def run_claim(*, run_id: int, host: str) -> TrainingRun | None:
    """The run, now running on `host`; None where it is not queued any more: another has it, or it was cancelled.

    What the claiming process does to the run from here on is done under its attempt's number: taken back and claimed
    anew, the run is deaf to a process that was thought dead and is not.
    """
    now = timezone.now()
    with transaction.atomic():
        claimed = TrainingRun.objects.filter(pk=run_id, status=RunStatus.QUEUED).update(
            status=RunStatus.RUNNING,
            started_at=now,
            heartbeat_at=now,
            host=host,
            attempt=F("attempt") + 1,
            phase="snapshot",
            message="",
        )
        return TrainingRun.objects.select_related("test").get(pk=run_id) if claimed == 1 else None


def run_cancel(*, run: TrainingRun) -> TrainingRun:
    """A queued run is cancelled at once, a running one within one training step; an ended one stays as it is."""
    queued = TrainingRun.objects.filter(pk=run.pk, status=RunStatus.QUEUED)
    message = CANCELLED_ON_ITS_WAY if run.checkpoint else "Cancelled before it began."
    if not queued.update(status=RunStatus.CANCELLED, finished_at=timezone.now(), message=message):
        TrainingRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(status=RunStatus.CANCELLING)
    run.refresh_from_db()
    return run


def run_is_ours(*, run: TrainingRun) -> bool:
    """Whether the process that claimed `run` is to go on: nobody has cancelled it, ended it or taken it back."""
    return _as_claimed(run).filter(status=RunStatus.RUNNING).exists()


def run_progress(*, run: TrainingRun, progress: "Progress") -> None:
    """Stores where the run is. One that has ended, or that another process has by now, is left alone."""
    _as_claimed(run).update(
        heartbeat_at=timezone.now(),
        phase=progress.phase,
        step=progress.step,
        total_steps=progress.total_steps,
        loss=progress.loss,
        seconds_left=progress.seconds_left,
    )


def run_snapshot_set(*, run: TrainingRun) -> bool:
    """Keeps what the run trains on; False where it has ended, or another process has it by now."""
    return _as_claimed(run).update(snapshot=run.snapshot) == 1


def run_heartbeat(*, run: TrainingRun) -> None:
    _as_claimed(run).update(heartbeat_at=timezone.now())


def run_finish(*, run: TrainingRun, status: str, message: str = "", traceback: str = "") -> bool:
    """Ends an active run in a terminal status; False where it had ended before, or another process has it by now."""
    active = TrainingRun.objects.filter(pk=run.pk, attempt=run.attempt, status__in=ACTIVE_RUN_STATUSES)
    now = timezone.now()
    return active.update(status=status, message=message, traceback=traceback, finished_at=now, seconds_left=None) == 1


def run_release(*, run: TrainingRun) -> bool:
    """Gives a running run back to the queue, because its worker is being stopped; a cancelled one ends instead."""
    return _as_claimed(run).filter(status=RunStatus.RUNNING).update(**QUEUED_AGAIN) == 1


def run_end_cancelled(*, run: TrainingRun) -> bool:
    """Ends a run that was cancelled; False where it had ended before. What it had learned stays in its checkpoint."""
    learned = TrainingRun.objects.filter(pk=run.pk).exclude(checkpoint="").exists()
    message = CANCELLED_ON_ITS_WAY if learned else "Cancelled."
    has_ended = run_finish(run=run, status=RunStatus.CANCELLED, message=message)
    if has_ended and not learned:
        # One that had ended before may be done: its model is there, and in use perhaps.
        shutil.rmtree(run_directories(run=run), ignore_errors=True)
    return has_ended


def runs_set_right() -> None:
    """What a starting worker, the lookout of every worker that trains and beat's look of every minute do: no lost
    message and no worker that died may cost a run.
    """
    runs_enqueue_again()
    runs_take_back()


def runs_take_back(*, test: ListeningTest | None = None) -> int:
    """Queues and publishes the runs that have lost their process (see `hosts.is_lost`); each goes on from its last
    checkpoint, on whichever worker takes it first.

    A run that was being cancelled ends cancelled; one that was taken back MAX_RESTARTS times before ends as lost.
    """
    held = TrainingRun.objects.filter(status__in=HELD_RUN_STATUSES)
    held = held if test is None else held.filter(test=test)
    lost = (run for run in held if is_lost(host=run.host, last_sign=run.heartbeat_at))
    # As it was found, so that a sign of life that came meanwhile counts.
    return sum(_take_back(run, _as_claimed(run).filter(heartbeat_at=run.heartbeat_at)) for run in lost)


def run_give_up(*, run: TrainingRun) -> bool:
    """As `runs_take_back`, by the very process that cannot go on; False where it does not hold the run any more."""
    return _take_back(run, _as_claimed(run))


def runs_enqueue_again() -> int:
    """Publishes the queued runs once more where the broker has fewer messages than there are: some were lost.

    A run that gets two messages runs once, for the second finds it claimed.
    """
    queued = list(TrainingRun.objects.filter(status=RunStatus.QUEUED).order_by("id"))
    if not queued or n_messages(GPU_QUEUE) >= len(queued):
        return 0
    return sum(run_enqueue(run=run) for run in queued)


def _as_claimed(run: TrainingRun) -> QuerySet[TrainingRun]:
    """The run's row as long as the process that claimed `run` holds it."""
    return TrainingRun.objects.filter(pk=run.pk, attempt=run.attempt, status__in=HELD_RUN_STATUSES)


def _take_back(run: TrainingRun, unchanged: QuerySet[TrainingRun]) -> bool:
    """Of two who find a lost run one takes it back: who still finds it `unchanged`."""
    if run.status == RunStatus.CANCELLING:
        return run_end_cancelled(run=run)
    if run.n_restarts >= MAX_RESTARTS:
        return run_finish(run=run, status=RunStatus.ERRORED, message=LOST)
    if unchanged.filter(status=RunStatus.RUNNING).update(**QUEUED_AGAIN, n_restarts=F("n_restarts") + 1) == 0:
        return False
    logger.warning("The process of %s (%s) is gone; it is queued again.", run, run.host)
    transaction.on_commit(lambda: run_enqueue(run=run))
    return True


def _create_or_find(test: ListeningTest, values: dict[str, Any]) -> tuple[TrainingRun, bool]:
    try:
        with transaction.atomic():
            return TrainingRun.objects.create(test=test, **values), True
    except IntegrityError:
        # The other click was quicker.
        return TrainingRun.objects.get(test=test, status__in=ACTIVE_RUN_STATUSES), False


def _require_enough_data(test: ListeningTest, question: Question) -> None:
    if not _has_counted_answers(test, question):
        noun = "comparisons" if test.kind == TestKind.COMPARISON else "ratings"
        about = f" on the question {question.name}" if test.questions.count() > 1 else ""
        raise Refused(
            f"“{test.title}” has no {noun} of study pairs yet{about}. Training needs some: let raters in first."
        )
    n_pairs = n_heldout_pairs(test=test, question=question)
    if n_pairs < MIN_HELDOUT_PAIRS:
        raise Refused(
            f"“{test.title}” has {n_pairs} rated pairs that are held out for measuring; training needs at least "
            f"{MIN_HELDOUT_PAIRS}. About one caption in five is held out: collect ratings on more captions."
        )


def _has_counted_answers(test: ListeningTest, question: Question) -> bool:
    if test.kind == TestKind.COMPARISON:
        return counted_study_comparisons(test=test, question=question).exists()
    return counted_study_ratings(test=test, question=question).exists()
