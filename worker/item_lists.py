"""What was scored in a test, in a list that can be filtered and sorted: pairs, or the trials of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload

import numpy as np
from django.db.models import Prefetch
from django.utils import timezone

from listening_tests.choices import PairRole, TestKind
from listening_tests.models import ListeningTest, Pair, Question, Trial, TrialPair
from modeling.agreement import Ints
from modeling.metrics import Floats, plain
from modeling.rater_agreement import item_statistics
from worker.answer_arrays import AnswerArrays, read_answers
from worker.kept import kept
from worker.rater_lists import order_by

# What the list can be sorted by, each a column of ItemTable.
ITEM_SORTS = ("item", "n", "mean", "sd")


@dataclass(frozen=True)
class ItemTable:
    """One entry per pair or trial of the test, by ascending key, whether it has answers or not.

    `n` counted answers with `mean` and `sd`, NaN where undefined. Of a trial the score is 1 where its pair of the lower
    key is preferred and -1 where the other is: `n_lower` and `n_higher` say how often. `system` is empty of a trial.
    """

    at: datetime
    item: Ints
    role: np.ndarray[Any, Any]
    system: np.ndarray[Any, Any]
    n: Ints
    mean: Floats
    sd: Floats
    n_lower: Ints
    n_higher: Ints


@dataclass(frozen=True)
class PairLine:
    pair: Pair
    n: int
    mean: float | None
    sd: float | None


@dataclass(frozen=True)
class TrialLine:
    """`lower` is the pair of the lower key, preferred `n_lower` times; `n_neither` times neither was."""

    trial: Trial
    lower: Pair
    higher: Pair
    n: int
    n_lower: int
    n_neither: int
    n_higher: int


class ItemList(Sequence[PairLine | TrialLine]):
    """The pairs or trials in an order; rows are read where they are asked for, a page at a time.

    `roles` and `systems` are all that the test has.
    """

    def __init__(self, test: ListeningTest, table: ItemTable, order: Ints) -> None:
        self._table, self._order = table, order
        self._lines = _trial_lines if test.kind == TestKind.COMPARISON else _pair_lines
        self.at = table.at
        self.roles = [role for role in PairRole if role in set(table.role.tolist())]
        self.systems = sorted({system for system in table.system.tolist() if system})

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, places: int) -> PairLine | TrialLine: ...
    @overload
    def __getitem__(self, places: slice) -> Sequence[PairLine | TrialLine]: ...
    def __getitem__(self, places: int | slice) -> PairLine | TrialLine | Sequence[PairLine | TrialLine]:
        if isinstance(places, int):
            return self._lines(self._table, self._order[places : places + 1])[0]
        return self._lines(self._table, self._order[places])


def item_list(
    *, test: ListeningTest, question: Question | None, role: str = "", system: str = "", sort: str = "item"
) -> ItemList:
    """`sort` is one of ITEM_SORTS, with a minus for descending; what is not defined comes last either way."""
    name = sort.removeprefix("-")
    if name not in ITEM_SORTS:
        raise ValueError(f"Pairs are not sorted by {name!r}.")
    table = kept(("items", test.pk, question and question.pk), lambda: item_table(test=test, question=question))
    order = order_by(getattr(table, name), table.item, descending=sort.startswith("-"))
    chosen = np.ones(len(table.item), dtype=np.bool_)
    if role:
        chosen &= table.role == role
    if system:
        chosen &= table.system == system
    return ItemList(test, table, order[chosen[order]])


def item_table(*, test: ListeningTest, question: Question | None) -> ItemTable:
    """Counted now."""
    rows: list[tuple[Any, ...]]
    if test.kind == TestKind.COMPARISON:
        rows = [(*row, "") for row in Trial.objects.filter(test=test).order_by("id").values_list("id", "role")]
    else:
        rows = list(Pair.objects.filter(test=test).order_by("id").values_list("id", "role", "system"))
    item, role, system = zip(*rows, strict=True) if rows else ((), (), ())
    keys = np.array(item, dtype=np.int64)
    answers = read_answers(test=test, question=question) if question else None
    return ItemTable(
        at=timezone.now(),
        item=keys,
        role=np.array(role, dtype=object),
        system=np.array(system, dtype=object),
        **_numbers(answers, keys),
    )


def _numbers(answers: AnswerArrays | None, keys: Ints) -> dict[str, Any]:
    size = len(keys)
    numbers: dict[str, Any] = {name: np.zeros(size, dtype=np.int64) for name in ("n", "n_lower", "n_higher")}
    numbers |= {name: np.full(size, np.nan) for name in ("mean", "sd")}
    if answers is None:
        return numbers
    counted = answers.chosen(~answers.left_out & np.isin(answers.item, keys))
    found = item_statistics(counted.item, counted.score, ~counted.left_out)
    place = np.searchsorted(keys, found.item)
    for name in ("n", "mean", "sd"):
        numbers[name][place] = getattr(found, name)
    at = np.searchsorted(keys, counted.item)
    numbers["n_lower"] = np.bincount(at[counted.score > 0], minlength=size)
    numbers["n_higher"] = np.bincount(at[counted.score < 0], minlength=size)
    return numbers


def _pair_lines(table: ItemTable, rows: Ints) -> list[PairLine | TrialLine]:
    keys = [int(table.item[row]) for row in rows]
    pairs = Pair.objects.select_related("clip", "caption").in_bulk(keys)
    return [
        PairLine(pairs[key], int(table.n[row]), plain(table.mean[row]), plain(table.sd[row]))
        for row, key in zip(rows, keys, strict=True)
        # Taken out of a draft since it was counted.
        if key in pairs
    ]


def _trial_lines(table: ItemTable, rows: Ints) -> list[PairLine | TrialLine]:
    keys = [int(table.item[row]) for row in rows]
    trials = Trial.objects.select_related("caption").prefetch_related(members_in_order()).in_bulk(keys)
    return [
        trial_line(trials[key], int(table.n[row]), int(table.n_lower[row]), int(table.n_higher[row]))
        for row, key in zip(rows, keys, strict=True)
        if key in trials
    ]


def members_in_order() -> "Prefetch[Any]":
    """Of a trial its pairs with their clips, the lower key first."""
    return Prefetch("members", queryset=TrialPair.objects.select_related("pair__clip").order_by("pair_id"))


def trial_line(trial: Trial, n: int, n_lower: int, n_higher: int) -> TrialLine:
    """`trial` was read with `members_in_order`."""
    lower, higher = (member.pair for member in trial.members.all())
    return TrialLine(trial, lower, higher, n, n_lower, n - n_lower - n_higher, n_higher)
