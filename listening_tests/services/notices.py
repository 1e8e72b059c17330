"""E-mail notices to the owners of a test: noted once, sent once, and tried again where the mail server fails."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.core.mail import EmailMessage
from django.db.models import Q
from django.utils import timezone

from listening_tests.choices import NoticeKind, Role
from listening_tests.models import ListeningTest, Member, Notice

logger = logging.getLogger(__name__)

# A try that was not heard of again, for its process died, counts as failed after this time.
TRIED_AGAIN_AFTER = timedelta(minutes=4)
# What nobody could be told for so long is old news.
GIVEN_UP_AFTER = timedelta(days=7)
_SUBJECTS = {
    NoticeKind.COMPLETE: "{title}: complete",
    NoticeKind.STALLED: "{title}: no new ratings",
    NoticeKind.ALARM: "{title}: a check needs a look",
}


def notice_note(*, test: ListeningTest, kind: NoticeKind, episode: str, text: str) -> tuple[Notice, bool]:
    """The notice of this episode, and whether it is new: a repeat finds the one that is there, as it was worded."""
    return Notice.objects.get_or_create(test=test, kind=kind, episode=episode[:100], defaults={"text": text})


def notices_send(*, address_of: Callable[[ListeningTest], str]) -> int:
    """Sends what has not been sent yet, and says how many notices were. `address_of` tells the page of a test.

    Raises nothing where the mail server fails: it is logged, kept with the notice, and tried again by the next call.
    """
    now = timezone.now()
    waiting = Notice.objects.filter(sent_at__isnull=True, created_at__gt=now - GIVEN_UP_AFTER).select_related("test")
    return sum(_send(notice, address_of(notice.test)) for notice in waiting.order_by("id"))


def member_set_notices(*, test: ListeningTest, user: AbstractBaseUser, wanted: bool) -> bool:
    """Whether `user` gets notices of the test from now on. False where the account is no member of it."""
    return bool(Member.objects.filter(test=test, user_id=user.pk).update(wants_notices=wanted))


def recipients_of(*, test: ListeningTest) -> list[str]:
    """The addresses of its owners who have one and want notices."""
    owners = Member.objects.filter(test=test, role=Role.OWNER, wants_notices=True, user__is_active=True)
    return sorted({address for address in owners.values_list("user__email", flat=True) if address})


def _send(notice: Notice, address: str) -> bool:
    if not _claim(notice):
        return False
    to = recipients_of(test=notice.test)
    try:
        if to:
            _message(notice, to, address).send()
    except (OSError, ValueError) as error:
        # The first are smtplib's errors and those of sockets and of TLS, the other those of an impossible address.
        logger.warning("The notice %s could not be sent, and is tried again: %s", notice.pk, error)
        Notice.objects.filter(pk=notice.pk).update(failure=str(error)[:300], tried_at=None)
        return False
    Notice.objects.filter(pk=notice.pk).update(sent_at=timezone.now(), n_recipients=len(to), failure="")
    return bool(to)


def _claim(notice: Notice) -> bool:
    """Of two processes that come to a notice at once, one sends it."""
    now = timezone.now()
    is_free = Q(tried_at__isnull=True) | Q(tried_at__lt=now - TRIED_AGAIN_AFTER)
    return bool(Notice.objects.filter(is_free, pk=notice.pk, sent_at__isnull=True).update(tried_at=now))


def _message(notice: Notice, to: list[str], address: str) -> EmailMessage:
    subject = _SUBJECTS[NoticeKind(notice.kind)].format(title=notice.test.title)
    body = (
        f"{notice.text}\n\n{address}\n\n"
        "You get this because you own the test in Earmark. Turn notices off on the page above, under Notices.\n"
    )
    # A title may hold whatever a researcher typed; a header holds one line.
    return EmailMessage(" ".join(subject.split()), body, to=to)
