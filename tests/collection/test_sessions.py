"""The sitting of a rater, by the services that the pages call."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from listening_tests.choices import PairRole, SessionStatus, TestStatus
from listening_tests.exceptions import RatingConflict, Refused
from listening_tests.models import Assignment, Consent, ListeningTest, Pair, Rater, RaterIdentity, Rating, Session
from listening_tests.recruiters import Claim
from listening_tests.selectors import Progress, assignments_open, session_progress
from listening_tests.services.assignments import leases_release_expired
from listening_tests.services.ratings import Answer, RatingReceipt, rating_submit
from listening_tests.services.sessions import session_resume, session_start
from tests.factories import make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db


def answer(score: float = 7, **fields: object) -> Answer:
    values = {"client_uuid": uuid4(), "score": score, "plays": 1, "heard_s": 1.0, "elapsed_s": 4.0} | fields
    return Answer.of_score(**values)  # type: ignore[arg-type]


def begin(test: ListeningTest) -> Session:
    return session_start(test=test, rater_uuid=uuid4())


def current(session: Session) -> Assignment:
    return assignments_open(session=session)[0]


def saved(session: Session) -> int:
    session.refresh_from_db()
    return session_progress(session=session).saved


def rate(session: Session, given: Answer | None = None) -> RatingReceipt:
    return rating_submit(session=session, assignment_uuid=current(session).uuid, answer=given or answer())


def end_leases(session: Session) -> None:
    session.assignments.update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def test_it_works() -> None:
    test = make_test(pairs_per_session=3, consent_version=2)
    make_pairs(test, 5)
    practice = make_pair(test, role=PairRole.PRACTICE)

    session = begin(test)

    assert session.consent.version == 2
    assert session.planned_count == 3
    assert current(session).pair == practice
    assert rate(session).created
    assert saved(session) == 0
    receipts = [rate(session, answer(score)) for score in (0, 10, 5)]
    assert saved(session) == 3
    assert receipts[-1].leases == []
    assert receipts[-1].session.status == SessionStatus.COMPLETE
    study = Rating.objects.exclude(pair=practice)
    assert sorted(study.values_list("score", flat=True)) == [0, 5, 10]
    assert study.values("pair").distinct().count() == 3
    row = study.get(score=10)
    assert (row.plays, row.heard_s, row.scale_min, row.scale_max, row.late) == (1, 1.0, 0, 10, False)
    assert row.assignment is not None
    assert row.assignment.leased_at <= row.shown_at <= row.submitted_at


def test_same_start_twice_is_one_session() -> None:
    test = make_test()
    make_pairs(test, 2)
    rater_uuid = uuid4()
    first = session_start(test=test, rater_uuid=rater_uuid, claim=Claim("prolific", "abc"))
    assert session_start(test=test, rater_uuid=rater_uuid, claim=Claim("prolific", "abc")) == first
    assert Assignment.objects.count() == 2
    assert Rater.objects.count() == Consent.objects.count() == 1
    assert RaterIdentity.objects.get().claimed_id == "abc"


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            TestStatus.PAUSED,
            "This listening test is paused. Please come back later; every score that reached us is saved.",
        ),
        (TestStatus.CLOSED, "This listening test is closed. Thank you for your interest."),
    ],
)
def test_start_is_refused_unless_open(status: str, sentence: str) -> None:
    test = make_test(status=status)
    make_pairs(test, 2)
    with pytest.raises(Refused) as refusal:
        begin(test)
    assert str(refusal.value) == sentence
    assert not Rater.objects.exists()
    assert not Session.objects.exists()


def test_start_is_refused_where_no_pair_is_left() -> None:
    test = make_test(ratings_per_pair=1)
    make_pairs(test, 1)
    make_pair(test, role=PairRole.PRACTICE)
    session = begin(test)
    rate(session)
    rate(session)
    with pytest.raises(Refused) as refusal:
        begin(test)
    assert str(refusal.value) == (
        "Every sound of this listening test has all the ratings it needs. Thank you for your interest."
    )
    assert Session.objects.count() == Rater.objects.count() == 1


def test_start_is_refused_while_others_have_the_last_pairs() -> None:
    test = make_test(ratings_per_pair=1, lease_minutes=12)
    make_pairs(test, 1)
    begin(test)
    with pytest.raises(Refused) as refusal:
        begin(test)
    assert str(refusal.value) == (
        "The last sounds of this listening test are with other raters now. What they leave comes free within 12 "
        "minutes: you may look again then."
    )
    assert Session.objects.count() == Rater.objects.count() == 1


def test_many_ended_leases_do_not_hide_their_pairs() -> None:
    test = make_test(ratings_per_pair=1)
    make_pairs(test, 51)
    left = [begin(test) for _ in range(17)]
    for session in left:
        end_leases(session)
    assert begin(test).planned_count == 20
    assert Pair.objects.filter(load=1).count() == 3
    assert Assignment.objects.filter(released_at__isnull=False).count() == 51


def test_ended_leases_do_not_cut_a_session_short() -> None:
    test = make_test(ratings_per_pair=1, pairs_per_session=1)
    make_pairs(test, 2)
    going, left = begin(test), begin(test)
    Session.objects.filter(pk=going.pk).update(planned_count=2)
    end_leases(left)
    receipt = rate(going)
    assert receipt.leases != []
    assert receipt.session.status == SessionStatus.ACTIVE


def test_session_is_cut_short_where_the_platform_runs_out_of_pairs() -> None:
    test = make_test(ratings_per_pair=1, pairs_per_session=4)
    make_pairs(test, 4)
    first, second = begin(test), begin(test)
    assert (first.planned_count, second.planned_count) == (4, 1)
    assert rate(second).session.status == SessionStatus.COMPLETE
    assert [rate(first).session.status for _ in range(3)] == ["active", "active", SessionStatus.CUT_SHORT]


def test_a_sitting_has_three_pairs_in_hand_and_never_more_than_it_plans() -> None:
    test = make_test(pairs_per_session=4)
    make_pairs(test, 9)
    session = begin(test)
    in_hand = [len(assignments_open(session=session)), *(len(rate(session).leases) for _ in range(4))]
    assert in_hand == [3, 3, 2, 1, 0]
    assert Assignment.objects.count() == 4


def test_a_rating_is_flagged_where_its_clip_could_not_have_been_heard_by_then() -> None:
    test = make_test()
    make_pairs(test, 9)
    session = begin(test)
    flagged = []

    def rate_after(*, lease_s: float, session_s: float, elapsed_s: float) -> None:
        now = timezone.now()
        session.assignments.filter(rated_at=None).update(leased_at=now - timedelta(seconds=lease_s))
        Session.objects.filter(pk=session.pk).update(started_at=now - timedelta(seconds=session_s))
        flagged.append(rate(session, answer(elapsed_s=elapsed_s)).rows[0].too_soon)

    rate_after(lease_s=5, session_s=60, elapsed_s=4)
    rate_after(lease_s=0.5, session_s=60, elapsed_s=4)
    rate_after(lease_s=5, session_s=60, elapsed_s=0.5)
    rate_after(lease_s=5, session_s=3, elapsed_s=4)
    assert flagged == [False, True, True, True]
    assert saved(session) == 4


def test_a_rating_that_waited_in_the_browser_was_shown_so_much_earlier() -> None:
    test = make_test()
    make_pairs(test, 2)
    session = begin(test)
    session.assignments.update(leased_at=timezone.now() - timedelta(minutes=5))
    rating = rate(session, answer(elapsed_s=10, waited_s=60)).rows[0]
    assert rating.submitted_at - rating.shown_at == timedelta(seconds=70)


def test_repeat_gets_the_same_row() -> None:
    test = make_test()
    make_pairs(test, 3)
    session = begin(test)
    assignment, given = current(session), answer(4)
    first = rating_submit(session=session, assignment_uuid=assignment.uuid, answer=given)
    again = rating_submit(session=session, assignment_uuid=assignment.uuid, answer=given)
    assert (first.created, again.created) == (True, False)
    assert first.rows == again.rows
    assert first.leases == again.leases
    assert len(first.leases) == 2
    assert Rating.objects.count() == 1


def test_repeat_with_another_score_is_refused() -> None:
    test = make_test()
    make_pairs(test, 3)
    session = begin(test)
    assignment, given = current(session), answer(4)
    rating_submit(session=session, assignment_uuid=assignment.uuid, answer=given)
    other = answer(9, client_uuid=given.client_uuid)
    with pytest.raises(RatingConflict) as refusal:
        rating_submit(session=session, assignment_uuid=assignment.uuid, answer=other)
    assert str(refusal.value) == "This rating was saved before with another score. The first one is kept."
    with pytest.raises(RatingConflict) as refusal:
        rating_submit(session=session, assignment_uuid=assignment.uuid, answer=answer(4))
    assert str(refusal.value) == (
        "You have rated this sound before. The first score is kept. Reload the page to go on."
    )
    assert Rating.objects.get().score == 4


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            answer(11),
            "The score 11 is not on the scale from 0 to 10 in steps of 1. Choose one of the numbers shown.",
        ),
        (
            answer(3.5),
            "The score 3.5 is not on the scale from 0 to 10 in steps of 1. Choose one of the numbers shown.",
        ),
        (
            answer(float("nan")),
            "The score nan is not on the scale from 0 to 10 in steps of 1. Choose one of the numbers shown.",
        ),
        (answer(heard_s=0.89), "Please listen to the whole sound before you rate it."),
        (answer(plays=0), "Please listen to the whole sound before you rate it."),
        (
            answer(heard_s=float("inf")),
            "The page did not say how the sound was played. Reload the page and rate it again.",
        ),
    ],
)
def test_bad_rating_is_refused(given: Answer, sentence: str) -> None:
    test = make_test()
    make_pairs(test, 2)
    session = begin(test)
    with pytest.raises(Refused) as refusal:
        rate(session, given)
    assert str(refusal.value) == sentence
    assert not Rating.objects.exists()
    assert Assignment.objects.filter(rated_at__isnull=True).count() == 2
    session.refresh_from_db()
    assert (session.saved_count, session.timed_count, session.elapsed_s) == (0, 0, 0)


def test_heard_is_never_longer_than_the_clip() -> None:
    test = make_test()
    make_pairs(test, 2)
    assert rate(begin(test), answer(heard_s=3e8)).rows[0].heard_s == 1.0


def test_another_raters_pair_is_refused() -> None:
    test = make_test()
    make_pairs(test, 2)
    mine, theirs = begin(test), begin(test)
    with pytest.raises(Refused) as refusal:
        rating_submit(session=mine, assignment_uuid=current(theirs).uuid, answer=answer())
    assert str(refusal.value) == "This sound was not given to you. Reload the page to go on."
    assert not Rating.objects.exists()


def test_ended_lease_is_given_out_again_and_the_late_rating_is_kept() -> None:
    test = make_test(ratings_per_pair=1, pairs_per_session=1)
    (pair,) = make_pairs(test, 1)
    left = begin(test)
    assignment = current(left)
    end_leases(left)

    arrived = begin(test)
    assert current(arrived).pair == pair
    assert not rate(arrived).rows[0].late
    late = rating_submit(session=left, assignment_uuid=assignment.uuid, answer=answer())

    assert late.rows[0].late
    assert late.session.status == SessionStatus.COMPLETE
    pair.refresh_from_db()
    assert pair.load == Rating.objects.count() == 2


def test_late_ratings_on_top_of_the_plan_are_never_more_than_all() -> None:
    test = make_test(ratings_per_pair=1, pairs_per_session=1)
    make_pairs(test, 2)
    session = begin(test)
    left_behind = current(session)
    end_leases(session)
    Pair.objects.filter(pk=left_behind.pair_id).update(load=2)  # in another rater's hands
    session_resume(session=session)
    rate(session)
    rating_submit(session=session, assignment_uuid=left_behind.uuid, answer=answer())
    session.refresh_from_db()
    assert session_progress(session=session) == Progress(saved=2, planned=2)


def test_a_rater_who_comes_back_gets_the_same_pair() -> None:
    test = make_test()
    make_pairs(test, 3)
    session = begin(test)
    assignment = current(session)
    end_leases(session)
    assert assignments_open(session=session) == []
    assert session_resume(session=session)[0] == assignment
    assert not rate(session).rows[0].late


def test_a_rater_who_comes_back_to_a_pair_that_was_given_away_gets_another() -> None:
    test = make_test(ratings_per_pair=1, pairs_per_session=1)
    make_pairs(test, 1)
    left = begin(test)
    end_leases(left)
    rate(begin(test))
    (fresh,) = make_pairs(test, 1)
    assert [lease.pair for lease in session_resume(session=left)] == [fresh]


def test_who_comes_back_gets_no_more_than_is_planned() -> None:
    test = make_test(pairs_per_session=3)
    make_pairs(test, 9)
    session = begin(test)
    rate(session)
    end_leases(session)
    leases_release_expired(test_id=test.pk)
    Session.objects.update(planned_count=2)
    assert len(session_resume(session=session)) == 1


def test_paused_test_keeps_the_rating_and_waits() -> None:
    test = make_test()
    make_pairs(test, 3)
    session = begin(test)
    ListeningTest.objects.update(status=TestStatus.PAUSED)
    receipt = rate(session)
    assert receipt.created
    assert receipt.leases == []
    assert receipt.session.status == SessionStatus.ACTIVE
    ListeningTest.objects.update(status=TestStatus.OPEN)
    assert session_resume(session=Session.objects.get()) != []


def test_closed_test_ends_the_session() -> None:
    test = make_test()
    make_pairs(test, 3)
    session = begin(test)
    ListeningTest.objects.update(status=TestStatus.CLOSED)
    assert rate(session).session.status == SessionStatus.CUT_SHORT


def test_the_database_refuses_what_no_form_would_let_through() -> None:
    test = make_test()
    make_pairs(test, 2)
    session = begin(test)
    rating = rate(session).rows[0]
    for change in ({"score": 11}, {"score": -1}, {"plays": None}, {"assignment": None}, {"source": "guessed"}):
        values = {
            field.attname: getattr(rating, field.attname)
            for field in Rating._meta.concrete_fields
            if field.name != "id"
        }
        copy = Rating(**values | {"uuid": uuid4(), "client_uuid": uuid4(), "assignment_id": current(session).pk})
        for name, value in change.items():
            setattr(copy, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            copy.save(force_insert=True)


def test_the_database_refuses_to_edit_a_rating() -> None:
    test = make_test()
    make_pairs(test, 2)
    rating = rate(begin(test)).rows[0]
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        Rating.objects.filter(pk=rating.pk).update(score=0)
    assert "Ratings are never edited" in str(refusal.value)
    rating.refresh_from_db()
    assert rating.score == 7
