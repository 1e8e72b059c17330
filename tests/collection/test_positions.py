"""Where clips stand before raters: each system in each place equally often, so that a place favours none.

The draws come from a fixed seed: what is told here of chance is the same at every run.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest
from scipy.stats import chisquare

from listening_tests.choices import PairRole, TestKind
from listening_tests.kinds.side_by_side import SideBySideKind
from listening_tests.models import ListeningTest, Presentation
from listening_tests.selectors import assignments_open
from tests.collection.trials import begin, make_test_of, submit

pytestmark = pytest.mark.django_db

RATERS = 100
SEED = 20_26
# Chance alone gives less in one of a thousand experiments.
SUSPICIOUS = 0.001
ANCHOR = "the anchor"


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """The kinds draw from `random`, which is given back as it was."""
    before = random.getstate()
    random.seed(SEED)
    yield
    random.setstate(before)


def sit(test: ListeningTest, *, raters: int = RATERS) -> None:
    """Raters who come one after the other, each through a whole sitting."""
    for _ in range(raters):
        session = begin(test)
        leases = assignments_open(session=session)
        while leases:
            leases = submit(session, leases[0]).leases


def places_by_trial() -> dict[int, Counter[tuple[str, int]]]:
    """For each trial how often each system stood in each place."""
    found: dict[int, Counter[tuple[str, int]]] = defaultdict(Counter)
    columns = ("assignment__trial", "pair__role", "pair__system", "place")
    for trial, role, system, place in Presentation.objects.values_list(*columns):
        found[trial][ANCHOR if role == PairRole.ANCHOR else system, place] += 1
    return found


def in_all(by_trial: dict[int, Counter[tuple[str, int]]]) -> Counter[tuple[str, int]]:
    return sum(by_trial.values(), Counter[tuple[str, int]]())


def chance_of(counts: Counter[tuple[str, int]], *, systems: int, places: int) -> float:
    """The p value of a chi-square test that every system stands in every place equally often.

    Rows and columns of the table are fixed (each rater sees every system once, and fills every place once), so that it
    has (systems - 1)(places - 1) degrees of freedom.
    """
    cells = [counts[key] for key in sorted(counts)]
    cells += [0] * (systems * places - len(cells))
    freedom = (systems - 1) * (places - 1)
    return float(chisquare(cells, ddof=len(cells) - 1 - freedom).pvalue)


def test_comparisons_are_balanced_in_each_trial():
    """A and B change places so that their counts differ by one at most, and in all by chance at most."""
    test = make_test_of(TestKind.COMPARISON, n_captions=1, ratings_per_pair=RATERS, pairs_per_session=1)
    sit(test)
    by_trial = places_by_trial()
    assert len(by_trial) == 3
    for counts in by_trial.values():
        first, other = (count for (_, place), count in counts.items() if place == 1)
        assert abs(first - other) <= 1
    assert sum(in_all(by_trial).values()) == 2 * RATERS
    assert chance_of(in_all(by_trial), systems=3, places=2) > SUSPICIOUS


def test_an_odd_number_of_raters_differs_by_one():
    test = make_test_of(TestKind.COMPARISON, n_captions=1, systems=("one", "two"))
    sit(test, raters=3)
    (counts,) = places_by_trial().values()
    assert sorted(counts.values()) == [1, 1, 2, 2]


def test_who_comes_first_in_a_comparison_is_drawn():
    """Of the first rater of each trial, for whom nothing is to be balanced yet."""
    test = make_test_of(TestKind.COMPARISON, n_captions=40, systems=("one", "two"), pairs_per_session=40)
    sit(test, raters=1)
    counts = in_all(places_by_trial())
    assert sum(counts.values()) == 80
    assert chance_of(counts, systems=2, places=2) > SUSPICIOUS


def test_what_was_left_does_not_count():
    """Whoever leaves without an answer turns no order against the next."""
    test = make_test_of(TestKind.COMPARISON, n_captions=1, systems=("one", "two"), ratings_per_pair=100)
    left = begin(test)
    came_first = assignments_open(session=left)[0].pairs[0]
    left.assignments.update(lease_expires_at="2020-01-01T00:00Z")
    firsts = []
    for _ in range(20):
        session = begin(test)
        (lease,) = assignments_open(session=session)
        firsts.append(lease.pairs[0])
        session.assignments.update(lease_expires_at="2020-01-01T00:00Z")
    # Drawn each time, and not in turn.
    turns = sum(one != other for one, other in zip([came_first, *firsts], firsts, strict=False))
    assert turns < 20 and len(set(firsts)) == 2


def test_side_by_side_each_stands_everywhere_equally_often():
    """Three systems and the hidden anchor in four places, in each trial and in all."""
    test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=2, ratings_per_pair=RATERS, pairs_per_session=1)
    sit(test)
    by_trial = places_by_trial()
    assert {sum(counts.values()) for counts in by_trial.values()} == {4 * RATERS // 2}
    for counts in by_trial.values():
        assert len(counts) == 16
        assert chance_of(counts, systems=4, places=4) > SUSPICIOUS
    counts = in_all(by_trial)
    assert {system for system, _ in counts} == {"one", "two", "three", ANCHOR}
    assert chance_of(counts, systems=4, places=4) > SUSPICIOUS


@pytest.mark.parametrize(
    "biased",
    [
        pytest.param(lambda pairs: pairs, id="always the same"),
        pytest.param(lambda pairs: sorted(pairs, key=lambda pair: pair.role == PairRole.ANCHOR), id="the anchor last"),
        pytest.param(
            # One in four orders is as the pairs came in; the others are drawn.
            lambda pairs: pairs if random.random() < 0.25 else random.sample(pairs, len(pairs)),  # noqa: S311
            id="a little",
        ),
    ],
)
def test_a_biased_order_would_be_caught(monkeypatch, biased):
    monkeypatch.setattr(SideBySideKind, "order", lambda self, trial, pairs: biased(list(pairs)))
    test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=3, ratings_per_pair=RATERS)
    # Three trials are in each one's hands: fewer raters than above show as much.
    for _ in range(40):
        begin(test)
    assert chance_of(in_all(places_by_trial()), systems=4, places=4) < SUSPICIOUS
