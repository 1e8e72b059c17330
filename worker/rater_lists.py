"""The raters of a test in a list that can be sorted by what they did: scale use, offset, agreement, flags, time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, overload

import numpy as np
from django.utils import timezone

from listening_tests.choices import CheckOutcome
from listening_tests.models import ListeningTest, Question, Rater, Session
from modeling.agreement import Ints
from modeling.metrics import Floats, plain
from modeling.rater_agreement import rater_statistics
from worker.answer_arrays import AnswerArrays, read_answers
from worker.kept import kept

# What a list can be sorted by, each a column of RaterTable.
RATER_SORTS = ("n_answers", "offset", "mean", "sd", "agreement", "n_left_out", "n_too_soon", "n_late", "seconds")
# What may not be defined.
_NUMBERS = ("mean", "sd", "offset", "agreement", "agreement_se", "seconds")


@dataclass(frozen=True)
class RaterTable:
    """One entry per rater who has a sitting or an answer, by ascending key.

    `n_answers` are answers of every role but practice; `n_left_out`, `n_too_soon` and `n_late` are among them. `mean`,
    `sd`, `offset`, `agreement` and `agreement_se` are over study answers, as modeling.rater_agreement defines them, in
    units of the scale; of a comparison `agreement` alone says something. `seconds` were spent on rated items, NaN where
    there is no sitting. `at` is when it was counted.
    """

    at: datetime
    rater: Ints
    n_answers: Ints
    n_left_out: Ints
    n_too_soon: Ints
    n_late: Ints
    mean: Floats
    sd: Floats
    n_shared: Ints
    offset: Floats
    agreement: Floats
    agreement_se: Floats
    seconds: Floats


@dataclass(frozen=True)
class RaterLine:
    """A rater as a row: numbers that are not defined are None. `headphones` is empty where it was not checked."""

    rater: Rater
    n_answers: int
    n_left_out: int
    n_too_soon: int
    n_late: int
    mean: float | None
    sd: float | None
    n_shared: int
    offset: float | None
    agreement: float | None
    agreement_se: float | None
    seconds: float | None
    session: Session | None
    device: str
    headphones: str


class RaterList(Sequence[RaterLine]):
    """The raters in an order; rows are read where they are asked for, a page at a time."""

    def __init__(self, test: ListeningTest, table: RaterTable, order: Ints) -> None:
        self._test, self._table, self._order = test, table, order
        self.at = table.at

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, places: int) -> RaterLine: ...
    @overload
    def __getitem__(self, places: slice) -> list[RaterLine]: ...
    def __getitem__(self, places: int | slice) -> RaterLine | list[RaterLine]:
        if isinstance(places, int):
            return self._lines(self._order[places : places + 1])[0]
        return self._lines(self._order[places])

    def _lines(self, rows: Ints) -> list[RaterLine]:
        keys = [int(self._table.rater[row]) for row in rows]
        raters = Rater.objects.in_bulk(keys)
        sittings = Session.objects.filter(test=self._test, rater__in=keys).select_related("questionnaire")
        sessions = {sitting.rater_id: sitting for sitting in sittings.order_by("started_at")}
        return [
            rater_line(self._table, int(row), raters[key], sessions.get(key))
            for row, key in zip(rows, keys, strict=True)
            # Gone since it was counted.
            if key in raters
        ]


def rater_list(*, test: ListeningTest, question: Question | None, sort: str = "-n_answers") -> RaterList:
    """`sort` is one of RATER_SORTS, with a minus for descending; what is not defined comes last either way."""
    name = sort.removeprefix("-")
    if name not in RATER_SORTS:
        raise ValueError(f"Raters are not sorted by {name!r}.")
    table = kept(("raters", test.pk, question and question.pk), lambda: rater_table(test=test, question=question))
    return RaterList(test, table, order_by(getattr(table, name), table.rater, descending=sort.startswith("-")))


def order_by(values: np.ndarray[Any, Any], keys: Ints, *, descending: bool) -> Ints:
    """Places in the order of the values, equal ones by key; NaN last either way."""
    numbers = values.astype(np.float64)
    return np.lexsort((keys, -numbers if descending else numbers))


def rater_table(*, test: ListeningTest, question: Question | None, of_rater: int | None = None) -> RaterTable:
    """Counted now. `of_rater` asks for this rater's entry alone."""
    answers = read_answers(test=test, question=question, of_rater=of_rater) if question else None
    sittings = Session.objects.filter(test=test).order_by()
    if of_rater is not None:
        sittings = sittings.filter(rater=of_rater)
    seconds: dict[int, float] = {}
    for rater, elapsed_s in sittings.values_list("rater_id", "elapsed_s"):
        seconds[rater] = seconds.get(rater, 0.0) + elapsed_s
    return _table(answers, seconds, of_rater)


def _table(answers: AnswerArrays | None, seconds: dict[int, float], of_rater: int | None) -> RaterTable:
    with_sitting = np.fromiter(seconds, dtype=np.int64, count=len(seconds))
    found = answers.rater if answers is not None else np.empty(0, dtype=np.int64)
    raters = np.union1d(with_sitting, found) if of_rater is None else np.array([of_rater])
    place = np.searchsorted(raters, np.sort(with_sitting))
    spent = np.full(len(raters), np.nan)
    spent[place] = [seconds[int(rater)] for rater in np.sort(with_sitting)]
    columns = _counts(answers, raters) | _use(answers, raters)
    return RaterTable(at=timezone.now(), rater=raters, seconds=spent, **columns)


def _counts(answers: AnswerArrays | None, raters: Ints) -> dict[str, Any]:
    names = {"n_left_out": "left_out", "n_too_soon": "too_soon", "n_late": "late"}
    if answers is None:
        return dict.fromkeys(("n_answers", *names), np.zeros(len(raters), dtype=np.int64))
    counted = answers.chosen(~answers.practice & np.isin(answers.rater, raters))
    place = np.searchsorted(raters, counted.rater)
    counts = {name: np.bincount(place, getattr(counted, flag), len(raters)) for name, flag in names.items()}
    counts["n_answers"] = np.bincount(place, minlength=len(raters))
    return {name: values.astype(np.int64) for name, values in counts.items()}


def _use(answers: AnswerArrays | None, raters: Ints) -> dict[str, Any]:
    size = len(raters)
    names = ("mean", "sd", "offset", "agreement", "agreement_se")
    use: dict[str, Any] = {name: np.full(size, np.nan) for name in names}
    use["n_shared"] = np.zeros(size, dtype=np.int64)
    if answers is None or not len(answers):
        return use
    study = answers.chosen(answers.study)
    found = rater_statistics(study.rater, study.item, study.score, ~study.left_out)
    which = np.isin(found.rater, raters)
    place = np.searchsorted(raters, found.rater[which])
    columns = {"mean": found.mean, "sd": found.sd, "offset": found.offset, "n_shared": found.n_shared}
    columns |= {"agreement": found.r, "agreement_se": found.r_se}
    for name, values in columns.items():
        use[name][place] = values[which]
    return use


def rater_line(table: RaterTable, row: int, rater: Rater, session: Session | None) -> RaterLine:
    """`session` is the rater's last at the test, with its questionnaire."""
    names = ("n_answers", "n_left_out", "n_too_soon", "n_late")
    counts: dict[str, Any] = {name: int(getattr(table, name)[row]) for name in names}
    numbers: dict[str, Any] = {name: plain(getattr(table, name)[row]) for name in _NUMBERS}
    questionnaire = getattr(session, "questionnaire", None)
    return RaterLine(
        rater=rater,
        session=session,
        device=questionnaire.get_device_display() if questionnaire else "",
        headphones=_headphones(session),
        n_shared=int(table.n_shared[row]),
        **counts,
        **numbers,
    )


def _headphones(session: Session | None) -> str:
    if session is None or session.headphones_at is None and session.headphones == CheckOutcome.UNCHECKED:
        return ""
    return session.get_headphones_display()
