"""Reads of collection, for pages and services. Nothing here changes a row."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from listening_tests.choices import PairRole, TestStatus
from listening_tests.models import Assignment, ListeningTest, Session


@dataclass(frozen=True)
class Progress:
    """How far a sitting is, by the server's count. Practice is in neither number."""

    saved: int
    planned: int


def test_for_raters(*, slug: str) -> ListeningTest:
    """The test at a rater's address. Drafts do not exist for raters. Raises ListeningTest.DoesNotExist."""
    return ListeningTest.objects.exclude(status=TestStatus.DRAFT).get(slug=slug)


def session_for_rater(*, test: ListeningTest, rater_uuid: UUID) -> Session | None:
    """The sitting of this rater at this test, open or ended; the latest where there are several."""
    sessions = Session.objects.filter(test=test, rater__uuid=rater_uuid)
    return sessions.select_related("test", "rater").order_by("-started_at").first()


def session_progress(*, session: Session) -> Progress:
    is_study = ~Q(pair__role=PairRole.PRACTICE)
    counts = session.assignments.aggregate(saved=Count("pk", filter=Q(rated_at__isnull=False) & is_study))
    return Progress(saved=counts["saved"], planned=session.planned_count)


def assignment_current(*, session: Session) -> Assignment | None:
    """The pair that this sitting is at: unrated, its lease still good. None where the lease must be renewed first."""
    return (
        session.assignments.filter(rated_at__isnull=True, released_at__isnull=True, lease_expires_at__gt=timezone.now())
        .select_related("pair__clip", "pair__caption")
        .order_by("position")
        .first()
    )
