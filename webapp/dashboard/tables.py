"""Rows of the dashboard's tables, ready to be printed."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from listening_tests.choices import TestKind
from listening_tests.models import ListeningTest
from webapp.dashboard.phrases import kind_words, run_words
from worker.models import TrainingRun
from worker.overviews import TestLine, lines_of_tests
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
