"""Sounds that would not play: skipped without harm to the rater, and reported."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from listening_tests.choices import PairRole, ProblemKind, SessionStatus, TestKind
from listening_tests.exceptions import Refused, Withdrawn
from listening_tests.models import Assignment, ListeningTest, Pair, ProblemReport, Rating, Session
from listening_tests.selectors import assignments_open
from listening_tests.services.ratings import Answer, rating_submit
from listening_tests.services.sessions import session_start
from listening_tests.services.skips import MOST_SKIPS, SkipReceipt, assignment_skip
from listening_tests.services.trials import trials_make
from tests.collection.sitting import current_state, start_sitting
from tests.factories import make_caption, make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db


def begin(test: ListeningTest) -> Session:
    return session_start(test=test, rater_uuid=uuid4())


def current(session: Session) -> Assignment:
    return assignments_open(session=session)[0]


def skip(session: Session, assignment: Assignment | None = None, **said: Any) -> SkipReceipt:
    uuid = (assignment or current(session)).uuid
    return assignment_skip(session=session, assignment_uuid=uuid, kind=ProblemKind.DECODE, **said)


def rate(session: Session, assignment: Assignment) -> Rating:
    given = Answer.of_score(client_uuid=uuid4(), score=7, plays=1, heard_s=1, elapsed_s=2)
    return rating_submit(session=session, assignment_uuid=assignment.uuid, answer=given).rows[0]


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
    assert (report.test, report.session, report.assignment, report.pair) == (test, session, skipped, skipped.pair)
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


def make_trials(kind: str) -> ListeningTest:
    test = make_test(kind=kind)
    for _ in range(5):
        make_pairs(test, 2, caption=make_caption())
    trials_make(test=test)
    return test


@pytest.mark.parametrize("kind", [TestKind.COMPARISON, TestKind.SIDE_BY_SIDE])
def test_of_a_trial_the_place_says_which_sound_it_was(kind: str) -> None:
    session = begin(make_trials(kind))
    skipped = current(session)

    receipt = skip(session, place=2)

    report = ProblemReport.objects.get()
    assert (report.assignment, report.pair) == (skipped, skipped.pairs[1])
    assert len(receipt.leases) == 3 and skipped not in receipt.leases


@pytest.mark.parametrize("place", [None, 3])
def test_a_trial_is_skipped_too_where_nobody_knows_which_sound(place: int | None) -> None:
    session = begin(make_trials(TestKind.COMPARISON))
    skipped = current(session)

    skip(session, place=place)

    skipped.refresh_from_db()
    assert skipped.skipped_at is not None
    assert ProblemReport.objects.get().pair is None


def post_skip(client: Client, test: ListeningTest, **said: object) -> Any:
    body = {"assignment": current_state(client, test)["next"]["assignment"], "kind": "load"} | said
    return client.post(f"/t/{test.slug}/skips/", json.dumps(body), content_type="application/json")


def test_the_page_names_the_place(client: Client) -> None:
    test = make_trials(TestKind.SIDE_BY_SIDE)
    start_sitting(client, test)
    skipped = current(Session.objects.get())

    assert post_skip(client, test, place=1).status_code == 200
    assert ProblemReport.objects.get().pair == skipped.pairs[0]
    assert post_skip(client, test).status_code == 200
    assert ProblemReport.objects.filter(pair=None).count() == 1


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        (0, "Ensure this value is greater than or equal to 1."),
        (32_768, "Ensure this value is less than or equal to 32767."),
        (1.5, "Enter a whole number."),
        ("1", "Enter a whole number."),
        (True, "Enter a whole number."),
    ],
)
def test_what_is_no_place_is_refused(client: Client, place: object, fault: str) -> None:
    test = make_trials(TestKind.COMPARISON)
    start_sitting(client, test)

    response = post_skip(client, test, place=place)

    assert response.status_code == 400
    told = f"The report could not be read (place: {fault}). Reload the page and try again."
    assert response.json() == {"error": told}
    assert not ProblemReport.objects.exists()
