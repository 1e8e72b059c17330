"""Uploads of clips in the hands of the workers: published, carried out, taken back from processes that died."""

import logging
import time
import traceback
from datetime import timedelta
from uuid import UUID

from django.core.files import File
from django.db import transaction
from django.utils import timezone

from listening_tests.choices import ClipImportStage, ClipImportStatus, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ClipImport, ListeningTest
from listening_tests.roles import Account
from listening_tests.services.clip_import_work import clip_import_bring_in, clip_import_check, clip_import_unpack
from listening_tests.services.clip_imports import (
    ClipImportStopped,
    clip_import_claim,
    clip_import_correct,
    clip_import_create,
    clip_import_end,
    clip_import_is_held,
    clip_import_progress,
    clip_import_release,
    clip_import_take_in,
    clip_import_wait,
    clip_imports_clear_up,
)
from listening_tests.services.manifest_sounds import CheckedFiles
from worker.heartbeat import lost_connection_outlived
from worker.hosts import host_name, is_gone
from worker.publishing import publish_or_tell
from worker.stopping import stop_requested
from worker.tasks import import_clips

logger = logging.getLogger(__name__)

PROGRESS_EVERY_S = 0.5
# Progress is told with every sound; what has been silent this long has lost its worker.
LOST_AFTER = timedelta(minutes=3)
# An import whose process has died this often may be what the processes die of.
MAX_RESTARTS = 3
NO_BROKER = "The queue cannot be reached just now; the work begins by itself when a worker is back."
LOST = (
    "The worker of this upload stopped without a word, again and again. Upload the sounds anew; if this happens again, "
    "look at the worker's log."
)


def clip_import_upload(
    *,
    test: ListeningTest,
    uuid: UUID,
    requested_by: Account,
    archive: "File[bytes]",
    manifest: "File[bytes] | None" = None,
    allow_silent: bool = False,
) -> tuple[ClipImport, bool]:
    """Keeps an upload and queues its dry run; and whether it is new. Raises Refused."""
    made, is_new = clip_import_create(
        test=test,
        uuid=uuid,
        requested_by=requested_by,
        archive=archive,
        manifest=manifest,
        allow_silent=allow_silent,
    )
    if is_new:
        transaction.on_commit(lambda: clip_import_enqueue(clip_import=made))
    return made, is_new


def clip_import_look_again(*, clip_import: ClipImport, manifest: "File[bytes]") -> ClipImport:
    """Queues a dry run of a corrected manifest over the same sounds. Raises Refused."""
    corrected = clip_import_correct(clip_import=clip_import, manifest=manifest)
    transaction.on_commit(lambda: clip_import_enqueue(clip_import=corrected))
    return corrected


def clip_import_accept(*, clip_import: ClipImport, requested_by: Account) -> ClipImport:
    """Queues what the dry run found nothing wrong with to be taken in. Raises Refused."""
    accepted, changed = clip_import_take_in(clip_import=clip_import, requested_by=requested_by)
    if changed:
        transaction.on_commit(lambda: clip_import_enqueue(clip_import=accepted))
    return accepted


def clip_import_enqueue(*, clip_import: ClipImport) -> bool:
    """Publishes the task. Returns False where the broker is out of reach: the import stays queued and says so."""
    return publish_or_tell(import_clips, clip_import, NO_BROKER)


def clip_import_execute(*, clip_import_id: int) -> None:
    """What the queue asks for. A second delivery, or an import cancelled while it waited, finds nothing to claim."""
    clip_import = clip_import_claim(clip_import_id=clip_import_id, host=host_name())
    if clip_import is None:
        logger.info("Import %d is not queued; there is nothing to do.", clip_import_id)
        return
    try:
        _carry_out(clip_import)
    except ClipImportStopped:
        _give_back(clip_import)
    except Exception as error:
        logger.exception("%s errored.", clip_import)
        message = f"The upload met a fault of Earmark ({type(error).__name__}). Nothing of it came in."
        clip_import_end(
            clip_import=clip_import,
            status=ClipImportStatus.ERRORED,
            message=message,
            traceback=traceback.format_exc(),
        )
    except BaseException:
        _give_back(clip_import)
        raise


def _carry_out(clip_import: ClipImport) -> None:
    files = CheckedFiles()
    reporter = _Reporter(clip_import, files)
    try:
        _refuse_closed(clip_import.test)
        clip_import_unpack(clip_import=clip_import, on_progress=reporter)
    except Refused as refusal:
        clip_import_end(clip_import=clip_import, status=ClipImportStatus.FAILED, message=str(refusal))
        return
    work = clip_import_check if clip_import.stage == ClipImportStage.CHECK else clip_import_bring_in
    try:
        work(clip_import=clip_import, files=files, on_progress=reporter)
    except Refused as refusal:
        clip_import_wait(clip_import=clip_import, message=str(refusal))


def _refuse_closed(test: ListeningTest) -> None:
    if test.status == TestStatus.CLOSED:
        raise Refused(f"The test {test.slug} was closed meanwhile, and takes no more pairs. Upload to another test.")


class _Reporter:
    """Carries progress to the row, and a wish to stop to the work: with every sound."""

    def __init__(self, clip_import: ClipImport, files: CheckedFiles) -> None:
        self.clip_import = clip_import
        self.files = files
        self.phase = ""
        self.told_at = 0.0

    def __call__(self, phase: str, done: int, total: int) -> None:
        if stop_requested():
            raise ClipImportStopped
        now = time.monotonic()
        is_due = phase != self.phase or now - self.told_at >= PROGRESS_EVERY_S
        is_ours = True
        with lost_connection_outlived():
            is_ours = self._tell(phase, done, total) if is_due else clip_import_is_held(clip_import=self.clip_import)
        if not is_ours:
            raise ClipImportStopped
        if is_due:
            self.phase, self.told_at = phase, now

    def _tell(self, phase: str, done: int, total: int) -> bool:
        return clip_import_progress(
            clip_import=self.clip_import,
            phase=phase,
            done=done,
            total=total,
            n_new=len(self.files.new_clips),
            n_stored=len(self.files.reused),
            n_failed=len(self.files.refusals),
        )


def _give_back(clip_import: ClipImport) -> None:
    if clip_import_release(clip_import=clip_import):
        clip_import_enqueue(clip_import=clip_import)


def clip_imports_set_right() -> None:
    """What a starting worker and the hourly look do: no lost message and no killed worker may cost an upload."""
    for clip_import in ClipImport.objects.filter(status=ClipImportStatus.QUEUED).order_by("id"):
        clip_import_enqueue(clip_import=clip_import)
    clip_imports_take_back()
    clip_imports_clear_up()


def clip_imports_take_back() -> int:
    """Queues and publishes imports whose process is gone, or silent for too long; each goes on where it was.

    One that was being cancelled ends cancelled; one that was taken back MAX_RESTARTS times before ends errored.
    """
    held = ClipImport.objects.filter(status__in=[ClipImportStatus.RUNNING, ClipImportStatus.CANCELLING])
    return sum(_take_back(clip_import) for clip_import in held.select_related("test") if _is_lost(clip_import))


def _is_lost(clip_import: ClipImport) -> bool:
    silent_since = clip_import.heartbeat_at
    if silent_since is not None and silent_since < timezone.now() - LOST_AFTER:
        return True
    return is_gone(host=clip_import.host, last_sign=silent_since)


def _take_back(clip_import: ClipImport) -> bool:
    if clip_import.n_restarts >= MAX_RESTARTS:
        return clip_import_end(clip_import=clip_import, status=ClipImportStatus.ERRORED, message=LOST)
    if not clip_import_release(clip_import=clip_import, count_restart=True):
        return False
    logger.warning("The process of %s (%s) is gone; it is queued again.", clip_import, clip_import.host)
    transaction.on_commit(lambda: clip_import_enqueue(clip_import=clip_import))
    return True
