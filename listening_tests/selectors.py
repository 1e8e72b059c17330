"""Reads of collection, for pages and services. Nothing here changes a row."""

import math
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from listening_tests.choices import TestStatus
from listening_tests.joined_rows import JoinedRows
from listening_tests.models import Assignment, Clip, ListeningTest, Rater, Session

_SITTING = JoinedRows(
    (Session, ListeningTest, Rater),
    """
    SELECT {columns}
    FROM listening_tests_session session
    JOIN listening_tests_listeningtest listeningtest ON listeningtest.id = session.test_id
    JOIN listening_tests_rater rater ON rater.id = session.rater_id
    WHERE listeningtest.slug = %(slug)s AND listeningtest.status <> 'draft' AND rater.uuid = %(rater)s
    ORDER BY session.started_at DESC
    LIMIT 1
    """,
)
_CLIP = JoinedRows(
    (Clip,),
    """
    SELECT {columns}
    FROM listening_tests_assignment assignment
    JOIN listening_tests_rater rater ON rater.id = assignment.rater_id
    JOIN listening_tests_session session ON session.id = assignment.session_id
    JOIN listening_tests_listeningtest listeningtest ON listeningtest.id = session.test_id
    JOIN listening_tests_pair pair ON pair.id = assignment.pair_id
    JOIN listening_tests_clip clip ON clip.id = pair.clip_id
    WHERE assignment.uuid = %(assignment)s AND rater.uuid = %(rater)s AND listeningtest.slug = %(slug)s
    """,
)
# So many pairs at a rater's own pace weigh as much as the estimate that was made before the first.
PAIRS_OF_ESTIMATE = 3
USUAL_PAIR_S = 20.0


@dataclass(frozen=True)
class Progress:
    """How far a sitting is, by the server's count. Practice is in neither number.

    Late ratings can come on top of those that were planned, and then count as planned too.
    """

    saved: int
    planned: int


def test_for_raters(*, slug: str) -> ListeningTest:
    """The test at a rater's address. Drafts do not exist for raters. Raises ListeningTest.DoesNotExist."""
    return ListeningTest.objects.exclude(status=TestStatus.DRAFT).get(slug=slug)


def session_for_rater(*, slug: str, rater_uuid: UUID) -> Session | None:
    """The sitting of this rater at the test of this address, open or ended; the latest where there are several."""
    rows = _SITTING.fetch({"slug": slug, "rater": rater_uuid})
    if not rows:
        return None
    session: Session
    session, session.test, session.rater = rows[0]
    return session


def sits_elsewhere(*, session: Session) -> bool:
    """Whether the rater of this sitting has one at another test too."""
    return Session.objects.filter(rater_id=session.rater_id).exclude(test_id=session.test_id).exists()


def session_progress(*, session: Session) -> Progress:
    return Progress(saved=session.saved_count, planned=max(session.planned_count, session.saved_count))


def session_seconds_left(*, session: Session) -> int:
    """How long the rest will take at this rater's own pace, which the estimate of the start gives way to."""
    # A sitting from before the estimate was kept has none.
    estimate_s = session.pair_estimate_s or USUAL_PAIR_S
    pace_s = (PAIRS_OF_ESTIMATE * estimate_s + session.elapsed_s) / (PAIRS_OF_ESTIMATE + session.timed_count)
    return math.ceil(pace_s * max(0, session.planned_count - session.saved_count))


def assignments_open(*, session: Session) -> list[Assignment]:
    """The pairs that are kept for this sitting now, the one to show first. Empty where a lease must be made first."""
    return list(
        session.assignments.filter(rated_at__isnull=True, released_at__isnull=True, lease_expires_at__gt=timezone.now())
        .select_related("pair__clip", "pair__caption")
        .order_by("position")
    )


def clip_for_rater(*, slug: str, assignment_uuid: UUID, rater_uuid: UUID) -> Clip | None:
    """The clip of an assignment of this rater's, whatever has become of it."""
    rows = _CLIP.fetch({"slug": slug, "assignment": assignment_uuid, "rater": rater_uuid})
    return rows[0][0] if rows else None
