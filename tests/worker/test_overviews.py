"""A test at a glance, in few queries."""

from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import PairRole, SessionStatus, WithdrawnRatings
from listening_tests.models import Consent, Exclusion, ListeningTest, Rater, Rating, Session, Withdrawal
from tests.factories import make_pair, make_test
from tests.worker.studies import make_study, rate
from worker.models import TrainingPlan
from worker.overviews import lines_of_tests, overview_of_test

pytestmark = pytest.mark.django_db


def test_it_works() -> None:
    test = make_test()
    pairs = [make_pair(test) for _ in range(4)]
    rate(pairs[:1], 3, submitted_at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC))
    rate(pairs[:2], 1, submitted_at=datetime(2026, 3, 4, 0, 0, tzinfo=UTC))
    rate([make_pair(test, role=PairRole.PRACTICE)], 2)
    overview = overview_of_test(test=test)

    assert (overview.n_pairs, overview.n_rated_pairs, overview.n_ratings, overview.n_raters) == (4, 2, 5, 4)
    pairs_by_ratings = [(bar.n_ratings, bar.n_pairs) for bar in overview.pairs_by_ratings]
    assert pairs_by_ratings == [(0, 2), (1, 1), (2, 0), (3, 0), (4, 1)]
    assert [(bar.day.day, bar.n_ratings) for bar in overview.ratings_per_day] == [(1, 3), (2, 0), (3, 0), (4, 2)]
    assert [bar.score for bar in overview.score_histogram] == list(range(11))
    assert sum(bar.n_ratings for bar in overview.score_histogram) == 5
    assert (overview.n_new_ratings, overview.n_until_retrain, overview.run_active) == (5, 495, None)
    assert (overview.n_sessions_active, overview.n_sessions_finished) == (0, 0)


def test_an_empty_test_has_empty_series() -> None:
    overview = overview_of_test(test=make_test())

    assert overview.ratings_per_day == []
    assert [(bar.n_ratings, bar.n_pairs) for bar in overview.pairs_by_ratings] == [(0, 0)]
    assert {bar.n_ratings for bar in overview.score_histogram} == {0}


def test_a_test_without_a_question_has_no_histogram() -> None:
    overview = overview_of_test(test=ListeningTest.objects.create(slug="rain", title="Rain"))

    assert (overview.score_histogram, overview.n_ratings) == ([], 0)


def test_excluded_ratings_are_counted_apart() -> None:
    test = make_test()
    for rating in rate([make_pair(test)], 3)[:2]:
        Exclusion.objects.create(rating=rating, rule="a-rule", reason="Because.")
    overview = overview_of_test(test=test)

    assert (overview.n_ratings, overview.n_excluded_ratings, overview.n_raters) == (1, 2, 1)
    assert sum(bar.n_ratings for bar in overview.ratings_per_day) == 1


def test_the_page_needs_few_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    test = make_study()
    with django_assert_num_queries(11):
        overview_of_test(test=test)


def test_retraining_by_itself_can_be_off() -> None:
    test = make_test()
    TrainingPlan.objects.create(test=test, retrain_after=0)

    assert overview_of_test(test=test).n_until_retrain is None


def test_flagged_ratings_are_counted_where_they_count() -> None:
    test = make_test()
    pairs = [make_pair(test) for _ in range(3)]
    flags = [{"late": True}, {"too_soon": True}, {"late": True, "too_soon": True}, {"too_soon": True}, {}]
    columns = ("test", "pair", "rater", "question", "source", "score", "scale_min", "scale_max", "submitted_at")
    for flagged in flags:
        [rating] = rate(pairs[:1], 1)
        row = {name: getattr(rating, name) for name in columns}
        rating.delete()
        Rating.objects.create(client_uuid=rating.client_uuid, **row | flagged)
    Exclusion.objects.create(rating=Rating.objects.filter(too_soon=True)[0], rule="a-rule", reason="Because.")
    overview = overview_of_test(test=test)

    assert (overview.n_ratings, overview.n_late, overview.n_too_soon) == (4, 2, 2)


def test_sittings_are_counted_by_how_they_ended() -> None:
    test = make_test()
    ends = [SessionStatus.ACTIVE, *[SessionStatus.COMPLETE] * 2, SessionStatus.CUT_SHORT, *[SessionStatus.SCREENED] * 4]
    for status in [*ends, *[SessionStatus.WITHDRAWN] * 5]:
        rater = Rater.objects.create()
        consent = Consent.objects.create(rater=rater, test=test, version=1)
        Session.objects.create(test=test, rater=rater, consent=consent, status=status, planned_count=1)
    overview = overview_of_test(test=test)

    assert (overview.n_sessions_active, overview.n_sessions_finished) == (1, 3)
    assert (overview.n_sessions_screened, overview.n_sessions_withdrawn) == (4, 5)


def test_withdrawals_are_counted_with_their_ratings() -> None:
    test, other = make_test(), make_test()
    for of_test, treatment, n_ratings in (
        (test, WithdrawnRatings.DELETE, 3),
        (test, WithdrawnRatings.DELETE, 4),
        (test, WithdrawnRatings.EXCLUDE, 5),
        (other, WithdrawnRatings.EXCLUDE, 6),
    ):
        rater = Rater.objects.create()
        Withdrawal.objects.create(test=of_test, rater=rater, treatment=treatment, n_ratings=n_ratings)
    overview = overview_of_test(test=test)

    assert (overview.n_withdrawals, overview.n_deleted_ratings, overview.n_kept_ratings) == (3, 7, 5)


def test_the_list_needs_few_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for _ in range(3):
        rate([make_pair(make_test())], 2)
    with django_assert_num_queries(5):
        lines = lines_of_tests()
    assert [line.n_problems for line in lines] == [0, 0, 0]
