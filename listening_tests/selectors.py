"""Reads of collection, for pages and services. Nothing here changes a row."""

import math
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from listening_tests.choices import TestStatus
from listening_tests.joined_rows import JoinedRows
from listening_tests.kinds import kind_of
from listening_tests.models import (
    Assignment,
    Clip,
    Comparison,
    ListeningTest,
    Presentation,
    Question,
    Rater,
    Rating,
    Session,
)

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
# Of a session, what sitting_state tells the page.
_TOLD_OF_SESSION = [
    "status",
    "questionnaire_at",
    "planned_count",
    "saved_count",
    "pair_estimate_s",
    "elapsed_s",
    "timed_count",
]
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


def test_has_clips(test: ListeningTest) -> bool:
    return test.pairs.exists() or test.trials.exists()


def test_is_answered(test: ListeningTest) -> bool:
    """Whether anything was answered in it, left out by a rule or not."""
    return Rating.objects.filter(test=test).exists() or Comparison.objects.filter(test=test).exists()


def question_is_answered(question: Question) -> bool:
    return Rating.objects.filter(question=question).exists() or Comparison.objects.filter(question=question).exists()


def is_before_raters(test: ListeningTest) -> bool:
    """Whether somebody holds a pair or a trial of it this moment."""
    held = Assignment.objects.filter(session__test=test, rated_at__isnull=True, released_at__isnull=True)
    return held.filter(lease_expires_at__gt=timezone.now()).exists()


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
    """What is kept for this sitting now, the one to show first. Empty where a lease must be made first."""
    leases = kind_of(session.test).leased.leases().filter(session=session, lease_expires_at__gt=timezone.now())
    return list(leases.filter(rated_at__isnull=True, released_at__isnull=True).order_by("position"))


def assignments_open_then_sums(*, session: Session) -> list[Assignment]:
    """As `assignments_open`; afterwards `session` is read anew, as far as the rating page tells of it.

    In this order, since an answer may be stored in between: the page that comes then shows it as open and knows better
    by its own marks (static/rater/saved_marks.js). The other way round it would be neither open nor counted.
    """
    leases = assignments_open(session=session)
    session.refresh_from_db(fields=_TOLD_OF_SESSION)
    return leases


def clip_for_rater(*, slug: str, assignment_uuid: UUID, rater_uuid: UUID, place: int | None = None) -> Clip | None:
    """The clip of an assignment of this rater's, whatever has become of it; of a trial the one at `place`."""
    if place is not None:
        return _clip_at_place(slug, assignment_uuid, rater_uuid, place)
    rows = _CLIP.fetch({"slug": slug, "assignment": assignment_uuid, "rater": rater_uuid})
    return rows[0][0] if rows else None


def _clip_at_place(slug: str, assignment_uuid: UUID, rater_uuid: UUID, place: int) -> Clip | None:
    presented = Presentation.objects.filter(
        place=place,
        assignment__uuid=assignment_uuid,
        assignment__rater__uuid=rater_uuid,
        assignment__session__test__slug=slug,
    )
    presentation = presented.select_related("pair__clip").first()
    return presentation.pair.clip if presentation else None
