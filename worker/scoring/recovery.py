"""Scorings that were lost on the way are taken up again, old files go, and the models in use score their pairs."""

import logging
import shutil
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from worker.hosts import is_gone
from worker.model_lists import champions_everywhere
from worker.models import ModelVersion, ScoringJob, ScoringKind, ScoringStatus
from worker.scoring.queueing import scores_follow, scoring_enqueue
from worker.scoring.services import scoring_end, scoring_folder, scoring_release

logger = logging.getLogger(__name__)

# Progress is told every second or so; to open a large model for the first time may take minutes.
LOST_AFTER = timedelta(minutes=10)
# A scoring whose process has died this often may be what the processes die of.
MAX_RESTARTS = 3
# Then the files of a scoring go; the row stays.
KEPT_FOR = timedelta(days=30)
LOST = (
    "The worker of this scoring stopped without a word, again and again. Ask for it anew; if this happens again, look "
    "at the worker's log."
)


def scorings_set_right() -> None:
    """What a starting worker and the hourly look do: no lost message and no killed worker may cost a scoring, and the
    models in use have scored their tests' pairs.
    """
    for job in ScoringJob.objects.filter(status=ScoringStatus.QUEUED).order_by("id"):
        scoring_enqueue(job=job)
    scorings_take_back()
    scorings_clear_up()
    for version in _champions_without_scores():
        scores_follow(version=version)


def scorings_take_back() -> int:
    """Queues and publishes scorings whose process is gone or silent; one that died too often ends errored."""
    held = ScoringJob.objects.filter(status__in=[ScoringStatus.RUNNING, ScoringStatus.CANCELLING])
    return sum(_take_back(job) for job in held.select_related("test") if _is_lost(job))


def scorings_clear_up() -> int:
    """Removes the files of what ended long ago. Returns of how many."""
    old = ScoringJob.objects.filter(finished_at__lt=timezone.now() - KEPT_FOR, files_removed_at=None)
    n_removed = 0
    for job in old:
        if ScoringJob.objects.filter(pk=job.pk, files_removed_at=None).update(files_removed_at=timezone.now()):
            shutil.rmtree(scoring_folder(job), ignore_errors=True)
            n_removed += 1
    return n_removed


def _champions_without_scores() -> list[ModelVersion]:
    """Models in use that never went over their pairs, whatever became of that."""
    tried = set(ScoringJob.objects.filter(kind=ScoringKind.PAIRS).values_list("version_id", flat=True))
    champions = (promotion.version for promotion in champions_everywhere())
    return [version for version in champions if version is not None and version.pk not in tried]


def _is_lost(job: ScoringJob) -> bool:
    if job.heartbeat_at is not None and job.heartbeat_at < timezone.now() - LOST_AFTER:
        return True
    return is_gone(host=job.host, last_sign=job.heartbeat_at)


def _take_back(job: ScoringJob) -> bool:
    if job.n_restarts >= MAX_RESTARTS:
        return scoring_end(job=job, status=ScoringStatus.ERRORED, message=LOST)
    if not scoring_release(job=job, count_restart=True):
        return False
    logger.warning("The process of %s (%s) is gone; it is queued again.", job, job.host)
    transaction.on_commit(partial(scoring_enqueue, job=job))
    return True
