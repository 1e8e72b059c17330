"""Tests that open and close on a date by themselves: looked at every minute."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from listening_tests.choices import AuditedAction, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.services.audit import audit_note
from listening_tests.services.test_status import NotReady, test_close, test_open

logger = logging.getLogger(__name__)


def calendar_look(*, now: datetime | None = None) -> list[ListeningTest]:
    """Opens the drafts and closes the tests whose time has come. Returns those that were opened or closed.

    A draft that cannot be opened stays one, says why (`opening_refused`), and waits for another date: to try each
    minute would let raters in at a moment that nobody chose.
    """
    now = now or timezone.now()
    opening = ListeningTest.objects.filter(status=TestStatus.DRAFT, opens_at__lte=now)
    closing = ListeningTest.objects.filter(status__in=[TestStatus.OPEN, TestStatus.PAUSED], closes_at__lte=now)
    due = [(pk, _open) for pk in opening.values_list("pk", flat=True)]
    due += [(pk, _close) for pk in closing.values_list("pk", flat=True)]
    return [changed for pk, act in due if (changed := act(pk, now)) is not None]


@transaction.atomic
def _open(pk: int, now: datetime) -> ListeningTest | None:
    # Of two looks at once the second passes by what the first has in hand.
    due = ListeningTest.objects.filter(pk=pk, status=TestStatus.DRAFT, opens_at__lte=now)
    test = due.select_for_update(no_key=True, skip_locked=True).first()
    if test is None:
        return None
    try:
        opened = test_open(test=test, force=test.opens_forced)
    except Refused as refusal:
        _say_why(test, refusal)
        return None
    audit_note(
        user=None, test=opened, action=AuditedAction.OPENED, detail=f"On its date, {test.opens_at:%Y-%m-%d %H:%M} UTC."
    )
    return opened


def _say_why(test: ListeningTest, refusal: Refused) -> None:
    told = " ".join(found.sentence for found in refusal.shortcomings) if isinstance(refusal, NotReady) else str(refusal)
    date = f"{test.opens_at:%Y-%m-%d %H:%M} UTC"
    ListeningTest.objects.filter(pk=test.pk).update(
        opens_at=None,
        opening_refused=f"It was to be opened on {date}, and was not. {told} Set another date, or open it by hand.",
    )
    audit_note(user=None, test=test, action=AuditedAction.CHANGED, detail=f"Not opened on its date, {date}: {told}")
    logger.warning("The test %s was not opened on its date: %s", test.slug, told)


@transaction.atomic
def _close(pk: int, now: datetime) -> ListeningTest | None:
    due = ListeningTest.objects.filter(pk=pk, status__in=[TestStatus.OPEN, TestStatus.PAUSED], closes_at__lte=now)
    test = due.select_for_update(no_key=True, skip_locked=True).first()
    if test is None:
        return None
    detail = f"On its date, {test.closes_at:%Y-%m-%d %H:%M} UTC."
    closed = test_close(test=test)
    audit_note(user=None, test=closed, action=AuditedAction.CLOSED, detail=detail)
    return closed
