"""Notices by e-mail: what is told, to whom, once; and a mail server that fails."""

from collections.abc import Iterator
from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core import mail
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from listening_tests.choices import AuditedAction, NoticeKind, Role, ScreeningRuleName, TestStatus
from listening_tests.models import AuditEntry, ListeningTest, Member, Notice, Pair
from listening_tests.services.notices import TRIED_AGAIN_AFTER, notices_send
from tests.factories import make_pairs, make_test
from tests.webapp.factories import make_rating
from worker.celery import app
from worker.models import AlarmKind, ScreeningAlarm
from worker.notices import due_notices, look_and_send
from worker.tasks import send_notices

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=3)


def add_member(test: ListeningTest, role: Role, *, email: str, username: str) -> None:
    """Without a password, which takes long to hash."""
    user = get_user_model().objects.create(username=username, email=email, is_staff=True)
    Member.objects.create(test=test, user=user, role=role)


def owned_test(*, n_ratings: int = 2, ago: timedelta = LONG_AGO, **fields: object) -> ListeningTest:
    """A test of two pairs with k = 1 whose owner has an address; `n_ratings` of them are rated."""
    values = {"title": "Sounds of rain", "ratings_per_pair": 1, "opened_at": timezone.now() - 2 * LONG_AGO}
    test = make_test(**values | fields)
    add_member(test, Role.OWNER, email=f"{test.slug}@example.org", username=f"owner of {test.slug}")
    for pair in make_pairs(test, 2)[:n_ratings]:
        make_rating(pair, 5, submitted_at=timezone.now() - ago)
        Pair.objects.filter(pk=pair.pk).update(load=F("load") + 1)
    return test


@pytest.fixture
def broken_server() -> Iterator[mock.Mock]:
    with mock.patch("django.core.mail.EmailMessage.send", side_effect=OSError("Connection refused")) as send:
        yield send


def test_it_works() -> None:
    test = owned_test()

    send_notices()
    send_notices()

    (message,) = mail.outbox
    assert (message.subject, message.to) == ("Sounds of rain: complete", [f"{test.slug}@example.org"])
    assert "each of its 2 items has the 1 answer that it needs" in message.body
    assert f"http://localhost:8000{reverse('dashboard:live', args=[test.slug])}" in message.body
    notice = Notice.objects.get()
    assert (notice.kind, notice.n_recipients, notice.failure) == (NoticeKind.COMPLETE, 1, "")
    assert notice.sent_at is not None


def test_beat_looks_every_few_minutes() -> None:
    entry = app.conf.beat_schedule["send-notices"]
    assert (entry["task"], entry["schedule"]._orig_minute) == (send_notices.name, "*/5")


def test_an_open_test_without_answers_has_stalled_once_an_episode() -> None:
    test = owned_test(n_ratings=1)
    look_and_send()
    look_and_send()
    (message,) = mail.outbox
    assert message.subject == "Sounds of rain: no new ratings"
    assert "1 of 2 answers still to come." in message.body

    # An answer comes, and then none again.
    make_rating(test.pairs.first(), 5, submitted_at=timezone.now() - timedelta(days=2))
    look_and_send()
    assert len(mail.outbox) == 2


def test_more_pairs_make_a_test_complete_another_time() -> None:
    test = owned_test()
    look_and_send()
    (pair,) = make_pairs(test, 1)
    make_rating(pair, 5)
    look_and_send()
    assert len(mail.outbox) == 1
    Pair.objects.filter(pk=pair.pk).update(load=1)
    look_and_send()
    assert [message.subject for message in mail.outbox] == ["Sounds of rain: complete"] * 2


@pytest.mark.parametrize(
    "fields",
    [
        {"n_ratings": 1, "ago": timedelta(hours=1)},
        {"n_ratings": 0, "opened_at": timezone.now()},
        {"status": TestStatus.PAUSED},
        {"status": TestStatus.CLOSED},
        {"is_simulated": True},
    ],
    ids=["answers come", "just opened", "paused", "closed", "simulated"],
)
def test_there_is_nothing_to_tell(fields: dict[str, object]) -> None:
    owned_test(**fields)  # type: ignore[arg-type]
    look_and_send()
    assert (Notice.objects.count(), mail.outbox) == (0, [])


def test_a_pause_is_no_silence() -> None:
    test = owned_test(n_ratings=1)
    AuditEntry.objects.create(test=test, test_slug=test.slug, action=AuditedAction.OPENED)
    assert due_notices(test=test) == []


def test_an_alarm_is_told_once_a_day() -> None:
    test = owned_test(n_ratings=1, ago=timedelta(0))
    alarm = ScreeningAlarm.objects.create(
        **{"test": test, "rule": ScreeningRuleName.values[0], "kind": AlarmKind.values[0], "since": timezone.now()},
        **{"recent_hits": 30, "recent_n": 30, "earlier_hits": 1, "earlier_n": 40, "p": 1e-9},
    )
    look_and_send()
    look_and_send()
    assert [message.subject for message in mail.outbox] == ["Sounds of rain: a check needs a look"]
    assert alarm.sentence in mail.outbox[0].body
    tomorrow = due_notices(test=test, now=timezone.now() + timedelta(days=1))
    assert tomorrow[-1].kind == NoticeKind.ALARM and tomorrow[-1].episode != Notice.objects.get().episode


def test_only_owners_who_want_it_and_have_an_address_are_told() -> None:
    test = owned_test()
    for role in (Role.ANALYST, Role.ASSISTANT, Role.OWNER):
        add_member(test, role, email=f"{role}@example.org", username=role)
    add_member(test, Role.OWNER, email="", username="without an address")
    Member.objects.filter(user__username=f"owner of {test.slug}").update(wants_notices=False)
    look_and_send()
    assert [message.to for message in mail.outbox] == [["owner@example.org"]]


def test_where_nobody_is_to_be_told_the_notice_is_done() -> None:
    owned_test()
    Member.objects.update(wants_notices=False)
    look_and_send()
    assert (mail.outbox, Notice.objects.get().n_recipients) == ([], 0)
    assert Notice.objects.get().sent_at is not None


def test_a_mail_server_that_fails_is_tried_again(
    broken_server: mock.Mock, caplog: pytest.LogCaptureFixture, staff_browser: Client
) -> None:
    first, second = owned_test(), owned_test()

    assert look_and_send() == 0

    # The second is tried although the first failed.
    assert broken_server.call_count == 2
    assert {notice.failure for notice in Notice.objects.all()} == {"Connection refused"}
    assert "could not be sent, and is tried again: Connection refused" in caplog.text
    page = staff_browser.get(reverse("dashboard:live", args=[first.slug])).text
    assert "not sent yet: Connection refused" in page
    broken_server.side_effect = None
    assert look_and_send() == 2
    assert not Notice.objects.filter(sent_at=None).exists()
    assert second.notices.get().failure == ""


@pytest.fixture
def staff_browser(client: Client, django_user_model: type) -> Client:
    client.force_login(django_user_model.objects.create_superuser("researcher", password="correct horse"))
    return client


def test_of_two_who_send_at_once_one_does() -> None:
    test = owned_test()
    notice = Notice.objects.create(test=test, kind=NoticeKind.COMPLETE, episode="1", text="It is.")
    Notice.objects.update(tried_at=timezone.now())
    assert notices_send(address_of=str) == 0
    # The other one died.
    Notice.objects.update(tried_at=timezone.now() - 2 * TRIED_AGAIN_AFTER)
    assert notices_send(address_of=str) == 1
    notice.refresh_from_db()
    assert notice.sent_at is not None


def test_a_test_that_cannot_be_counted_keeps_no_other_from_being_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, whole = owned_test(), owned_test()

    def due(*, test: ListeningTest) -> list[object]:
        if test == broken:
            raise ValueError
        return due_notices(test=test)

    monkeypatch.setattr("worker.notices.due_notices", due)
    assert look_and_send() == 1
    assert Notice.objects.get().test == whole


def test_a_title_of_several_lines_breaks_no_header() -> None:
    owned_test(title="Rain\nBcc: everybody@example.org")
    look_and_send()
    assert mail.outbox[0].subject == "Rain Bcc: everybody@example.org: complete"
    assert settings.DEFAULT_FROM_EMAIL == mail.outbox[0].from_email
