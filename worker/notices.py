"""The look for what owners are to be told by e-mail: that a test is complete, has stalled, or that a check fails."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from listening_tests.choices import NoticeKind, TestStatus
from listening_tests.coverage import Coverage, coverage_of
from listening_tests.models import ListeningTest
from listening_tests.services.notices import notice_note, notices_send
from worker.live import last_answer_at, let_in_at
from worker.screening.selectors import screening_alarms

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Due:
    """Something to be told; `episode` names which time it is, so that it is told once."""

    kind: NoticeKind
    episode: str
    text: str


def look_and_send() -> int:
    """Notes what is due of the open tests, and sends it. How many notices were sent.

    Pilots and other simulated tests send none. A test whose numbers cannot be read keeps no other from being told of.
    """
    for test in ListeningTest.objects.filter(status=TestStatus.OPEN, is_simulated=False).order_by("id"):
        try:
            for due in due_notices(test=test):
                notice_note(test=test, kind=due.kind, episode=due.episode, text=due.text)
        except Exception:
            logger.exception("It was not found out what there is to tell of the test %s.", test.slug)
    return notices_send(address_of=_live_page)


def _live_page(test: ListeningTest) -> str:
    return f"{settings.EARMARK_URL.rstrip('/')}/dashboard/tests/{test.slug}/live/"


def due_notices(*, test: ListeningTest, now: datetime | None = None) -> list[Due]:
    """What there is to tell of an open test now, told before or not."""
    now = now or timezone.now()
    coverage = coverage_of(test=test)
    found = [_complete(test, coverage)] if coverage.is_complete else _stalled(test, coverage, now)
    return [*found, *_alarms(test, now)]


def _complete(test: ListeningTest, coverage: Coverage) -> Due:
    # Pairs that are added, or a higher k, make it incomplete: it may be complete another time.
    episode = f"{coverage.n_in_k} times {coverage.k}"
    text = (
        f"“{test.title}” is complete: each of its {coverage.n_in_k:,} items has the {_answers(coverage.k)} that it "
        "needs. Newcomers are told so and are not let in. Close it when you need no more."
    )
    return Due(NoticeKind.COMPLETE, episode, text)


def _stalled(test: ListeningTest, coverage: Coverage, now: datetime) -> list[Due]:
    since = max((at for at in (last_answer_at(test=test), let_in_at(test=test)) if at), default=None)
    if since is None or coverage.n_in_k == 0 or now - since < timedelta(hours=settings.EARMARK_STALLED_HOURS):
        return []
    text = (
        f"“{test.title}” is open, but no answer has come since {since:%-d %B %Y, %H:%M} UTC. "
        f"{coverage.n_missing:,} of {_answers(coverage.n_in_k * coverage.k)} still to come. "
        "See on its page whether raters come, and where they leave."
    )
    return [Due(NoticeKind.STALLED, f"since {since.isoformat(timespec='seconds')}", text)]


def _answers(n: int) -> str:
    return f"{n:,} answer" if n == 1 else f"{n:,} answers"


def _alarms(test: ListeningTest, now: datetime) -> list[Due]:
    """Checks whose failure rate has jumped, or that have ceased to answer; one that stays so is told of once a day."""
    return [
        Due(
            NoticeKind.ALARM,
            f"{now:%Y-%m-%d} {found.rule} {found.kind}",
            f"The check “{found.get_rule_display()}” of “{test.title}”: {found.sentence}",
        )
        for found in screening_alarms(test=test)
    ]
