"""The sittings of raters: begun with consent, continued after a pause, ended when nothing is left to rate."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from listening_tests.choices import PairRole, SessionStatus, TestStatus
from listening_tests.exceptions import ConsentChanged, Refused
from listening_tests.joined_rows import JoinedRows
from listening_tests.models import Assignment, Consent, ListeningTest, Rater, RaterIdentity, Session
from listening_tests.services.assignments import (
    candidate_pairs,
    leases_release_expired,
    leases_reopen,
    leases_top_up,
)
from listening_tests.services.patience import InOtherHands, patiently
from listening_tests.sitting_plan import pair_estimate_s

NOT_OPEN_SENTENCES = {
    TestStatus.DRAFT: "This listening test has not been opened yet. Please come back later.",
    TestStatus.PAUSED: "This listening test is paused. Please come back later; every score that reached us is saved.",
    TestStatus.CLOSED: "This listening test is closed. Thank you for your interest.",
}
_LOCKED = JoinedRows(
    (Session, ListeningTest),
    """
    SELECT {columns}
    FROM listening_tests_session session
    JOIN listening_tests_listeningtest listeningtest ON listeningtest.id = session.test_id
    WHERE session.id = %(session)s
    FOR NO KEY UPDATE OF session
    """,
)
ALL_IN_OTHER_HANDS = "Other raters are taking the last sounds this moment. Please try again in a minute."
NO_PAIR_LEFT = "Every sound of this listening test has all the ratings it needs. Thank you for your interest."
NO_PAIR_FREE = (
    "The last sounds of this listening test are with other raters now. What they leave comes free within {minutes} "
    "minutes: you may look again then."
)


def session_start(
    *, test: ListeningTest, rater_uuid: UUID, terms: str | None = None, recruiter: str = "", claimed_id: str = ""
) -> Session:
    """Begins the sitting of a rater who has agreed to the consent text, with their first pairs leased.

    `rater_uuid` is the pseudonym: of a rater who is known, or a new one that the consent page was given, so that a
    repeat of the request finds the same rater and the same sitting. `terms` are the `consent_terms` that the rater has
    read, None for those of now. Raises ConsentChanged where they are others by now, and Refused where the test is not
    open or no pair is left for this rater.
    """
    leases_release_expired(test_id=test.pk)
    try:
        return _start(test, rater_uuid, recruiter=recruiter, claimed_id=claimed_id, terms=terms)
    except InOtherHands as contended:
        raise Refused(ALL_IN_OTHER_HANDS) from contended


@patiently
@transaction.atomic
def _start(test: ListeningTest, rater_uuid: UUID, *, recruiter: str, claimed_id: str, terms: str | None) -> Session:
    rater, _ = Rater.objects.get_or_create(uuid=rater_uuid)
    # Of two requests at once the second waits here, and then finds the first one's session.
    Rater.objects.select_for_update(no_key=True).get(pk=rater.pk)
    existing = Session.objects.filter(test=test, rater=rater).order_by("-started_at").first()
    if existing is not None:
        return existing
    if test.status != TestStatus.OPEN:
        raise Refused(NOT_OPEN_SENTENCES[TestStatus(test.status)])
    if terms not in (None, test.consent_terms):
        raise ConsentChanged("What you agree to was changed while you read it. Please read it again.")
    return _begin(test, rater, recruiter=recruiter, claimed_id=claimed_id)


def no_pair_sentence(*, test: ListeningTest) -> str:
    """Why a newcomer gets no pair: all are rated, or others have the last ones in hand."""
    in_hand = Assignment.objects.filter(session__test=test, rated_at__isnull=True, released_at__isnull=True)
    if in_hand.exclude(pair__role=PairRole.PRACTICE).exists():
        return NO_PAIR_FREE.format(minutes=test.lease_minutes)
    return NO_PAIR_LEFT


def session_resume(*, session: Session) -> list[Assignment]:
    """The pairs in hand, the one to rate now first, with their leases renewed.

    Empty where the session has ended or the test is paused. Ends the session, cut short by the platform, where no pair
    is left; pairs in other raters' hands are looked for again before that is said.
    """
    leases_release_expired(test_id=session.test_id)
    try:
        return _resume(session)
    except InOtherHands:
        return []


@patiently
@transaction.atomic
def _resume(session: Session) -> list[Assignment]:
    locked = session_lock(session_id=session.pk)
    leases: list[Assignment] = []
    if _may_rate(locked):
        if locked.test.status == TestStatus.OPEN:
            leases = leases_top_up(session=locked, held=leases_reopen(session=locked))
        if not leases:
            _refuse_while_pairs_are_in_other_hands(locked)
            session_end(session=locked)
    session.status, session.finished_at = locked.status, locked.finished_at
    return leases


def _refuse_while_pairs_are_in_other_hands(session: Session) -> None:
    """Raises InOtherHands where a pair would do that was passed by."""
    is_asked_for = session.test.status == TestStatus.OPEN and session.saved_count < session.planned_count
    if is_asked_for and candidate_pairs(session=session).exists():
        raise InOtherHands


def session_lock(*, session_id: int) -> Session:
    """The session with its test, its row held until the transaction ends: one step of a sitting at a time.

    Raises Session.DoesNotExist.
    """
    rows = _LOCKED.fetch({"session": session_id})
    if not rows:
        raise Session.DoesNotExist(f"There is no session {session_id}.")
    session: Session
    session, session.test = rows[0]
    return session


def session_go_on(*, session: Session, held: list[Assignment]) -> list[Assignment]:
    """The pairs in hand after one was rated or skipped; ends the session where all that was planned is rated,
    or the test was closed.

    Where the list is empty and the session still active, session_resume must have a second, more patient look after
    this transaction.
    """
    if not _may_rate(session):
        return []
    if session.test.status == TestStatus.CLOSED or session.saved_count >= session.planned_count:
        session_end(session=session)
        return []
    return leases_top_up(session=session, held=held)


def session_end(*, session: Session) -> None:
    """Complete where all that was planned is rated, else cut short: the platform has no more for this rater."""
    is_complete = session.saved_count >= session.planned_count
    session.status = SessionStatus.COMPLETE if is_complete else SessionStatus.CUT_SHORT
    session.finished_at = timezone.now()
    session.save(update_fields=["status", "finished_at"])


def _may_rate(session: Session) -> bool:
    is_held_up = session.test.status in {TestStatus.PAUSED, TestStatus.DRAFT}
    return session.status == SessionStatus.ACTIVE and not is_held_up


def _begin(test: ListeningTest, rater: Rater, *, recruiter: str, claimed_id: str) -> Session:
    consent, _ = Consent.objects.get_or_create(
        rater=rater,
        test=test,
        version=test.consent_version,
        defaults={"withdrawn_ratings": test.withdrawn_ratings},
    )
    session = Session(test=test, rater=rater, consent=consent)
    planned = candidate_pairs(session=session).values_list("clip__duration_s", flat=True)[: test.pairs_per_session]
    durations_s = list(planned)
    if not durations_s:
        raise Refused(no_pair_sentence(test=test))
    session.planned_count = len(durations_s)
    session.pair_estimate_s = pair_estimate_s(durations_s=durations_s)
    session.needs_check = test.check_questions.exists()
    session.save()
    if claimed_id:
        RaterIdentity.objects.get_or_create(
            rater=rater, defaults={"recruiter": recruiter[:40], "claimed_id": claimed_id[:200]}
        )
    if not leases_top_up(session=session, held=[]):
        raise InOtherHands
    return session
