"""Sounds that would not play: skipped without harm to the rater, and reported."""

from uuid import uuid4

import pytest

from listening_tests.choices import PairRole, ProblemKind, SessionStatus
from listening_tests.exceptions import Refused, Withdrawn
from listening_tests.models import Assignment, ListeningTest, Pair, ProblemReport, Rating, Session
from listening_tests.selectors import assignments_open
from listening_tests.services.ratings import Answer, rating_submit
from listening_tests.services.sessions import session_start
from listening_tests.services.skips import MOST_SKIPS, SkipReceipt, assignment_skip
from tests.factories import make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db


def begin(test: ListeningTest) -> Session:
    return session_start(test=test, rater_uuid=uuid4())


def current(session: Session) -> Assignment:
    return assignments_open(session=session)[0]


def skip(session: Session, assignment: Assignment | None = None, **said: str) -> SkipReceipt:
    uuid = (assignment or current(session)).uuid
    return assignment_skip(session=session, assignment_uuid=uuid, kind=ProblemKind.DECODE, **said)


def rate(session: Session, assignment: Assignment) -> Rating:
    given = Answer(client_uuid=uuid4(), score=7, plays=1, heard_s=1, elapsed_s=2)
    return rating_submit(session=session, assignment_uuid=assignment.uuid, answer=given).rating


def test_it_works() -> None:
    test = make_test(pairs_per_session=3)
    make_pairs(test, 5)
    session = begin(test)
    skipped = current(session)

    receipt = skip(session, text="MediaError 4", browser="Browser/1.0")

    assert len(receipt.leases) == 3
    assert skipped not in receipt.leases
    assert receipt.session.saved_count == 0
    report = ProblemReport.objects.get()
    assert (report.test, report.session, report.assignment) == (test, session, skipped)
    assert (report.kind, report.text, report.browser) == ("decode", "MediaError 4", "Browser/1.0")
    assert Pair.objects.get(pk=skipped.pair_id).load == 0
    skipped.refresh_from_db()
    assert skipped.skipped_at is not None


def test_the_repeat_of_a_skip_changes_nothing() -> None:
    test = make_test()
    make_pairs(test, 5)
    session = begin(test)
    skipped = current(session)
    assert skip(session, skipped).leases == skip(session, skipped).leases
    assert ProblemReport.objects.count() == 1
    assert Pair.objects.get(pk=skipped.pair_id).load == 0


def test_a_rating_that_overtook_the_skip_stays() -> None:
    test = make_test()
    make_pairs(test, 5)
    session = begin(test)
    assignment = current(session)
    rate(session, assignment)
    skip(session, assignment)
    assert not ProblemReport.objects.exists()
    assert Pair.objects.get(pk=assignment.pair_id).load == 1


def test_a_rating_that_comes_after_the_skip_is_kept_and_counts() -> None:
    test = make_test()
    make_pairs(test, 5)
    session = begin(test)
    assignment = current(session)
    skip(session, assignment)
    assert rate(session, assignment).pair == assignment.pair
    assert Pair.objects.get(pk=assignment.pair_id).load == 1


def test_a_rating_after_the_skip_is_marked_where_it_may_exceed_k() -> None:
    test = make_test(ratings_per_pair=1, pairs_per_session=1)
    (pair,) = make_pairs(test, 1)
    session = begin(test)
    skipped = current(session)
    skip(session, skipped)
    other = begin(test)
    assert not rate(other, current(other)).late
    assert rate(session, skipped).late
    pair.refresh_from_db()
    assert pair.load == 2


def test_a_rater_is_not_given_again_what_would_not_play() -> None:
    test = make_test(pairs_per_session=2)
    make_pairs(test, 3)
    session = begin(test)
    skipped = current(session)
    skip(session, skipped)
    while assignments_open(session=session):
        rate(session, current(session))
    session.refresh_from_db()
    assert session.status == SessionStatus.COMPLETE
    assert not skipped.ratings.exists()


def test_where_no_other_pair_is_left_the_sitting_counts_as_complete() -> None:
    test = make_test(pairs_per_session=2)
    make_pairs(test, 2)
    session = begin(test)
    skip(session)
    rate(session, current(session))
    session.refresh_from_db()
    assert session.status == SessionStatus.CUT_SHORT


def test_a_skipped_practice_pair_takes_no_place_off() -> None:
    test = make_test()
    make_pairs(test, 3)
    practice = make_pair(test, role=PairRole.PRACTICE)
    skip(begin(test))
    practice.refresh_from_db()
    assert practice.load == 0


def test_a_browser_that_plays_nothing_does_not_use_up_the_test() -> None:
    test = make_test()
    make_pairs(test, MOST_SKIPS + 5)
    session = begin(test)
    receipts = [skip(session) for _ in range(MOST_SKIPS)]
    assert [receipt.session.status for receipt in receipts[-2:]] == [SessionStatus.ACTIVE, SessionStatus.CUT_SHORT]
    assert receipts[-1].leases == []


def test_another_raters_sound_is_refused() -> None:
    test = make_test()
    make_pairs(test, 9)
    mine, theirs = begin(test), begin(test)
    with pytest.raises(Refused) as refusal:
        skip(mine, current(theirs))
    assert str(refusal.value) == "This sound was not given to you. Reload the page to go on."
    assert not ProblemReport.objects.exists()


def test_who_withdrew_is_refused() -> None:
    test = make_test()
    make_pairs(test, 3)
    session = begin(test)
    assignment = current(session)
    Session.objects.update(status=SessionStatus.WITHDRAWN)
    with pytest.raises(Withdrawn) as refusal:
        skip(session, assignment)
    assert str(refusal.value) == "You have withdrawn from this test, so nothing more of yours is saved."
    assert not ProblemReport.objects.exists()


def test_before_the_comprehension_check_nothing_is_skipped() -> None:
    """Ten skips end a sitting as complete, so they must not lead past the check."""
    test = make_test()
    make_pairs(test, 5)
    test.check_questions.create()
    session = begin(test)
    with pytest.raises(Refused) as refusal:
        skip(session)
    assert str(refusal.value) == "The questions on the instructions come first. Reload the page to go on."
    assert not ProblemReport.objects.exists()
    assert not session.assignments.filter(skipped_at__isnull=False).exists()
