"""Which pair comes next, and with what probability it was drawn."""

import math
from uuid import uuid4

import pytest

from listening_tests.choices import PairRole
from listening_tests.models import Assignment, Clip, ListeningTest, Pair
from listening_tests.selectors import assignments_open
from listening_tests.services.draw import TIES_COUNTED
from listening_tests.services.ratings import Answer, rating_submit
from listening_tests.services.sessions import session_start
from tests.factories import make_caption, make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db


def first_lease(test: ListeningTest) -> Assignment:
    """Of a new rater."""
    return assignments_open(session=session_start(test=test, rater_uuid=uuid4()))[0]


def test_least_rated_comes_first() -> None:
    test = make_test()
    rated_once, fresh = make_pairs(test, 2)
    Pair.objects.filter(pk=rated_once.pk).update(load=1)
    assert first_lease(test).pair == fresh


def test_ties_are_drawn_at_random_and_their_probability_is_kept() -> None:
    test = make_test(ratings_per_pair=100, pairs_per_session=1)
    make_pairs(test, 4)
    first_pairs = {first_lease(test).pair_id for _ in range(4)}
    assert len(first_pairs) == 4
    assert sorted(Assignment.objects.values_list("propensity", flat=True)) == [0.25, pytest.approx(1 / 3), 0.5, 1]


def test_probability_of_a_draw_from_many_is_close() -> None:
    """A draw's estimate has a standard deviation of 1 / sqrt(TIES_COUNTED), 10 %. Draws that follow each other count
    nearly the same keys, so their mean is hardly closer: the bound is four of one draw's.
    """
    test = make_test(pairs_per_session=1)
    first = make_pair(test)
    Pair.objects.bulk_create(Pair(test=test, clip=first.clip, caption=make_caption()) for _ in range(1999))
    propensities = [first_lease(test).propensity for _ in range(20)]
    assert sum(propensities) / 20 == pytest.approx(1 / 1990, rel=4 / math.sqrt(TIES_COUNTED))


def test_a_pair_without_audio_is_never_given() -> None:
    test = make_test()
    make_pairs(test, 2)
    silent = Clip.objects.create(name="not-here.wav")
    make_pair(test, clip=silent)
    make_pair(test, clip=silent, role=PairRole.PRACTICE)
    session = session_start(test=test, rater_uuid=uuid4())
    assert session.planned_count == 2
    assert {lease.pair.clip.rendition.name for lease in assignments_open(session=session)}.isdisjoint({""})
    assert session.assignments.count() == 2


def test_practice_comes_first_and_spans_the_scale() -> None:
    test = make_test()
    make_pairs(test, 9)
    for low in range(10):
        make_pair(test, role=PairRole.PRACTICE, expected_min=low, expected_max=low + 1)
    session = session_start(test=test, rater_uuid=uuid4())
    lows = []
    while (lease := assignments_open(session=session)[0]).pair.role == PairRole.PRACTICE:
        lows.append(lease.pair.expected_min)
        given = Answer.of_score(client_uuid=uuid4(), score=5, plays=1, heard_s=1, elapsed_s=2)
        rating_submit(session=session, assignment_uuid=lease.uuid, answer=given)
    assert sorted(low // 2 for low in lows) == [0, 1, 2, 3, 4]
    assert not session.assignments.filter(position__gt=8).exists()
