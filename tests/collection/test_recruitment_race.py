"""Raters who come at the same moment to a test that takes so many: threads on PostgreSQL."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from listening_tests.exceptions import Refused
from listening_tests.models import Assignment, ListeningTest, Session
from listening_tests.services.sessions import session_resume, session_start
from tests.collection.test_recruitment import end_the_leases
from tests.collection.test_sessions_race import rate_to_the_end, together
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db(transaction=True)


def is_let_in(work: Callable[[], object]) -> bool:
    try:
        work()
    except Refused:
        return False
    return True


def start(test: ListeningTest) -> bool:
    return is_let_in(lambda: session_start(test=test, rater_uuid=uuid4()))


def test_no_more_raters_than_the_test_takes() -> None:
    test = make_test(max_raters=5, ratings_per_pair=20, pairs_per_session=3)
    make_pairs(test, 6)
    assert sum(together([lambda: start(test)] * 16)) == 5
    assert Session.objects.count() == 5


def test_while_others_rate_to_the_end() -> None:
    test = make_test(max_raters=6, ratings_per_pair=20, pairs_per_session=4)
    make_pairs(test, 8)
    acknowledged = together([lambda: rate_to_the_end(test)] * 12)
    assert sorted(acknowledged) == [0] * 6 + [4] * 6
    assert Session.objects.count() == 6


def test_who_come_back_at_once_with_newcomers_share_what_came_free() -> None:
    test = make_test(max_raters=3, ratings_per_pair=20)
    make_pairs(test, 6)
    away = [session_start(test=test, rater_uuid=uuid4()) for _ in range(3)]
    end_the_leases()

    def come_back(session: Session) -> bool:
        return is_let_in(lambda: session_resume(session=session, comes_back=True))

    works = [lambda session=session: come_back(session) for session in away]
    assert sum(together([*works, *[lambda: start(test)] * 6])) == 3
    assert Assignment.objects.filter(released_at__isnull=True).values("session").distinct().count() == 3
