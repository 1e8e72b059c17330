"""Tests that open and close on a date."""

from datetime import timedelta

import pytest
from django.utils import timezone

from listening_tests.choices import AuditedAction, PairRole, TestStatus
from listening_tests.models import AuditEntry, ListeningTest
from listening_tests.services.calendar import calendar_look
from listening_tests.services.locks import ChangeRefused, test_change
from listening_tests.services.test_status import test_open
from tests.factories import make_pair, make_pairs, make_test
from worker.tasks import look_at_calendar

for service in (test_change, test_open):
    service.__test__ = False  # type: ignore[attr-defined]
pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def make_draft(**fields: object) -> ListeningTest:
    values = {"slug": "trial", "contact_email": "lab@example.org", "pairs_per_session": 2} | fields
    test = make_test(status=TestStatus.DRAFT, **values)
    make_pairs(test, 2)
    make_pair(test, role=PairRole.PRACTICE)
    return test


def status_of(test: ListeningTest) -> str:
    test.refresh_from_db()
    return test.status


def test_it_works() -> None:
    now = timezone.now()
    test = make_draft(opens_at=now + HOUR, closes_at=now + 3 * HOUR)
    make_draft(slug="without-a-date")
    assert calendar_look(now=now) == []

    assert calendar_look(now=now + 2 * HOUR) == [test]
    assert (status_of(test), test.opens_at) == (TestStatus.OPEN, None)
    assert calendar_look(now=now + 2 * HOUR) == []
    assert calendar_look(now=now + 4 * HOUR) == [test]
    assert (status_of(test), test.closes_at) == (TestStatus.CLOSED, None)
    entries = AuditEntry.objects.order_by("pk").values_list("action", "username")
    assert list(entries) == [(AuditedAction.OPENED, ""), (AuditedAction.CLOSED, "")]


def test_what_cannot_be_opened_says_why_once() -> None:
    date = timezone.now() - HOUR
    test = make_draft(opens_at=date, contact_email="")

    look_at_calendar()
    look_at_calendar()

    assert (status_of(test), test.opens_at) == (TestStatus.DRAFT, None)
    lack = "It has no contact address, so a rater with a problem can reach nobody. Write one on its page."
    assert test.opening_refused == (
        f"It was to be opened on {date:%Y-%m-%d %H:%M} UTC, and was not. {lack} Set another date, or open it by hand."
    )
    entry = AuditEntry.objects.get()
    assert entry.detail == f"Not opened on its date, {date:%Y-%m-%d %H:%M} UTC: {lack}"
    test_open(test=test, force=True)
    assert (status_of(test), test.opening_refused) == (TestStatus.OPEN, "")


def test_by_force_what_is_advised_may_be_missing() -> None:
    test = make_draft(opens_at=timezone.now() - HOUR, opens_forced=True, contact_email="")
    calendar_look()
    assert status_of(test) == TestStatus.OPEN


def test_it_does_not_close_before_it_opens() -> None:
    test, now = make_draft(), timezone.now()
    with pytest.raises(ChangeRefused) as refused:
        test_change(test=test, changes={"opens_at": now + HOUR, "closes_at": now})
    sentence = "The test would close before it opens. Choose a later date, or leave it empty."
    assert refused.value.faults == {"closes_at": sentence}
    test.refresh_from_db()
    assert test.opens_at is None
