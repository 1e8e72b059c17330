"""Results are asked for, claimed, stored, and end. Each change is a conditional UPDATE, as those of runs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question
from worker.models import ACTIVE_RESULTS_STATUSES, CaptionResult, ComputedResults, PairResult, ResultsStatus
from worker.publishing import publish_or_tell
from worker.results import AnswersRead, answers_now
from worker.tasks import compute_results

# A million ratings take a minute; who has been silent this long has died.
LOST_AFTER = timedelta(minutes=15)
LOST = "The worker that computed these results stopped without a word. Compute them again."
NO_BROKER = "The queue cannot be reached just now. Press Compute again in a minute; what was rated is safe."
_ROWS_AT_ONCE = 5_000


def results_request(*, test: ListeningTest, question: Question, enqueue: bool = True) -> tuple[ComputedResults, bool]:
    """The question's results on their way, and whether this call asked for them: one at a time, whoever asks.

    The task is published after the commit, and again for who asks again: a second delivery finds nothing to claim.
    Raises `Refused` where nothing has been answered.
    """
    if not answers_now(test=test, question=question).n_answers:
        raise Refused(f"Nothing has been answered to “{question.name}” yet. Results need at least one study answer.")
    _end_lost(question)
    results, created = _create_or_find(test, question)
    if enqueue and results.status == ResultsStatus.QUEUED:
        transaction.on_commit(lambda: results_enqueue(results=results))
    return results, created


def results_enqueue(*, results: ComputedResults) -> bool:
    """Publishes the task. Where the broker is out of reach: False, and the row stays queued and says so."""
    return publish_or_tell(compute_results, results, NO_BROKER)


def results_claim(*, results_id: int) -> ComputedResults | None:
    """The results, now running; None where somebody else has them, or they have ended."""
    queued = ComputedResults.objects.filter(pk=results_id, status=ResultsStatus.QUEUED)
    if queued.update(status=ResultsStatus.RUNNING, started_at=timezone.now(), message="") != 1:
        return None
    return ComputedResults.objects.select_related("test", "question").get(pk=results_id)


@transaction.atomic
def results_store(
    *,
    results: ComputedResults,
    read: AnswersRead,
    summary: dict[str, Any],
    pairs: Sequence[PairResult],
    captions: Sequence[CaptionResult],
) -> bool:
    """All of it, in place of the results before. Returns False where these were given up meanwhile."""
    running = ComputedResults.objects.filter(pk=results.pk, status=ResultsStatus.RUNNING)
    stored = running.update(
        status=ResultsStatus.DONE, computed_at=timezone.now(), summary=summary, message="", **vars(read)
    )
    if stored != 1:
        return False
    PairResult.objects.bulk_create(pairs, batch_size=_ROWS_AT_ONCE)
    CaptionResult.objects.bulk_create(captions, batch_size=_ROWS_AT_ONCE)
    ended = ComputedResults.objects.filter(question=results.question).exclude(pk=results.pk)
    ended.exclude(status__in=ACTIVE_RESULTS_STATUSES).delete()
    return True


def results_fail(*, results_id: int, message: str) -> None:
    ComputedResults.objects.filter(pk=results_id, status__in=ACTIVE_RESULTS_STATUSES).update(
        status=ResultsStatus.FAILED, message=message
    )


def _create_or_find(test: ListeningTest, question: Question) -> tuple[ComputedResults, bool]:
    active = ComputedResults.objects.filter(question=question, status__in=ACTIVE_RESULTS_STATUSES)
    found = active.first()
    if found is not None:
        return found, False
    try:
        with transaction.atomic():
            return ComputedResults.objects.create(test=test, question=question), True
    except IntegrityError:
        # Somebody else pressed at the same moment.
        return active.get(), False


def _end_lost(question: Question) -> None:
    running = ComputedResults.objects.filter(question=question, status=ResultsStatus.RUNNING)
    running.filter(started_at__lt=timezone.now() - LOST_AFTER).update(status=ResultsStatus.FAILED, message=LOST)
