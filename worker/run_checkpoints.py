"""What runs leave that did not come to their end: kept to go on from, and cleared away once it is of no use."""

import logging
import shutil

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from listening_tests.exceptions import Refused
from worker.models import ACTIVE_RUN_STATUSES, RunStatus, TrainingRun
from worker.run_files import newest_checkpoint, run_directories
from worker.selectors import run_active, run_by_uuid
from worker.services import QUEUED_AGAIN, run_enqueue

logger = logging.getLogger(__name__)

# Ended, but not in a way that would come again.
CAN_GO_ON = (RunStatus.CANCELLED, RunStatus.ERRORED)
# Of a test's question, so many stay until a run is done.
UNFINISHED_KEPT = 2
NOTHING_KEPT = "{run} has no checkpoint to go on from. Start a new run."
WITHDRAWN = "{run} holds ratings of raters who have withdrawn since, so it cannot go on. Start a new run, without them."
ANOTHER = "{other} of this test is {status} already. Wait for it to end or cancel it; then this one can go on."


def run_go_on(*, run: TrainingRun) -> tuple[TrainingRun, bool]:
    """Queues a cancelled or errored run again, to go on from its checkpoint; and whether this call did it.

    One that is on its way is the answer as it is. Raises `Refused` with a sentence where it cannot go on.
    """
    run = run_by_uuid(uuid=run.uuid)
    if run.is_active:
        return run, False
    _require_can_go_on(run)
    again = QUEUED_AGAIN | {"message": "", "traceback": "", "finished_at": None, "n_restarts": 0}
    try:
        with transaction.atomic():
            changed = TrainingRun.objects.filter(pk=run.pk, status=run.status).update(**again)
    except IntegrityError as error:
        raise _another(run) from error
    run.refresh_from_db()
    if changed:
        transaction.on_commit(lambda: run_enqueue(run=run))
    return run, changed == 1


def can_go_on(*, run: TrainingRun) -> bool:
    """Whether there is something to go on from; `run_go_on` may still refuse."""
    return run.status in CAN_GO_ON and bool(run.checkpoint)


def checkpoints_clear(*, done: TrainingRun) -> int:
    """Removes what earlier runs on the question left unfinished, now that one is done; returns of how many runs."""
    return _clear(_left_unfinished(before=done))


def checkpoints_bound(*, beginning: TrainingRun) -> int:
    """Removes what others on the question left unfinished but for the newest, so that their number is bounded."""
    newest = _left_unfinished(before=beginning).values_list("pk", flat=True)[:UNFINISHED_KEPT]
    return _clear(_left_unfinished(before=beginning).exclude(pk__in=list(newest)))


def _left_unfinished(*, before: TrainingRun) -> QuerySet[TrainingRun]:
    """The newest first."""
    ended = TrainingRun.objects.filter(test=before.test, question=before.question, pk__lt=before.pk, model_version=None)
    return ended.exclude(status__in=ACTIVE_RUN_STATUSES).exclude(checkpoint="").order_by("-pk")


def _clear(runs: QuerySet[TrainingRun]) -> int:
    for run in runs:
        shutil.rmtree(run_directories(run=run), ignore_errors=True)
        TrainingRun.objects.filter(pk=run.pk).update(checkpoint="")
        logger.info("The checkpoint of %s was cleared away.", run)
    return len(runs)


def _require_can_go_on(run: TrainingRun) -> None:
    # Not necessarily the one that its row names: the worker may have died when it had written the next.
    if not can_go_on(run=run) or newest_checkpoint(run=run) is None:
        raise Refused(NOTHING_KEPT.format(run=run))
    if run.n_withdrawn:  # type: ignore[attr-defined]
        raise Refused(WITHDRAWN.format(run=run))
    if run_active(test=run.test) is not None:
        raise _another(run)


def _another(run: TrainingRun) -> Refused:
    other = run_active(test=run.test)
    status = other.get_status_display().lower() if other else "on its way"
    return Refused(ANOTHER.format(other=other or "Another run", status=status))
