"""Sounds that would not play: passed over without harm to the rater, and reported to the researcher."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from listening_tests.choices import Outcome, ProblemKind, SessionStatus
from listening_tests.models import Assignment, Pair, ProblemReport, Session
from listening_tests.services.assignments import leases_in_hand, leases_release
from listening_tests.services.patience import patiently
from listening_tests.services.ratings import not_given, refuse_unless_taking
from listening_tests.services.sessions import session_end, session_go_on, session_lock, session_resume

# After so many sounds that would not play it is the browser or the network: the sitting ends, and is paid.
MOST_SKIPS = 10
LONGEST_TEXT = 2000
LONGEST_BROWSER = 300


@dataclass(frozen=True)
class SkipReceipt:
    """The session as it is now, and what it has in hand, the next one first."""

    session: Session
    leases: list[Assignment]


def assignment_skip(
    *,
    session: Session,
    assignment_uuid: UUID,
    kind: ProblemKind,
    text: str = "",
    browser: str = "",
    place: int | None = None,
) -> SkipReceipt:
    """Takes a pair or a trial with a sound that would not play out of the sitting, files the report, and leases another
    in its stead.

    `place` says which sound of a trial it was, from 1 on; one that is not there is passed over. A repeat changes
    nothing; nor does the skip of what is rated. Raises Refused where the assignment is not this rater's or the
    comprehension check is not passed, and Withdrawn where the rater has withdrawn.
    """
    said = {"kind": kind, "text": text[:LONGEST_TEXT], "browser": browser[:LONGEST_BROWSER]}
    receipt = _skip(session, assignment_uuid, place, said)
    if receipt.leases or receipt.session.status != SessionStatus.ACTIVE:
        return receipt
    return SkipReceipt(receipt.session, session_resume(session=receipt.session))


@patiently
@transaction.atomic
def _skip(session: Session, assignment_uuid: UUID, place: int | None, said: dict[str, str]) -> SkipReceipt:
    session = session_lock(session_id=session.pk)
    refuse_unless_taking(session=session)
    held = leases_in_hand(session=session, named=assignment_uuid)
    assignment = next((one for one in held if one.uuid == assignment_uuid), None)
    if assignment is None:
        raise not_given()
    if assignment.rated_at is None and assignment.skipped_at is None:
        _close(assignment)
        pair = _pair_at(assignment, place)
        ProblemReport.objects.create(test=session.test, session=session, assignment=assignment, pair=pair, **said)
    if session.status == SessionStatus.ACTIVE and _count_skips(session) >= MOST_SKIPS:
        session_end(session=session, outcome=Outcome.TECHNICAL_FAILURE)
    others = [one for one in held if one is not assignment]
    return SkipReceipt(session, session_go_on(session=session, held=others))


def _close(assignment: Assignment) -> None:
    if assignment.released_at is None:
        leases_release(leases=[assignment])
    assignment.released_at = assignment.released_at or timezone.now()
    assignment.skipped_at = timezone.now()
    assignment.save(update_fields=["released_at", "skipped_at"])


def _pair_at(assignment: Assignment, place: int | None) -> Pair | None:
    """Of a pair itself; of a trial the one at the place, where that is known."""
    if assignment.pair_id is not None:
        return assignment.pair
    if place is None:
        return None
    presented = assignment.presentations.filter(place=place).select_related("pair").first()
    return presented.pair if presented else None


def _count_skips(session: Session) -> int:
    return session.assignments.filter(skipped_at__isnull=False).count()
