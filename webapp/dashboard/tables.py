"""Rows of the dashboard's tables, ready to be printed."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from listening_tests.choices import TestKind
from listening_tests.models import ListeningTest
from webapp.dashboard.phrases import interval, kind_words, number, run_words, signed
from worker.models import MetricName, TrainingRun
from worker.overviews import TestLine, lines_of_tests
from worker.selectors import MetricEstimate, RunMetrics
from worker.withdrawn import withdrawn_words


@dataclass(frozen=True)
class RunLine:
    """A run, its state or result in words, and what to know of withdrawn ratings in it, empty for most."""

    run: TrainingRun
    words: str
    withdrawn: str


@dataclass(frozen=True)
class TestRow:
    """A test's line, its last run, and its kind where it is not the usual one."""

    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    line: TestLine
    last_run: RunLine | None
    kind: str


@dataclass(frozen=True)
class MetricCell:
    value: str
    interval: str


@dataclass(frozen=True)
class MetricRow:
    """One measure of agreement, over `n` held-out pairs."""

    name: str
    n: int
    base: MetricCell
    tuned: MetricCell
    difference: MetricCell


@dataclass(frozen=True)
class AgreementRow:
    name: str
    cell: MetricCell


def run_lines(runs: Iterable[TrainingRun]) -> list[RunLine]:
    """`runs` come out of `selectors.run_list`."""
    return [run_line(run) for run in runs]


def run_line(run: TrainingRun) -> RunLine:
    return RunLine(run=run, words=run_words(run), withdrawn=withdrawn_words(run))


def rows_of_tests(*, tests: QuerySet[ListeningTest]) -> list[TestRow]:
    return [
        TestRow(line=line, last_run=run_line(line.last_run) if line.last_run else None, kind=_kind_to_tell(line))
        for line in lines_of_tests(tests=tests)
    ]


def _kind_to_tell(line: TestLine) -> str:
    return "" if line.test.kind == TestKind.RATING else kind_words(line.test.kind).kind.lower()


def metric_rows(metrics: RunMetrics) -> list[MetricRow]:
    """The measures that were stored, in the order in which the field names them."""
    return [
        MetricRow(
            name=name.label,
            n=metrics.tuned[name].n,
            base=_cell(metrics.base.get(name)),
            tuned=_cell(metrics.tuned[name]),
            difference=_cell(metrics.difference.get(name), is_difference=True),
        )
        for name in MetricName
        if name in metrics.tuned
    ]


def agreement_rows(metrics: RunMetrics) -> list[AgreementRow]:
    """The numbers of the agreement chart, from the lower line to the upper one."""
    return [
        AgreementRow("One person against the rest", _cell(metrics.one_vs_rest_srcc)),
        AgreementRow("Untuned model", _cell(metrics.base.get(MetricName.SRCC))),
        AgreementRow("Tuned model", _cell(metrics.tuned.get(MetricName.SRCC))),
        AgreementRow("Ceiling", _cell(metrics.ceiling_srcc)),
    ]


def _cell(estimate: MetricEstimate | None, *, is_difference: bool = False) -> MetricCell:
    if estimate is None:
        return MetricCell(number(None), "")
    say = signed if is_difference else number
    return MetricCell(say(estimate.value), interval(estimate.low, estimate.high))
