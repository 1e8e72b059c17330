"""How far the sittings of a test came, page by page, and where raters left: the drop-out.

The pages are those of `stages.py`, with practice and rating apart. Counted from the sessions' own columns.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, CharField, Count, Q, QuerySet, Value, When
from django.utils import timezone

from listening_tests.choices import (
    FINISHED_SESSION_STATUSES,
    CheckOutcome,
    HeadphoneCheck,
    PairRole,
    SessionStatus,
)
from listening_tests.kinds import kind_of
from listening_tests.models import Assignment, ListeningTest, Session

CONSENT, CHECK, SOUND, HEADPHONES = "consent", "check", "sound", "headphones"
PRACTICE, RATING, QUESTIONS, DONE = "practice", "rating", "questions", "done"
# In the order in which a rater comes to them.
PAGES = {
    CONSENT: "Consent given",
    CHECK: "Comprehension check",
    SOUND: "Sound set-up",
    HEADPHONES: "Headphone check",
    PRACTICE: "Practice",
    RATING: "Rating",
    QUESTIONS: "Questionnaire",
    DONE: "Done",
}
# Not every test has them: they are told where a sitting came to them.
_OPTIONAL = (CHECK, HEADPHONES, PRACTICE)


@dataclass(frozen=True)
class PageCount:
    """A page that `n_reached` sittings came to. Of those `n_there` are at it now; `n_left` have gone away, and may come
    back; `n_ended` were ended there by a check; `n_withdrew` withdrew. The others went on.
    """

    name: str
    n_reached: int
    n_there: int
    n_left: int
    n_ended: int
    n_withdrew: int


@dataclass(frozen=True)
class SittingPages:
    """`n_at_work` sittings hold a lease that has not ended."""

    pages: list[PageCount]
    n_sittings: int
    n_at_work: int


def sitting_pages(*, test: ListeningTest, now: datetime | None = None) -> SittingPages:
    now = now or timezone.now()
    sittings = Session.objects.filter(test=test).order_by().annotate(page=_page(test))
    counts = _by_page_and_status(sittings)
    at_work = _by_page_and_status(sittings.filter(pk__in=_open_leases(test, now).values("session")))
    at_questions = _by_page_and_status(_just_finished(sittings, test, now))
    n_sittings = counts.total()
    pages = [_page_count(page, counts, at_work + at_questions) for page in PAGES]
    left_out = {PAGES[page] for page in _OPTIONAL if not _is_told(page, test, counts)}
    return SittingPages(
        pages=[page for page in pages if page.name not in left_out] if n_sittings else [],
        n_sittings=n_sittings,
        n_at_work=at_work.total(),
    )


def _page(test: ListeningTest) -> Case:
    """The page at which a sitting is, or was when it ended."""
    n_practice = kind_of(test).leased.model._default_manager.filter(test=test, role=PairRole.PRACTICE).count()
    is_finished = Q(status__in=FINISHED_SESSION_STATUSES)
    has_headphones = ~Q(headphone_check=HeadphoneCheck.NONE)
    return Case(
        When(Q(questionnaire_at__isnull=False), then=Value(DONE)),
        When(is_finished, then=Value(QUESTIONS)),
        When(Q(needs_check=True), then=Value(CHECK)),
        When(Q(sound_set_up_at__isnull=True), then=Value(SOUND)),
        When(has_headphones & Q(headphones_at__isnull=True), then=Value(HEADPHONES)),
        When(Q(status=SessionStatus.SCREENED, headphones=CheckOutcome.FAILED), then=Value(HEADPHONES)),
        When(Q(saved_count=0, timed_count__lt=n_practice), then=Value(PRACTICE)),
        default=Value(RATING),
        output_field=CharField(),
    )


def _open_leases(test: ListeningTest, now: datetime) -> QuerySet[Assignment]:
    return Assignment.objects.filter(
        session__test=test, rated_at__isnull=True, released_at__isnull=True, lease_expires_at__gt=now
    )


def _just_finished(sittings: QuerySet[Any], test: ListeningTest, now: datetime) -> QuerySet[Any]:
    """Those who may be at the questionnaire still, for no longer than a lease lasts."""
    since = now - timedelta(minutes=test.lease_minutes)
    return sittings.filter(status__in=FINISHED_SESSION_STATUSES, questionnaire_at__isnull=True, finished_at__gt=since)


def _by_page_and_status(sittings: QuerySet[Any]) -> Counter[tuple[str, str]]:
    rows = sittings.values_list("page", "status").annotate(n=Count("pk"))
    return Counter({(page, status): n for page, status, n in rows})


def _page_count(page: str, counts: Counter[tuple[str, str]], there: Counter[tuple[str, str]]) -> PageCount:
    order = list(PAGES)
    n_by_status = Counter({status: n for (name, status), n in counts.items() if name == page})
    n_ended, n_withdrew = n_by_status[SessionStatus.SCREENED], n_by_status[SessionStatus.WITHDRAWN]
    n_there = sum(n for (name, _), n in there.items() if name == page)
    return PageCount(
        name=PAGES[page],
        n_reached=sum(n for (name, _), n in counts.items() if order.index(name) >= order.index(page)),
        n_there=n_there,
        n_left=0 if page == DONE else max(0, n_by_status.total() - n_ended - n_withdrew - n_there),
        n_ended=n_ended,
        n_withdrew=n_withdrew,
    )


def _is_told(page: str, test: ListeningTest, counts: Counter[tuple[str, str]]) -> bool:
    if any(name == page for name, _ in counts):
        return True
    if page == CHECK:
        return test.check_questions.exists()
    if page == HEADPHONES:
        return test.headphone_check != HeadphoneCheck.NONE
    return kind_of(test).leased.model._default_manager.filter(test=test, role=PairRole.PRACTICE).exists()
