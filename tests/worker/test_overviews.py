"""A test at a glance, in few queries."""

from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import PairRole, SessionStatus, TestKind, WithdrawnRatings
from listening_tests.models import (
    Comparison,
    Consent,
    Exclusion,
    ListeningTest,
    Question,
    Rater,
    Rating,
    Session,
    Withdrawal,
)
from tests.factories import make_pair, make_test
from tests.sittings import answer_all, anything_in, make_test_of, prefer
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

    assert (overview.n_items, overview.n_answered_items, overview.n_answers, overview.n_raters) == (4, 2, 5, 4)
    items_by_answers = [(bar.n_answers, bar.n_items) for bar in overview.items_by_answers]
    assert items_by_answers == [(0, 2), (1, 1), (2, 0), (3, 0), (4, 1)]
    assert [(bar.day.day, bar.n_answers) for bar in overview.answers_per_day] == [(1, 3), (2, 0), (3, 0), (4, 2)]
    assert [bar.score for bar in overview.score_histogram] == list(range(11))
    assert sum(bar.n_answers for bar in overview.score_histogram) == 5
    assert (overview.n_new_ratings, overview.n_until_retrain, overview.run_active) == (5, 495, None)
    assert (overview.n_sessions_active, overview.n_sessions_finished) == (0, 0)


def test_an_empty_test_has_empty_series() -> None:
    overview = overview_of_test(test=make_test())

    assert overview.answers_per_day == []
    assert [(bar.n_answers, bar.n_items) for bar in overview.items_by_answers] == [(0, 0)]
    assert {bar.n_answers for bar in overview.score_histogram} == {0}


def test_a_test_without_a_question_has_no_histogram() -> None:
    overview = overview_of_test(test=ListeningTest.objects.create(slug="rain", title="Rain"))

    assert (overview.score_histogram, overview.n_answers) == ([], 0)


def test_excluded_ratings_are_counted_apart() -> None:
    test = make_test()
    for rating in rate([make_pair(test)], 3)[:2]:
        Exclusion.objects.create(rating=rating, rule="a-rule", reason="Because.")
    overview = overview_of_test(test=test)

    assert (overview.n_answers, overview.n_excluded, overview.n_raters) == (1, 2, 1)
    assert sum(bar.n_answers for bar in overview.answers_per_day) == 1


def test_the_page_needs_few_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    test = make_study()
    with django_assert_num_queries(13):
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

    assert (overview.n_answers, overview.n_late, overview.n_too_soon) == (4, 2, 2)


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
    with django_assert_num_queries(8):
        lines = lines_of_tests()
    assert [line.n_problems for line in lines] == [0, 0, 0]


def test_a_comparison_is_counted_by_choice_and_by_system() -> None:
    test = make_test_of(TestKind.COMPARISON, n_captions=2)
    for _ in range(2):
        answer_all(test, prefer("mine"))
    left_out = Comparison.objects.filter(choice="none").first()
    Exclusion.objects.create(comparison=left_out, rule="a-rule", reason="Because.")
    overview = overview_of_test(test=test)

    assert (overview.n_items, overview.n_answered_items, overview.n_answers) == (6, 6, 11)
    assert (overview.n_excluded, overview.n_raters) == (1, 2)
    assert [(bar.n_answers, bar.n_items) for bar in overview.items_by_answers] == [(0, 0), (1, 1), (2, 5)]
    assert sum(bar.n_answers for bar in overview.answers_per_day) == 11
    counted = {bar.choice: bar.n_answers for bar in overview.choices}
    assert list(counted) == ["first", "none", "second"]
    assert (counted["first"] + counted["second"], counted["none"]) == (8, 3)
    assert counted["first"] == Comparison.objects.filter(choice="first").count()
    systems = [(one.system, one.n_preferred, one.n_neither, one.n_compared) for one in overview.systems]
    assert systems == [("mine", 8, 0, 8), ("other", 0, 3, 7), ("third", 0, 3, 7)]
    assert overview.score_histogram == []


def test_side_by_side_trials_are_counted_by_raters_and_scores_without_anchors() -> None:
    test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=2)
    for n_answers in (1, 2):
        answer_all(
            test, lambda _question, lease: tuple(float(place) for place, _ in enumerate(lease.pairs)), most=n_answers
        )
    study = Rating.objects.filter(pair__role=PairRole.STUDY)
    Exclusion.objects.create(rating=study.latest("pk"), rule="a-rule", reason="Because.")
    overview = overview_of_test(test=test)

    assert Rating.objects.count() == 12
    assert (overview.n_items, overview.n_answered_items, overview.n_answers) == (2, 2, 8)
    assert (overview.n_excluded, overview.n_raters) == (1, 2)
    assert [(bar.n_answers, bar.n_items) for bar in overview.items_by_answers] == [(0, 0), (1, 1), (2, 1)]
    assert sum(bar.n_answers for bar in overview.score_histogram) == 8
    assert (overview.choices, overview.systems) == ([], [])


def test_each_question_has_its_own_counts_and_a_continuous_scale_its_bins() -> None:
    test = make_test()
    quality = Question.objects.create(test=test, name="quality", scale_max=100, scale_step=0)
    make_pair(test)
    for score in (0.0, 4.99, 5.0, 100.0):
        answer_all(test, lambda question, _lease, score=score: (score if question == quality else 3.0,))  # type: ignore[misc]
    first, second = overview_of_test(test=test), overview_of_test(test=test, question=quality)

    assert (first.n_answers, second.n_answers) == (4, 4)
    assert {bar.score: bar.n_answers for bar in first.score_histogram if bar.n_answers} == {3: 4}
    bins = [(bar.score, bar.upto, bar.n_answers) for bar in second.score_histogram]
    assert len(bins) == 20
    assert [found for found in bins if found[2]] == [(0, 5, 2), (5, 10, 1), (95, 100, 1)]


@pytest.mark.parametrize("kind", TestKind.values)
def test_every_kind_needs_as_many_queries(kind: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    test = make_test_of(kind)
    question = test.questions.get()
    for n_raters in (0, 2):
        for _ in range(n_raters):
            answer_all(test, anything_in(kind))
        with django_assert_num_queries(12):
            overview_of_test(test=test, question=question)


def test_the_list_counts_every_kind() -> None:
    lines = {}
    for kind in TestKind.values:
        test = make_test_of(kind, n_captions=2, ratings_per_pair=2)
        Question.objects.create(test=test, name="second")
        answer_all(test, anything_in(kind), most=1)
        lines[test.pk] = kind
    found = {lines[line.test.pk]: (line.n_answers, line.n_wanted) for line in lines_of_tests()}

    # A pair; one of six comparisons; the three sounds of one of two trials, without its anchor.
    assert found == {TestKind.RATING: (1, 12), TestKind.COMPARISON: (1, 12), TestKind.SIDE_BY_SIDE: (3, 12)}
