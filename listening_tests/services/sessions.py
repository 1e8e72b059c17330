"""The sittings of raters: begun with consent, continued after a pause, ended when nothing is left to rate."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from listening_tests.choices import Outcome, PairRole, SessionStatus, Source, TestStatus
from listening_tests.exceptions import ConsentChanged, Refused
from listening_tests.joined_rows import JoinedRows
from listening_tests.kinds import kind_of
from listening_tests.models import Assignment, Consent, ListeningTest, Rater, Session
from listening_tests.recruiters import Claim
from listening_tests.services.assignments import (
    candidates,
    leases_release,
    leases_release_expired,
    leases_reopen,
    leases_top_up,
)
from listening_tests.services.patience import InOtherHands, patiently
from listening_tests.services.recruitment import claim_keep, declined_forget, place_take, refuse_if_excluded
from listening_tests.services.repeats import n_repeats
from listening_tests.sitting_plan import pair_estimate_s

NOT_OPEN_SENTENCES = {
    TestStatus.DRAFT: _("This listening test has not been opened yet. Please come back later."),
    TestStatus.PAUSED: _(
        "This listening test is paused. Please come back later; every score that reached us is saved."
    ),
    TestStatus.CLOSED: _("This listening test is closed. Thank you for your interest."),
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
ALL_IN_OTHER_HANDS = _("Other raters are taking the last sounds this moment. Please try again in a minute.")
NOBODY = Claim()
_ENDING = ["status", "outcome", "finished_at"]
NO_PAIR_LEFT = _("Every sound of this listening test has all the ratings it needs. Thank you for your interest.")


def session_start(
    *,
    test: ListeningTest,
    rater_uuid: UUID,
    terms: str | None = None,
    claim: Claim = NOBODY,
    source: Source = Source.COLLECTED,
) -> Session:
    """Begins the sitting of a rater who has agreed to the consent text, with their first pairs leased.

    `rater_uuid` is the pseudonym: of a rater who is known, or a new one that the consent page was given, so that a
    repeat of the request finds the same rater and the same sitting. `terms` are the `consent_terms` that the rater has
    read, None for those of now. `claim` is what a recruiter's link said of them. Raises ConsentChanged where the terms
    are others by now, and Refused where the test is not open or has all the raters it takes, where this rater is
    excluded, or where no pair is left for them.
    """
    leases_release_expired(test_id=test.pk)
    try:
        return _start(test, rater_uuid, claim=claim, terms=terms, source=source)
    except InOtherHands as contended:
        raise Refused(ALL_IN_OTHER_HANDS) from contended


@patiently
@transaction.atomic
def _start(test: ListeningTest, rater_uuid: UUID, *, claim: Claim, terms: str | None, source: Source) -> Session:
    rater, _ = Rater.objects.get_or_create(uuid=rater_uuid, defaults={"source": source})
    # Of two requests at once the second waits here, and then finds the first one's session.
    Rater.objects.select_for_update(no_key=True).get(pk=rater.pk)
    existing = Session.objects.filter(test=test, rater=rater).order_by("-started_at").first()
    if existing is not None:
        return existing
    if test.status != TestStatus.OPEN:
        raise Refused(NOT_OPEN_SENTENCES[TestStatus(test.status)])
    if terms not in (None, test.consent_terms):
        raise ConsentChanged(gettext("What you agree to was changed while you read it. Please read it again."))
    refuse_if_excluded(test=test, rater_uuid=rater_uuid, claim=claim)
    place_take(test=test)
    return _begin(test, rater, claim)


def no_pair_sentence(*, test: ListeningTest) -> str:
    """Why a newcomer gets no pair: all are rated, or others have the last ones in hand."""
    in_hand = Assignment.objects.filter(session__test=test, rated_at__isnull=True, released_at__isnull=True)
    # Of the two the one that the assignment does not name has no role.
    is_practice = Q(pair__role=PairRole.PRACTICE) | Q(trial__role=PairRole.PRACTICE)
    if in_hand.filter(~is_practice).exists():
        return _no_pair_free(test.lease_minutes)
    return str(NO_PAIR_LEFT)


def _no_pair_free(minutes: int) -> str:
    sentence = ngettext(
        "The last sounds of this listening test are with other raters now. What they leave comes free within "
        "%(minutes)s minute: you may look again then.",
        "The last sounds of this listening test are with other raters now. What they leave comes free within "
        "%(minutes)s minutes: you may look again then.",
        minutes,
    )
    return sentence % {"minutes": minutes}


def session_resume(*, session: Session, comes_back: bool = False) -> list[Assignment]:
    """The pairs in hand, the one to rate now first, with their leases renewed.

    Empty where the session has ended or the test is paused. Ends the session, cut short by the platform, where no pair
    is left; pairs in other raters' hands are looked for again before that is said. Raises Refused where the rater
    `comes_back`, their place was given to another meanwhile, and they have rated nothing yet: who has, goes on.
    """
    leases_release_expired(test_id=session.test_id)
    try:
        return _resume(session, comes_back=comes_back)
    except InOtherHands:
        return []


@patiently
@transaction.atomic
def _resume(session: Session, *, comes_back: bool) -> list[Assignment]:
    locked = session_lock(session_id=session.pk)
    leases: list[Assignment] = []
    if _may_rate(locked):
        if locked.test.status == TestStatus.OPEN:
            if comes_back and not locked.timed_count:
                # A place of their own that is still theirs is not taken twice.
                place_take(test=locked.test, session=locked)
            leases = leases_top_up(session=locked, held=leases_reopen(session=locked))
        if not leases:
            _refuse_while_pairs_are_in_other_hands(locked)
            session_end(session=locked)
    session.status, session.outcome, session.finished_at = locked.status, locked.outcome, locked.finished_at
    return leases


def _refuse_while_pairs_are_in_other_hands(session: Session) -> None:
    """Raises InOtherHands where a pair would do that was passed by."""
    is_asked_for = session.test.status == TestStatus.OPEN and session.saved_count < session.planned_count
    if is_asked_for and candidates(session=session).exists():
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


def session_end(*, session: Session, outcome: Outcome = Outcome.COMPLETE) -> None:
    """Complete where all that was planned is rated, else cut short: the platform has no more for this rater.

    What was cut short counts as complete, and has its outcome, unless another one is given.
    """
    is_complete = session.saved_count >= session.planned_count
    session.status = SessionStatus.COMPLETE if is_complete else SessionStatus.CUT_SHORT
    session.outcome = Outcome.COMPLETE if is_complete else outcome
    session.finished_at = timezone.now()
    session.save(update_fields=_ENDING)


def session_screen_out(*, session: Session) -> None:
    """Ends the session before its first pair, since a check was not passed; its pairs go to others."""
    session.status = SessionStatus.SCREENED
    session.outcome = Outcome.SCREENED_OUT
    session.finished_at = timezone.now()
    session.save(update_fields=_ENDING)
    unrated = session.assignments.filter(rated_at__isnull=True, released_at__isnull=True)
    leases_release(leases=list(unrated.order_by("pk").select_for_update(no_key=True)))


def _may_rate(session: Session) -> bool:
    is_held_up = session.test.status in {TestStatus.PAUSED, TestStatus.DRAFT}
    return session.status == SessionStatus.ACTIVE and not is_held_up


def _begin(test: ListeningTest, rater: Rater, claim: Claim) -> Session:
    consent, _ = Consent.objects.get_or_create(
        rater=rater,
        test=test,
        version=test.consent_version,
        defaults={"withdrawn_ratings": test.withdrawn_ratings},
    )
    session = Session(test=test, rater=rater, consent=consent)
    planned = kind_of(test).leased.with_seconds(candidates(session=session))
    durations_s = list(planned.order_by().values_list("seconds", flat=True)[: test.pairs_per_session])
    if not durations_s:
        raise Refused(no_pair_sentence(test=test))
    session.planned_repeats = n_repeats(test=test, n_others=len(durations_s))
    session.planned_count = len(durations_s) + session.planned_repeats
    session.pair_estimate_s = pair_estimate_s(durations_s=durations_s)
    session.needs_check = test.check_questions.exists()
    session.headphone_check = test.headphone_check
    session.save()
    claim_keep(session=session, claim=claim)
    declined_forget(test=test, form=rater.uuid)
    if not leases_top_up(session=session, held=[]):
        raise InOtherHands
    return session
