"""Raters who come at the same moment: threads on PostgreSQL, each with its own connection."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from random import Random
from threading import Barrier
from typing import TypeVar
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from listening_tests.choices import ProblemKind
from listening_tests.exceptions import RatingConflict, Refused
from listening_tests.models import Assignment, ListeningTest, Pair, Rating, Session
from listening_tests.selectors import assignments_open
from listening_tests.services.assignments import leases_release_expired
from listening_tests.services.ratings import Answer, rating_submit
from listening_tests.services.sessions import session_resume, session_start
from listening_tests.services.skips import assignment_skip
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db(transaction=True)
T = TypeVar("T")


def together(works: list[Callable[[], T]]) -> list[T]:
    """Runs all of them, none before every thread stands ready, and returns what they returned."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        barrier.wait()
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def rate_to_the_end(test: ListeningTest) -> int:
    """One rater's whole sitting; how many ratings were acknowledged."""
    try:
        session = session_start(test=test, rater_uuid=uuid4())
    except Refused:
        return 0
    acknowledged = 0
    leases = assignments_open(session=session)
    while leases:
        given = Answer.of_score(client_uuid=uuid4(), score=5, plays=1, heard_s=1, elapsed_s=2)
        receipt = rating_submit(session=session, assignment_uuid=leases[0].uuid, answer=given)
        acknowledged += receipt.created
        leases = receipt.leases
    return acknowledged


def test_no_pair_goes_over_k_and_no_rating_is_lost() -> None:
    test = make_test(ratings_per_pair=4, pairs_per_session=20)
    make_pairs(test, 10)

    acknowledged = together([lambda: rate_to_the_end(test)] * 16)

    assert sum(acknowledged) == Rating.objects.count() == 40
    assert set(Pair.objects.annotate(n=Count("ratings")).values_list("n", "load")) == {(4, 4)}
    assert not Assignment.objects.values("rater", "pair").annotate(n=Count("pk")).filter(n__gt=1)


def test_the_same_rating_sent_at_once_is_one_row() -> None:
    test = make_test()
    make_pairs(test, 3)
    session = session_start(test=test, rater_uuid=uuid4())
    assignment = assignments_open(session=session)[0]
    given = Answer.of_score(client_uuid=uuid4(), score=5, plays=1, heard_s=1, elapsed_s=2)

    receipts = together([lambda: rating_submit(session=session, assignment_uuid=assignment.uuid, answer=given)] * 8)

    assert sum(receipt.created for receipt in receipts) == 1
    assert len({tuple(receipt.leases) for receipt in receipts}) == 1
    assert Rating.objects.count() == 1
    assert Assignment.objects.count() == 3


def test_the_same_start_sent_at_once_is_one_session() -> None:
    test = make_test()
    make_pairs(test, 3)
    rater_uuid = uuid4()
    sessions = together([lambda: session_start(test=test, rater_uuid=rater_uuid)] * 8)
    assert len({session.pk for session in sessions}) == 1
    assert (Session.objects.count(), Assignment.objects.count()) == (1, 3)


def step_at_random(session: Session, draws: Random) -> None:
    """What a rater's page may ask at any moment, in any order, and time going by."""
    assignments = list(session.assignments.order_by("-pk")[:4])
    chosen = draws.choice(assignments)
    what = draws.randrange(4)
    if what == 0:
        # One at a time: time itself locks no rows.
        for assignment in assignments:
            Assignment.objects.filter(pk=assignment.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    elif what == 1:
        session_resume(session=session)
    elif what == 2:
        assignment_skip(session=session, assignment_uuid=chosen.uuid, kind=ProblemKind.LOAD)
    else:
        given = Answer.of_score(client_uuid=uuid4(), score=5, plays=1, heard_s=1, elapsed_s=2)
        with suppress(RatingConflict):
            rating_submit(session=session, assignment_uuid=chosen.uuid, answer=given)


def test_loads_hold_in_a_storm() -> None:
    """Leases end, are given out again, renewed, skipped and rated late, all at once: nobody waits for ever, and a
    pair's load stays what it stands for.
    """
    test = make_test(ratings_per_pair=2, pairs_per_session=12)
    make_pairs(test, 12)
    sessions = [session_start(test=test, rater_uuid=uuid4()) for _ in range(6)]

    def storm(number: int) -> None:
        draws = Random(number)  # noqa: S311 -- a fixed order of steps, not a secret
        for _ in range(25):
            step_at_random(sessions[number], draws)

    together([partial(storm, number) for number in range(6)])

    is_counted = Q(assignments__rated_at__isnull=False) | Q(assignments__released_at__isnull=True)
    loads = Pair.objects.annotate(counted=Count("assignments", filter=is_counted)).values_list("load", "counted")
    assert [load for load, _ in loads] == [counted for _, counted in loads]
    in_time = Q(ratings__late=False)
    assert max(Pair.objects.annotate(n=Count("ratings", filter=in_time)).values_list("n", flat=True)) <= 2
    for session in Session.objects.all():
        assert session.saved_count == Rating.objects.filter(assignment__session=session).count()


def test_a_lease_renewed_while_ended_ones_are_cleared_away_counts_once() -> None:
    test = make_test(ratings_per_pair=1)
    make_pairs(test, 12)
    sessions = [session_start(test=test, rater_uuid=uuid4()) for _ in range(4)]
    for _ in range(10):
        Assignment.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
        resumes = [partial(session_resume, session=session) for session in sessions]
        together([*resumes, *[partial(leases_release_expired, test_id=test.pk)] * 4])
        open_leases = Count("assignments", filter=Q(assignments__released_at__isnull=True))
        loads = Pair.objects.annotate(open_leases=open_leases).values_list("load", "open_leases")
        assert set(loads) == {(1, 1)}
