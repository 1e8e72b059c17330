"""The sittings of raters: begun with consent, continued after a pause, ended when nothing is left to rate."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from listening_tests.choices import FINISHED_SESSION_STATUSES, SessionStatus, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import Assignment, Consent, ListeningTest, Rater, RaterIdentity, Session
from listening_tests.selectors import assignment_current, session_progress
from listening_tests.services.assignments import assignment_lease, candidate_pairs, leases_release_expired

NOT_OPEN_SENTENCES = {
    TestStatus.DRAFT: "This listening test has not been opened yet. Please come back later.",
    TestStatus.PAUSED: "This listening test is paused. Please come back later; every score that reached us is saved.",
    TestStatus.CLOSED: "This listening test is closed. Thank you for your interest.",
}
NO_PAIR_LEFT = "Every sound of this listening test has all the ratings it needs. Thank you for your interest."


def session_start(*, test: ListeningTest, rater_uuid: UUID, recruiter: str = "", claimed_id: str = "") -> Session:
    """Begins the sitting of a rater who has agreed to the consent text, with their first pair leased.

    `rater_uuid` is the pseudonym: of a rater who is known, or a new one that the consent page was given, so that a
    repeat of the request finds the same rater and the same sitting. Raises Refused where the test is not open or no
    pair is left for this rater.
    """
    leases_release_expired(test_id=test.pk)
    with transaction.atomic():
        rater, _ = Rater.objects.get_or_create(uuid=rater_uuid)
        # Of two requests at once the second waits here, and then finds the first one's session.
        Rater.objects.select_for_update(no_key=True).get(pk=rater.pk)
        existing = Session.objects.filter(test=test, rater=rater).order_by("-started_at").first()
        if existing is not None:
            return existing
        if test.status != TestStatus.OPEN:
            raise Refused(NOT_OPEN_SENTENCES[TestStatus(test.status)])
        return _begin(test, rater, recruiter=recruiter, claimed_id=claimed_id)


def session_resume(*, session: Session) -> Assignment | None:
    """The pair to rate now, with its lease renewed; None where the session has ended or the test is paused."""
    leases_release_expired(test_id=session.test_id)
    with transaction.atomic():
        locked = session_lock(session_id=session.pk)
        current = assignment_current(session=locked) or session_advance(session=locked)
        session.status, session.finished_at = locked.status, locked.finished_at
        return current


def session_lock(*, session_id: int) -> Session:
    """The session with its test, its row held until the transaction ends: one step of a sitting at a time."""
    return Session.objects.select_for_update(of=("self",), no_key=True).select_related("test").get(pk=session_id)


def session_advance(*, session: Session) -> Assignment | None:
    """Leases the next pair, or ends the session: complete, or cut short where the platform has no more for the rater.

    Runs inside a transaction that holds the session's row. While the test is paused nothing happens.
    """
    if session.status in FINISHED_SESSION_STATUSES or session.test.status in {TestStatus.PAUSED, TestStatus.DRAFT}:
        return None
    is_complete = session_progress(session=session).saved >= session.planned_count
    if not is_complete and session.test.status == TestStatus.OPEN:
        assignment = assignment_lease(session=session)
        if assignment is not None:
            return assignment
    _finish(session, SessionStatus.COMPLETE if is_complete else SessionStatus.CUT_SHORT)
    return None


def _begin(test: ListeningTest, rater: Rater, *, recruiter: str, claimed_id: str) -> Session:
    consent, _ = Consent.objects.get_or_create(rater=rater, test=test, version=test.consent_version)
    session = Session(test=test, rater=rater, consent=consent)
    session.planned_count = candidate_pairs(session=session)[: test.pairs_per_session].count()
    if not session.planned_count:
        raise Refused(NO_PAIR_LEFT)
    session.save()
    if claimed_id:
        RaterIdentity.objects.get_or_create(
            rater=rater, defaults={"recruiter": recruiter[:40], "claimed_id": claimed_id[:200]}
        )
    if assignment_lease(session=session) is None:
        raise Refused(NO_PAIR_LEFT)
    return session


def _finish(session: Session, status: SessionStatus) -> None:
    session.status = status
    session.finished_at = timezone.now()
    session.save(update_fields=["status", "finished_at"])
