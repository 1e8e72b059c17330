"""Who withdraws at the same moment as something else happens: threads on PostgreSQL, each with its own connection."""

from functools import partial
from uuid import uuid4

import pytest
from django.db.models import Count, Q

from listening_tests.comprehension import check_items
from listening_tests.exceptions import Refused
from listening_tests.models import Pair, Rating, Session, Withdrawal
from listening_tests.services.checks import check_submit
from listening_tests.services.problems import problem_report
from listening_tests.services.questionnaires import QuestionnaireAnswers, questionnaire_submit
from listening_tests.services.ratings import Answer, rating_submit
from listening_tests.services.sessions import session_resume, session_start
from listening_tests.services.withdrawals import rater_withdraw
from tests.collection.test_sessions_race import together
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db(transaction=True)


def rate(session: Session) -> bool:
    """Whether a rating of the session's next pair was acknowledged."""
    given = Answer.of_score(client_uuid=uuid4(), score=5, plays=1, heard_s=1, elapsed_s=2)
    assignment = session.assignments.filter(rated_at__isnull=True).order_by("position").first()
    if assignment is None:
        return False
    try:
        return rating_submit(session=session, assignment_uuid=assignment.uuid, answer=given).created
    except Refused:
        return False


def assert_loads_are_true() -> None:
    counts = {
        "n_ratings": Count("ratings", distinct=True),
        "n_leases": Count(
            "assignments",
            filter=Q(assignments__rated_at__isnull=True, assignments__released_at__isnull=True),
            distinct=True,
        ),
    }
    for load, n_ratings, n_leases in Pair.objects.annotate(**counts).values_list("load", *counts):
        assert load == n_ratings + n_leases


def test_two_withdrawals_at_once_are_one() -> None:
    test = make_test()
    make_pairs(test, 5)
    session = session_start(test=test, rater_uuid=uuid4())
    assert rate(session)

    withdrawals = together([partial(rater_withdraw, session=session)] * 6)

    assert len(set(withdrawals)) == 1
    assert Withdrawal.objects.get().n_ratings == 1
    assert_loads_are_true()


def test_a_rating_at_the_moment_of_withdrawing_is_deleted_and_counted_or_refused() -> None:
    for _ in range(5):
        test = make_test(ratings_per_pair=20)
        make_pairs(test, 5)
        session = session_start(test=test, rater_uuid=uuid4())

        acknowledged, *_ = together(
            [partial(rate, session), partial(rater_withdraw, session=session), partial(session_resume, session=session)]
        )

        assert not Rating.objects.exists()
        assert Withdrawal.objects.get(test=test).n_ratings == int(acknowledged)
        assert_loads_are_true()


def test_many_who_withdraw_while_others_rate_the_same_pairs() -> None:
    """They take pairs in different orders, and none waits for another for ever."""
    test = make_test(ratings_per_pair=50)
    make_pairs(test, 6)
    leaving = [session_start(test=test, rater_uuid=uuid4()) for _ in range(6)]
    staying = [session_start(test=test, rater_uuid=uuid4()) for _ in range(6)]
    for session in leaving:
        assert rate(session)
        assert rate(session)

    together(
        [partial(rater_withdraw, session=session) for session in leaving]  # type: ignore[arg-type]
        + [partial(rate, session) for session in staying]
    )

    assert Rating.objects.count() == 6
    assert_loads_are_true()


def test_the_same_attempt_sent_at_once_counts_once() -> None:
    test = make_test()
    make_pairs(test, 5)
    test.check_questions.create()
    session = session_start(test=test, rater_uuid=uuid4())
    wrong = {
        item.question.pk: next(name for name in item.answers if not item.is_right(name))
        for item in check_items(session)
    }

    receipts = together([partial(check_submit, session=session, attempt=1, answers=wrong)] * 6)

    assert sum(receipt.counted for receipt in receipts) == 1
    session.refresh_from_db()
    assert (session.check_attempts, session.needs_check, session.status) == (1, True, "active")


def test_the_same_report_and_the_same_answers_sent_at_once_are_one_row() -> None:
    test = make_test()
    make_pairs(test, 1)
    session = session_start(test=test, rater_uuid=uuid4())
    assert rate(session)
    client_uuid = uuid4()

    reports = together(
        [partial(problem_report, test=test, session=session, client_uuid=client_uuid, text="No sound")] * 6
    )
    together([partial(questionnaire_submit, session=session, answers=QuestionnaireAnswers(remarks="Fine"))] * 6)

    assert len(set(reports)) == 1
    assert test.problem_reports.count() == 1
    assert Session.objects.get().questionnaire.remarks == "Fine"
