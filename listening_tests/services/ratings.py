"""Ratings as they come in: stored once, whatever the network repeats."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from listening_tests.choices import PairRole
from listening_tests.exceptions import RatingConflict, Refused
from listening_tests.models import Assignment, Pair, Question, Rating, Session
from listening_tests.selectors import assignment_current
from listening_tests.services.assignments import leases_release_expired
from listening_tests.services.sessions import session_advance, session_lock

# Heard means this share of the clip's duration, as the union of played seconds.
HEARD_SHARE = 0.95
# Players round the length of a file; this much may be missing.
HEARD_TOLERANCE_S = 0.05


@dataclass(frozen=True)
class Answer:
    """What the rater's page says of one rating.

    `heard_s` is the union of played seconds. `elapsed_s` is counted by the browser's stopwatch from showing the pair to
    submitting, so that a device whose clock is wrong says nothing false.
    """

    client_uuid: UUID
    score: float
    plays: int
    heard_s: float
    elapsed_s: float


@dataclass(frozen=True)
class RatingReceipt:
    """The stored rating; whether this request stored it; the session as it is now, and its next pair."""

    rating: Rating
    created: bool
    session: Session
    next_assignment: Assignment | None


def rating_submit(*, session: Session, assignment_uuid: UUID, answer: Answer) -> RatingReceipt:
    """Stores a rating and leases the session's next pair, or ends the session.

    A repeat, known by its client uuid, stores nothing and gets the receipt of the row that is there. Raises
    RatingConflict where the repeat says something else or the pair was rated before, and Refused where the pair is not
    this rater's, the clip was not heard, or the score is not on the scale. Then nothing has changed.
    """
    leases_release_expired(test_id=session.test_id)
    with transaction.atomic():
        session = session_lock(session_id=session.pk)
        assignment = _assignment_of(session, assignment_uuid)
        rating = _stored_before(assignment, answer)
        created = rating is None
        if rating is None:
            rating = _store(assignment, answer)
        return RatingReceipt(rating, created, session, _open_or_next(session))


def _assignment_of(session: Session, assignment_uuid: UUID) -> Assignment:
    assignment = (
        Assignment.objects.select_for_update(of=("self",), no_key=True)
        .filter(session=session, uuid=assignment_uuid)
        .select_related("pair__clip", "session")
        .first()
    )
    if assignment is None:
        raise Refused("This sound was not given to you. Reload the page to go on.")
    return assignment


def _stored_before(assignment: Assignment, answer: Answer) -> Rating | None:
    rating = Rating.objects.filter(client_uuid=answer.client_uuid).first()
    if rating is not None and (rating.assignment_id, rating.score) != (assignment.pk, answer.score):
        raise RatingConflict("This rating was saved before with another score. The first one is kept.")
    if rating is None and assignment.rated_at is not None:
        raise RatingConflict("You have rated this sound before. The first score is kept. Reload the page to go on.")
    return rating


def _store(assignment: Assignment, answer: Answer) -> Rating:
    question = Question.objects.filter(test_id=assignment.session.test_id).order_by("pk")[:1].get()
    _refuse_unless_valid(assignment, question, answer)
    now = timezone.now()
    rating = Rating.objects.create(
        client_uuid=answer.client_uuid,
        test_id=question.test_id,
        pair_id=assignment.pair_id,
        rater_id=assignment.rater_id,
        question=question,
        assignment=assignment,
        score=answer.score,
        scale_min=question.scale_min,
        scale_max=question.scale_max,
        plays=answer.plays,
        # A union of played seconds is never longer than the clip, whatever a player counts.
        heard_s=min(answer.heard_s, assignment.pair.clip.duration_s or 0),
        shown_at=_shown_at(assignment, answer, now),
        submitted_at=now,
        late=assignment.lease_expires_at < now,
    )
    _close(assignment, now)
    return rating


def _refuse_unless_valid(assignment: Assignment, question: Question, answer: Answer) -> None:
    if not question.holds(answer.score):
        raise Refused(
            f"The score {answer.score:g} is not on the scale from {question.scale_min:g} to {question.scale_max:g} "
            f"in steps of {question.scale_step:g}. Choose one of the numbers shown."
        )
    numbers = (answer.plays, answer.heard_s, answer.elapsed_s)
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise Refused("The page did not say how the sound was played. Reload the page and rate it again.")
    needed_s = HEARD_SHARE * (assignment.pair.clip.duration_s or 0) - HEARD_TOLERANCE_S
    if answer.plays < 1 or answer.heard_s < needed_s:
        raise Refused("Please listen to the whole sound before you rate it.")


def _shown_at(assignment: Assignment, answer: Answer, now: datetime) -> datetime:
    # A pair cannot have been shown before it was leased, whatever the page's stopwatch says.
    longest_s = (now - assignment.leased_at).total_seconds()
    return now - timedelta(seconds=min(answer.elapsed_s, longest_s))


def _close(assignment: Assignment, now: datetime) -> None:
    """Turns the open lease into a rating. A lease that was given out again comes back as one over its pair's k."""
    if assignment.released_at is not None and assignment.pair.role != PairRole.PRACTICE:
        Pair.objects.filter(pk=assignment.pair_id).update(load=F("load") + 1)
    assignment.rated_at = now
    assignment.save(update_fields=["rated_at"])


def _open_or_next(session: Session) -> Assignment | None:
    return assignment_current(session=session) or session_advance(session=session)
