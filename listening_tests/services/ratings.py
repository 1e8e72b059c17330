"""Ratings as they come in: stored once, whatever the network repeats."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from listening_tests.choices import PairRole, SessionStatus
from listening_tests.exceptions import RatingConflict, Refused, Withdrawn
from listening_tests.joined_rows import JoinedRows, inserted_values, insertion
from listening_tests.models import Assignment, Pair, Question, Rating, Session
from listening_tests.services.assignments import leases_in_hand
from listening_tests.services.patience import patiently
from listening_tests.services.sessions import session_go_on, session_lock, session_resume

# Heard means this share of the clip's duration, as the union of played seconds.
HEARD_SHARE = 0.95
# Players round the length of a file; this much may be missing.
HEARD_TOLERANCE_S = 0.05
# More than this a pair does not add to a rater's pace: they were away.
LONGEST_PACE_S = 300.0
_QUESTION = JoinedRows(
    (Question,), "SELECT {columns} FROM listening_tests_question question WHERE test_id = %(test)s ORDER BY id LIMIT 1"
)
_WRITE = f"""
WITH counted AS (
    UPDATE listening_tests_session SET saved_count = %(saved_count)s, needed_s = %(needed_s)s,
        elapsed_s = %(elapsed_s)s, timed_count = %(timed_count)s
    WHERE id = %(session)s
), closed AS (
    UPDATE listening_tests_assignment SET rated_at = %(now)s, skipped_at = NULL WHERE id = %(assignment_id)s
)
{insertion(Rating)} RETURNING id
"""  # noqa: S608 -- our own table
NOT_GIVEN = "This sound was not given to you. Reload the page to go on."


@dataclass(frozen=True)
class Answer:
    """What the rater's page says of one rating.

    `heard_s` is the union of played seconds. `elapsed_s` is counted by the browser's stopwatch from showing the pair to
    submitting, and `waited_s` from there to this request, so that a device whose clock is wrong says nothing false.
    """

    client_uuid: UUID
    score: float
    plays: int
    heard_s: float
    elapsed_s: float
    waited_s: float = 0.0


@dataclass(frozen=True)
class RatingReceipt:
    """The stored rating; whether this request stored it; the session as it is now, and the pairs that it has in hand,
    the next one first.
    """

    rating: Rating
    created: bool
    session: Session
    leases: list[Assignment]


def rating_submit(*, session: Session, assignment_uuid: UUID, answer: Answer) -> RatingReceipt:
    """Stores a rating and tops up the session's leases, or ends the session.

    A repeat, known by its client uuid, stores nothing and gets the receipt of the row that is there. Raises
    RatingConflict where the repeat says something else or the pair was rated before, Withdrawn where the rater has
    withdrawn, and Refused where the pair is not this rater's, the clip was not heard, or the score is not on the scale.
    Then nothing has changed.
    """
    try:
        receipt = _submit(session, assignment_uuid, answer)
    except IntegrityError as error:
        if not Rating.objects.filter(client_uuid=answer.client_uuid).exists():
            raise
        raise RatingConflict("This rating was saved before for another sound. The first one is kept.") from error
    if receipt.leases or receipt.session.status != SessionStatus.ACTIVE:
        return receipt
    # Stored, and nothing was free in passing: a second look is more patient.
    leases = session_resume(session=receipt.session)
    return RatingReceipt(receipt.rating, receipt.created, receipt.session, leases)


@patiently
@transaction.atomic
def _submit(session: Session, assignment_uuid: UUID, answer: Answer) -> RatingReceipt:
    session = session_lock(session_id=session.pk)
    refuse_unless_taking(session=session)
    held = leases_in_hand(session=session, named=assignment_uuid)
    assignment = next((one for one in held if one.uuid == assignment_uuid), None)
    if assignment is None:
        raise Refused(NOT_GIVEN)
    rating = _stored_before(assignment, answer)
    created = rating is None
    if rating is None:
        rating = _store(session, assignment, answer)
    others = [one for one in held if one is not assignment and one.released_at is None]
    return RatingReceipt(rating, created, session, session_go_on(session=session, held=others))


def refuse_unless_taking(*, session: Session) -> None:
    """Raises Withdrawn where the rater has withdrawn, Refused where the comprehension check is not passed."""
    if session.status == SessionStatus.WITHDRAWN:
        raise Withdrawn("You have withdrawn from this test, so nothing more of yours is saved.")
    if session.status == SessionStatus.SCREENED or session.needs_check:
        raise Refused("The questions on the instructions come first. Reload the page to go on.")


def _stored_before(assignment: Assignment, answer: Answer) -> Rating | None:
    if assignment.rated_at is None:
        return None
    rating = Rating.objects.filter(client_uuid=answer.client_uuid, assignment=assignment).first()
    if rating is None:
        raise RatingConflict("You have rated this sound before. The first score is kept. Reload the page to go on.")
    if rating.score != answer.score:
        raise RatingConflict("This rating was saved before with another score. The first one is kept.")
    return rating


def _store(session: Session, assignment: Assignment, answer: Answer) -> Rating:
    [(question,)] = _QUESTION.fetch({"test": session.test_id})
    needed_s = _needed_s(assignment)
    _refuse_unless_valid(question, answer, needed_s)
    now = timezone.now()
    _count(session, assignment, answer, needed_s)
    _close(assignment, now)
    rating = Rating(
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
        # A skip, as of another tab, ends a lease before its time: the pair may be in somebody else's hands by now.
        late=assignment.released_at is not None or assignment.lease_expires_at < now,
        too_soon=_is_too_soon(session, assignment, answer, now),
    )
    _write(session, assignment, rating)
    return rating


def _write(session: Session, assignment: Assignment, rating: Rating) -> None:
    """The rating and what it changes, in one statement."""
    sums = {name: getattr(session, name) for name in ("saved_count", "needed_s", "elapsed_s", "timed_count")}
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, inserted_values(rating) | sums | {"session": session.pk, "now": assignment.rated_at})
        rating.pk = cursor.fetchone()[0]


def _needed_s(assignment: Assignment) -> float:
    return max(0.0, HEARD_SHARE * (assignment.pair.clip.duration_s or 0) - HEARD_TOLERANCE_S)


def _refuse_unless_valid(question: Question, answer: Answer, needed_s: float) -> None:
    if not question.holds(answer.score):
        raise Refused(
            f"The score {answer.score:g} is not on the scale from {question.scale_min:g} to {question.scale_max:g} "
            f"in steps of {question.scale_step:g}. Choose one of the numbers shown."
        )
    numbers = (answer.plays, answer.heard_s, answer.elapsed_s, answer.waited_s)
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise Refused("The page did not say how the sound was played. Reload the page and rate it again.")
    if answer.plays < 1 or answer.heard_s < needed_s:
        raise Refused("Please listen to the whole sound before you rate it.")


def _is_too_soon(session: Session, assignment: Assignment, answer: Answer, now: datetime) -> bool:
    """Whether there was no time to hear the clip: since its lease, by the page's own stopwatch, or, together with all
    that the session has rated, since the session began.
    """
    needed_s = _needed_s(assignment)
    since_lease_s = (now - assignment.leased_at).total_seconds()
    since_start_s = (now - session.started_at).total_seconds()
    return min(since_lease_s, answer.elapsed_s) < needed_s or since_start_s < session.needed_s


def _shown_at(assignment: Assignment, answer: Answer, now: datetime) -> datetime:
    # A pair cannot have been shown before it was leased, whatever the page's stopwatch says.
    longest_s = (now - assignment.leased_at).total_seconds()
    return now - timedelta(seconds=min(answer.waited_s + answer.elapsed_s, longest_s))


def _count(session: Session, assignment: Assignment, answer: Answer, needed_s: float) -> None:
    session.saved_count += assignment.pair.role != PairRole.PRACTICE
    session.needed_s += needed_s
    session.elapsed_s += min(answer.elapsed_s, LONGEST_PACE_S)
    session.timed_count += 1


def _close(assignment: Assignment, now: datetime) -> None:
    """Turns the lease into a rating. One that was given out again comes back as one over its pair's k."""
    if assignment.released_at is not None and assignment.pair.role != PairRole.PRACTICE:
        Pair.objects.filter(pk=assignment.pair_id).update(load=F("load") + 1)
    assignment.rated_at = now
    assignment.skipped_at = None
