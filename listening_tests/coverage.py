"""How far the collection of a test is: how many answers its pairs or trials have, and how many are still missing.

Counted from `load`, answers plus open leases, so that no rating is read: a million of them cost nothing. Answers that a
rule leaves out keep their place, and are in these numbers.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count

from listening_tests.choices import PairRole
from listening_tests.kinds import kind_of
from listening_tests.models import Assignment, ListeningTest

# Of these each is to have k answers. Practice is outside of k.
ROLES_IN_K = (PairRole.STUDY, PairRole.ANCHOR, PairRole.GOLD)


@dataclass(frozen=True)
class ItemsWithAnswers:
    """How many study items have this number of answers."""

    n_answers: int
    n_items: int


@dataclass(frozen=True)
class Coverage:
    """Items are what is given out: pairs, or trials. `by_answers` has the study items, without gaps from 0 up.

    `n_full` of the `n_items` study items have k answers or more. `n_missing` answers are wanted still until each item
    has k, of anchors and gold pairs too, of which there are `n_in_k` with the study items.
    """

    by_answers: list[ItemsWithAnswers]
    n_items: int
    n_full: int
    n_in_k: int
    n_missing: int
    k: int

    @property
    def is_complete(self) -> bool:
        return self.n_in_k > 0 and self.n_missing == 0


def coverage_of(*, test: ListeningTest) -> Coverage:
    counts = _counts(test)
    k = test.ratings_per_pair
    study = Counter({n: items for (role, n), items in counts.items() if role == PairRole.STUDY and items > 0})
    return Coverage(
        by_answers=[ItemsWithAnswers(n, study[n]) for n in range(max(study, default=-1) + 1)],
        n_items=study.total(),
        n_full=sum(items for n, items in study.items() if n >= k),
        n_in_k=counts.total(),
        n_missing=sum(max(0, k - n) * items for (_, n), items in counts.items()),
        k=k,
    )


def _counts(test: ListeningTest) -> Counter[tuple[str, int]]:
    """How many items there are of each role and number of answers."""
    leased = kind_of(test).leased
    rows = leased.model._default_manager.filter(test=test, role__in=ROLES_IN_K).order_by()
    loads: Iterable[tuple[str, int, int]] = rows.values_list("role", "load").annotate(n=Count("pk"))
    counts = Counter({(role, load): n for role, load, n in loads})
    for role, load, _, n_open in _open_by_item(test, leased.column):
        counts[role, load] -= 1
        counts[role, max(0, load - n_open)] += 1
    return counts


def _open_by_item(test: ListeningTest, column: str) -> Iterable[tuple[str, int, int, int]]:
    """Role, load, key and number of open leases of the few items that are in hand."""
    leases = Assignment.objects.filter(
        session__test=test, rated_at__isnull=True, released_at__isnull=True, **{f"{column}__role__in": ROLES_IN_K}
    )
    by_item = leases.order_by().values_list(f"{column}__role", f"{column}__load", column)
    return by_item.annotate(n=Count("pk"))
