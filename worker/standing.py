"""How an installation stands: what waits for somebody to look after it."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from listening_tests.choices import TestStatus
from listening_tests.models import Comparison, ListeningTest, Rating
from worker.models import RunStatus, TrainingRun

# A running run gives a sign every few seconds, and one whose worker died is taken up again sooner.
SILENT_AFTER = timedelta(minutes=5)
# With nothing else to train, a queued run begins at once.
WAITING_AFTER = timedelta(minutes=15)


def people_have_answered() -> bool:
    """Whether there is an answer that was not simulated."""
    return any(table.objects.filter(test__is_simulated=False).exists() for table in (Rating, Comparison))


def open_tests() -> list[str]:
    """The titles of tests that let raters in."""
    return list(ListeningTest.objects.filter(status=TestStatus.OPEN).order_by("id").values_list("title", flat=True))


def silent_runs() -> QuerySet[TrainingRun]:
    """Runs that are being carried out as far as their rows tell, and whose worker has said nothing for long."""
    held = TrainingRun.objects.filter(status__in=[RunStatus.RUNNING, RunStatus.CANCELLING])
    return held.filter(heartbeat_at__lt=timezone.now() - SILENT_AFTER).order_by("id")


def waiting_runs() -> QuerySet[TrainingRun]:
    """Runs that nobody has taken up for long, while nothing else is trained."""
    if TrainingRun.objects.filter(status=RunStatus.RUNNING).exists():
        return TrainingRun.objects.none()
    waiting = TrainingRun.objects.filter(status=RunStatus.QUEUED, created_at__lt=timezone.now() - WAITING_AFTER)
    return waiting.order_by("id")
