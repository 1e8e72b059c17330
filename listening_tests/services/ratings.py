"""Answers as they come in, ratings and comparisons: stored once, whatever the network repeats."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from listening_tests.answers import Answer
from listening_tests.choices import OUTSIDE_OF_K, PairRole, SessionStatus, Source
from listening_tests.exceptions import RatingConflict, Refused, Withdrawn
from listening_tests.joined_rows import JoinedRows, inserted_values, insertion
from listening_tests.kinds import kind_of
from listening_tests.kinds.kind import AnswerRow, Submission
from listening_tests.models import Assignment, Comparison, Question, Rating, Session
from listening_tests.services.assignments import leases_in_hand
from listening_tests.services.patience import patiently
from listening_tests.services.sessions import session_go_on, session_lock, session_resume

# Heard means this share of the clip's duration, as the union of played seconds.
HEARD_SHARE = 0.95
# Players round the length of a file; this much may be missing.
HEARD_TOLERANCE_S = 0.05
# More than this a pair does not add to a rater's pace: they were away.
LONGEST_PACE_S = 300.0
_QUESTIONS = JoinedRows(
    (Question,), "SELECT {columns} FROM listening_tests_question question WHERE test_id = %(test)s ORDER BY id"
)
_CLOSE = """
WITH counted AS (
    UPDATE listening_tests_session SET saved_count = %(saved_count)s, needed_s = %(needed_s)s,
        elapsed_s = %(elapsed_s)s, timed_count = %(timed_count)s
    WHERE id = %(session)s
), closed AS (
    UPDATE listening_tests_assignment SET rated_at = %(now)s, skipped_at = NULL WHERE id = %(assignment)s
)
"""


def not_given() -> Refused:
    return Refused(_("This sound was not given to you. Reload the page to go on."))


@dataclass(frozen=True)
class RatingReceipt:
    """The stored rows; whether this request stored them; the session as it is now, and what it has in hand, the next
    one first.
    """

    rows: list[AnswerRow]
    created: bool
    session: Session
    leases: list[Assignment]


def rating_submit(
    *, session: Session, assignment_uuid: UUID, answer: Answer, source: Source = Source.COLLECTED
) -> RatingReceipt:
    """Stores an answer and tops up the session's leases, or ends the session.

    A repeat, known by its client uuid, stores nothing and gets the receipt of the rows that are there. Raises
    RatingConflict where the repeat says something else or the assignment was rated before, Withdrawn where the rater
    has withdrawn, and Refused where it is not this rater's, a clip was not heard, or an answer is not one that the
    questions allow. Then nothing has changed.
    """
    try:
        receipt = _submit(session, assignment_uuid, answer, source)
    except IntegrityError as error:
        if not _is_known(answer.client_uuid):
            raise
        raise RatingConflict(_("This rating was saved before for another sound. The first one is kept.")) from error
    if receipt.leases or receipt.session.status != SessionStatus.ACTIVE:
        return receipt
    # Stored, and nothing was free in passing: a second look is more patient.
    leases = session_resume(session=receipt.session)
    return RatingReceipt(receipt.rows, receipt.created, receipt.session, leases)


@patiently
@transaction.atomic
def _submit(session: Session, assignment_uuid: UUID, answer: Answer, source: Source) -> RatingReceipt:
    session = session_lock(session_id=session.pk)
    refuse_unless_taking(session=session)
    held = leases_in_hand(session=session, named=assignment_uuid)
    assignment = next((one for one in held if one.uuid == assignment_uuid), None)
    if assignment is None:
        raise not_given()
    rows = _stored_before(session, assignment, answer)
    created = not rows
    if created:
        rows = _store(session, assignment, answer, source)
    others = [one for one in held if one is not assignment and one.released_at is None]
    return RatingReceipt(rows, created, session, session_go_on(session=session, held=others))


def _is_known(client_uuid: UUID) -> bool:
    return any(model.objects.filter(client_uuid=client_uuid).exists() for model in (Rating, Comparison))


def refuse_unless_taking(*, session: Session) -> None:
    """Raises Withdrawn where the rater has withdrawn, Refused where a check before the first sound is not passed."""
    if session.status == SessionStatus.WITHDRAWN:
        raise Withdrawn(_("You have withdrawn from this test, so nothing more of yours is saved."))
    if session.needs_check:
        raise Refused(_("The questions on the instructions come first. Reload the page to go on."))
    if session.needs_headphone_check:
        raise Refused(_("The check of your headphones comes first. Reload the page to go on."))
    if session.status == SessionStatus.SCREENED:
        raise Refused(_("The test has ended for you, so nothing more of yours is saved. Reload the page to read why."))


def _stored_before(session: Session, assignment: Assignment, answer: Answer) -> list[AnswerRow]:
    """The rows of an assignment that is rated already, where this is a repeat. Raises RatingConflict where not."""
    if assignment.rated_at is None:
        return []
    kind = kind_of(session.test)
    stored = kind.answers.objects.filter(assignment=assignment).select_related("question")
    rows: list[AnswerRow] = list(stored.order_by("pk"))
    if not rows or rows[0].client_uuid != answer.client_uuid:
        raise RatingConflict(_("You have rated this sound before. The first score is kept. Reload the page to go on."))
    # Of the questions that were answered then: the test may ask others by now.
    questions = list({row.question_id: row.question for row in rows}.values())
    repeated = _rows(session, questions, assignment, answer, rows[0].submitted_at)
    if [row.said for row in repeated] != [row.said for row in rows]:
        raise RatingConflict(_("This rating was saved before with another score. The first one is kept."))
    return rows


def _store(session: Session, assignment: Assignment, answer: Answer, source: Source) -> list[AnswerRow]:
    _refuse_unless_heard(assignment, answer)
    now = timezone.now()
    questions = [question for (question,) in _QUESTIONS.fetch({"test": session.test_id})]
    rows = _rows(session, questions, assignment, answer, now, source)
    _count(session, assignment, answer)
    _close(assignment, now)
    _write(session, assignment, rows)
    return rows


def _rows(
    session: Session,
    questions: list[Question],
    assignment: Assignment,
    answer: Answer,
    submitted_at: datetime,
    source: Source = Source.COLLECTED,
) -> list[AnswerRow]:
    """What the answer is stored as. Raises Refused where it is not one that the questions allow."""
    kind = kind_of(session.test)
    kind.refuse_unless_valid(questions=questions, given=answer.given, n_places=len(assignment.pairs))
    _refuse_unless_evident(assignment, answer)
    return kind.rows(
        Submission(
            assignment=assignment,
            questions=questions,
            answer=answer,
            shown_at=_shown_at(assignment, answer, submitted_at),
            submitted_at=submitted_at,
            # A skip, as of another tab, ends a lease before its time: it may be in somebody else's hands by now.
            late=assignment.released_at is not None or assignment.lease_expires_at < submitted_at,
            too_soon=_is_too_soon(session, assignment, answer, submitted_at),
            source=source,
        )
    )


def _write(session: Session, assignment: Assignment, rows: Sequence[AnswerRow]) -> None:
    """The answer and what it changes, in one statement."""
    sums = {name: getattr(session, name) for name in ("saved_count", "needed_s", "elapsed_s", "timed_count")}
    closing = {"session": session.pk, "assignment": assignment.pk, "now": assignment.rated_at}
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(rows[0]), len(rows)), inserted_values(rows) | sums | closing)
        for row, (pk,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = pk


@functools.cache
def _statement(model: type[AnswerRow], n_rows: int) -> str:
    return f"{_CLOSE} {insertion(model, n_rows=n_rows)} RETURNING id"


def _needed_s(assignment: Assignment) -> float:
    return sum(_needed_of_clip_s(pair.clip.duration_s) for pair in assignment.pairs)


def _needed_of_clip_s(duration_s: float | None) -> float:
    return max(0.0, HEARD_SHARE * (duration_s or 0) - HEARD_TOLERANCE_S)


def _refuse_unless_evident(assignment: Assignment, answer: Answer) -> None:
    numbers = [answer.elapsed_s, answer.waited_s]
    numbers += [number for hearing in answer.heard for number in (hearing.plays, hearing.heard_s)]
    is_sound = all(math.isfinite(number) and number >= 0 for number in numbers)
    if not is_sound or len(answer.heard) != len(assignment.pairs):
        raise Refused(_("The page did not say how the sound was played. Reload the page and rate it again."))


def _refuse_unless_heard(assignment: Assignment, answer: Answer) -> None:
    for pair, hearing in zip(assignment.pairs, answer.heard, strict=False):
        if hearing.plays < 1 or hearing.heard_s < _needed_of_clip_s(pair.clip.duration_s):
            raise Refused(_("Please listen to the whole sound before you rate it."))


def _is_too_soon(session: Session, assignment: Assignment, answer: Answer, now: datetime) -> bool:
    """Whether there was no time to hear the clips: since its lease, by the page's own stopwatch, or, together with all
    that the session has rated, since the session began.
    """
    needed_s = _needed_s(assignment)
    since_lease_s = (now - assignment.leased_at).total_seconds()
    since_start_s = (now - session.started_at).total_seconds()
    return min(since_lease_s, answer.elapsed_s) < needed_s or since_start_s < session.needed_s + needed_s


def _shown_at(assignment: Assignment, answer: Answer, now: datetime) -> datetime:
    # A pair cannot have been shown before it was leased, whatever the page's stopwatch says.
    longest_s = (now - assignment.leased_at).total_seconds()
    return now - timedelta(seconds=min(answer.waited_s + answer.elapsed_s, longest_s))


def _count(session: Session, assignment: Assignment, answer: Answer) -> None:
    session.saved_count += assignment.leased.role != PairRole.PRACTICE
    session.needed_s += _needed_s(assignment)
    session.elapsed_s += min(answer.elapsed_s, LONGEST_PACE_S)
    session.timed_count += 1


def _close(assignment: Assignment, now: datetime) -> None:
    """Turns the lease into an answer. One that was given out again comes back as one over k."""
    leased = assignment.leased
    if assignment.released_at is not None and leased.role not in OUTSIDE_OF_K:
        type(leased).objects.filter(pk=leased.pk).update(load=F("load") + 1)
    assignment.rated_at = now
    assignment.skipped_at = None
