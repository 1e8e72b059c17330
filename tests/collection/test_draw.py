"""Which pair comes next, and with what probability it was drawn."""

import math
from uuid import uuid4

import pytest

from listening_tests.models import Assignment, ListeningTest, Pair
from listening_tests.selectors import assignments_open
from listening_tests.services.draw import TIES_COUNTED
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
