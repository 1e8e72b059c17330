"""Raters who come to the same trials at the same moment: threads on PostgreSQL, each with its own connection."""

from functools import partial
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.models import Count

from listening_tests.choices import PairRole, TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import Assignment, Comparison, ListeningTest, Presentation, Rating, Trial
from listening_tests.selectors import assignments_open
from listening_tests.services.ratings import rating_submit
from listening_tests.services.sessions import session_start
from listening_tests.services.trials import trials_make
from tests.collection.test_sessions_race import together
from tests.collection.trials import an_answer, begin, make_test_of, submit
from tests.factories import make_pair

pytestmark = pytest.mark.django_db(transaction=True)


def sit_to_the_end(test: ListeningTest) -> int:
    """One rater's whole sitting; how many trials were acknowledged."""
    try:
        session = session_start(test=test, rater_uuid=uuid4())
    except Refused:
        return 0
    acknowledged = 0
    leases = assignments_open(session=session)
    while leases:
        receipt = submit(session, leases[0])
        acknowledged += receipt.created
        leases = receipt.leases
    return acknowledged


def test_no_comparison_goes_over_k_and_its_order_stays_balanced() -> None:
    test = make_test_of(TestKind.COMPARISON, n_captions=2, ratings_per_pair=4)

    acknowledged = together([partial(sit_to_the_end, test)] * 8)

    assert sum(acknowledged) == Comparison.objects.count() == 24
    assert set(Trial.objects.annotate(n=Count("comparisons")).values_list("n", "load")) == {(4, 4)}
    assert not Assignment.objects.values("rater", "trial").annotate(n=Count("pk")).filter(n__gt=1)
    # Of four who come at once to a trial, each order is given to two: it is chosen while the trial is held.
    first = Comparison.objects.values("trial", "first").annotate(n=Count("pk"))
    assert {row["n"] for row in first} == {2}


def test_no_trial_side_by_side_goes_over_k() -> None:
    test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=4, ratings_per_pair=3)

    acknowledged = together([partial(sit_to_the_end, test)] * 8)

    assert sum(acknowledged) == 12
    assert set(Trial.objects.values_list("load", flat=True)) == {3}
    assert Rating.objects.count() == 12 * 4
    assert set(Rating.objects.values("assignment").annotate(n=Count("place", distinct=True)).values_list("n")) == {(4,)}


def test_the_same_answer_sent_at_once_is_stored_once() -> None:
    test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=3)
    session = begin(test)
    assignment = assignments_open(session=session)[0]
    given = an_answer(assignment)

    receipts = together([lambda: rating_submit(session=session, assignment_uuid=assignment.uuid, answer=given)] * 6)

    assert sum(receipt.created for receipt in receipts) == 1
    assert Rating.objects.count() == 4
    assert (Assignment.objects.count(), Presentation.objects.count()) == (3, 12)


def test_no_rater_gets_a_trial_while_pairs_come_to_it() -> None:
    """Either all are shown or the import is refused: nobody has a trial before them that grows."""
    for _ in range(4):
        test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=1)
        trial = Trial.objects.get(test=test)

        def grow(test: ListeningTest = test, trial: Trial = trial) -> bool:
            try:
                with transaction.atomic():
                    make_pair(test, caption=trial.caption, system="four", role=PairRole.STUDY)
                    trials_make(test=test)
            except Refused:
                return False
            return True

        grown, *_ = together([grow, *[lambda test=test: begin(test) is not None] * 3])
        n_pairs = trial.pairs.count()
        assert n_pairs == (4 if grown else 3)
        shown = Assignment.objects.filter(trial=trial).annotate(n=Count("presentations"))
        assert set(shown.values_list("n", flat=True)) == {n_pairs}
