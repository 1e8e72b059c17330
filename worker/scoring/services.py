"""What happens to scorings: asked for, claimed, told about, cancelled, ended.

Each change is a conditional UPDATE, so that two processes that meet at a scoring agree on which of them changed it.
"""

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.roles import Account
from worker.models import (
    ACTIVE_SCORING_STATUSES,
    ModelScore,
    ModelVersion,
    ScoringJob,
    ScoringKind,
    ScoringStatus,
)
from worker.registry import champion_of
from worker.scoring.models_in_use import ModelInUse
from worker.scoring.pair_lists import LARGEST_BYTES, TOO_LARGE, read_list
from worker.scoring.queueing import pairs_scoring_make, scored_pairs, scoring_enqueue

# Of one account that wait or are worked on.
MOST_ACTIVE = 10
INTERRUPTED = "The worker was stopped on the way; the scoring begins anew when it is back, with what it had kept."
NO_PAIRS = "“{title}” has no pairs with a sound yet. Upload clips first."
NO_MODEL = "No tuned model is in use for “{question}” of “{title}”: there is nothing to go over its pairs with."
SUPERSEDED = "Another model is in use by now; its scores take the place of these."
_ROWS_AT_ONCE = 5_000
_QUEUED_AGAIN: dict[str, Any] = {
    "status": ScoringStatus.QUEUED,
    "host": "",
    "phase": "",
    "done": 0,
    "message": INTERRUPTED,
}


class ScoringStopped(Exception):
    """The scoring was cancelled, or is another process's by now, or its worker is asked to stop."""


def list_path(job: ScoringJob) -> Path:
    return scoring_folder(job) / "pairs.csv"


def scores_path(job: ScoringJob) -> Path:
    """The table of scores; there once the scoring is done."""
    return scoring_folder(job) / "scores.csv"


def list_scoring_request(
    *,
    test: ListeningTest,
    question: str,
    model: ModelInUse,
    uuid: UUID,
    requested_by: Account,
    pairs: "File[bytes]",
) -> tuple[ScoringJob, bool]:
    """Keeps a list and queues its scoring; and whether it is new, for a repeat with the same uuid is the same.

    Raises `Refused`, with the rows at fault in its `problems`.
    """
    known = ScoringJob.objects.filter(uuid=uuid, test=test).first()
    if known is not None:
        return known, False
    if pairs.size > LARGEST_BYTES:
        raise Refused(TOO_LARGE)
    _refuse_beyond_limit(requested_by)
    rows = read_list(pairs, test=test)
    job = ScoringJob(
        uuid=uuid,
        test=test,
        kind=ScoringKind.LIST,
        question=question,
        version=model.version,
        base_model="" if model.version else model.model,
        list_name=(pairs.name or "")[:200],
        requested_by_id=requested_by.pk,
        total=len(rows),
    )
    try:
        with transaction.atomic():
            job.save()
            _keep(pairs, list_path(job))
    except IntegrityError:
        # The other click was quicker.
        return ScoringJob.objects.get(uuid=uuid, test=test), False
    transaction.on_commit(partial(scoring_enqueue, job=job))
    return job, True


def pairs_scoring_request(
    *, test: ListeningTest, question: str, requested_by: Account | None = None
) -> tuple[ScoringJob, bool]:
    """Has the model in use go over all pairs of the test. Where it does so already, that is the answer.

    Raises `Refused` where no tuned model is in use, or nothing can be scored.
    """
    version = champion_of(test=test, question=question)
    if version is None:
        raise Refused(NO_MODEL.format(question=question, title=test.title))
    if not scored_pairs(test=test).exists():
        raise Refused(NO_PAIRS.format(title=test.title))
    return pairs_scoring_make(version=version, requested_by=requested_by)


def scoring_claim(*, job_id: int, host: str) -> ScoringJob | None:
    """The scoring, now running on `host`; None where it is not queued any more: another has it, or it was cancelled."""
    now = timezone.now()
    claimed = ScoringJob.objects.filter(pk=job_id, status=ScoringStatus.QUEUED).update(
        status=ScoringStatus.RUNNING, started_at=now, heartbeat_at=now, host=host, phase="opening the model", message=""
    )
    return ScoringJob.objects.select_related("test", "version__run__test").get(pk=job_id) if claimed == 1 else None


def scoring_progress(*, job: ScoringJob, phase: str, done: int, total: int) -> bool:
    """Stores how far it is; False where it is no longer this process's, or is to stop."""
    return _held(job).update(heartbeat_at=timezone.now(), phase=phase, done=done, total=total) == 1


def scoring_cancel(*, job: ScoringJob) -> ScoringJob:
    """A queued one is cancelled at once, a running one within seconds; one that has ended stays as it is."""
    queued = ScoringJob.objects.filter(pk=job.pk, status=ScoringStatus.QUEUED)
    if not queued.update(
        status=ScoringStatus.CANCELLED, finished_at=timezone.now(), message="Cancelled before it began."
    ):
        ScoringJob.objects.filter(pk=job.pk, status=ScoringStatus.RUNNING).update(status=ScoringStatus.CANCELLING)
    job.refresh_from_db()
    return job


def scoring_end(*, job: ScoringJob, status: str, message: str = "", traceback: str = "") -> bool:
    """Ends this process's scoring; False where it is not its own any more."""
    ours = ScoringJob.objects.filter(pk=job.pk, host=job.host, status__in=ACTIVE_SCORING_STATUSES)
    now = timezone.now()
    return ours.update(status=status, message=message, traceback=traceback, finished_at=now) == 1


def scoring_finish(*, job: ScoringJob, scores: Sequence[ModelScore], total: int) -> None:
    """Done, with the scores of the test's pairs in place of those before, where a test's pairs were scored.

    Raises `ScoringStopped` where the scoring was ended or given to another meanwhile.
    """
    with transaction.atomic():
        done = {"status": ScoringStatus.DONE, "finished_at": timezone.now(), "phase": "", "done": total, "total": total}
        if _held(job).update(**done) != 1:
            raise ScoringStopped
        if job.kind == ScoringKind.PAIRS and job.version is not None:
            _store(job.test, job.question, job.version, scores)


def scoring_release(*, job: ScoringJob, count_restart: bool = False) -> bool:
    """Gives a running one back to the queue, because its process is gone or goes; one to be cancelled ends instead."""
    ours = ScoringJob.objects.filter(pk=job.pk, host=job.host)
    restarts = {"n_restarts": F("n_restarts") + 1} if count_restart else {}
    if ours.filter(status=ScoringStatus.RUNNING).update(**_QUEUED_AGAIN, **restarts):
        return True
    cancelled = {"status": ScoringStatus.CANCELLED, "finished_at": timezone.now(), "message": "Cancelled."}
    ours.filter(status=ScoringStatus.CANCELLING).update(**cancelled)
    return False


def scoring_folder(job: ScoringJob) -> Path:
    return Path(settings.MEDIA_ROOT) / "scorings" / str(job.uuid)


def _keep(file: "File[bytes]", path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    file.seek(0)
    with path.open("wb") as kept:
        shutil.copyfileobj(file, kept)


def _held(job: ScoringJob) -> QuerySet[ScoringJob]:
    return ScoringJob.objects.filter(pk=job.pk, status=ScoringStatus.RUNNING, host=job.host)


def _refuse_beyond_limit(account: Account) -> None:
    n_active = ScoringJob.objects.filter(requested_by_id=account.pk, status__in=ACTIVE_SCORING_STATUSES).count()
    if n_active >= MOST_ACTIVE:
        raise Refused(f"{n_active} lists of yours wait to be scored already. Send the next when one is done.")


def _store(test: ListeningTest, question: str, version: ModelVersion, scores: Sequence[ModelScore]) -> None:
    # One change of a test's champion at a time, as in the registry.
    ListeningTest.objects.select_for_update(no_key=True).get(pk=test.pk)
    if champion_of(test=test, question=question) != version:
        return
    ModelScore.objects.filter(version__run__test=test, version__run__question=question).delete()
    ModelScore.objects.bulk_create(scores, batch_size=_ROWS_AT_ONCE)
