"""Numbers on a report's page: each says which number of the report's JSON it is, so that it can be found again."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from webapp.dashboard.result_tables import Cell, ResultTable, said
from worker.selectors import MetricEstimate


@dataclass(frozen=True)
class ReportTable(ResultTable):
    """A table whose numbers say where in the JSON they stand: `at` is as large as `rows`, blank for text."""

    at: Sequence[Sequence[str]] = ()

    @property
    def lines(self) -> list[list[tuple[str, SafeString, bool]]]:
        """Rows as they are printed: the column's title, the words, and whether they are a number."""
        return [
            [
                (column.title, figure(value, at, column.style), column.style != "text")
                for column, value, at in zip(self.columns, row, places, strict=True)
            ]
            for row, places in zip(self.rows, self.at, strict=True)
        ]


@dataclass(frozen=True)
class EstimateCell:
    """A number with its interval, and of how many pairs it is, as a page prints them."""

    label: str
    value: SafeString
    interval: SafeString
    n: SafeString


@dataclass(frozen=True)
class EstimateRow:
    """What stands beside each other in a line: a name, and numbers of one kind."""

    name: str
    cells: list[EstimateCell]
    n: SafeString


def figure(value: Cell, at: str, style: str = "number") -> SafeString:
    """A number that names its source; text and what is undefined as it is."""
    words = said(value, style)
    if value is None or style == "text":
        return format_html("{}", words)
    return format_html('<data value="{}" data-at="{}">{}</data>', repr(value), at, words)


def told(*parts: str | SafeString) -> SafeString:
    """A sentence of words and figures; words are escaped."""
    return format_html_join("", "{}", ((part,) for part in parts))


def interval_of(estimate: MetricEstimate | None, at: str) -> SafeString:
    """The words "0.22 to 0.40", empty where no interval is defined."""
    if estimate is None or estimate.low is None or estimate.high is None:
        return SafeString("")
    return told(figure(estimate.low, f"{at}.low"), " to ", figure(estimate.high, f"{at}.high"))


def estimate_cell(label: str, estimate: MetricEstimate | None, at: str, *, is_difference: bool = False) -> EstimateCell:
    style = "signed" if is_difference else "number"
    value = estimate.value if estimate else None
    n = figure(estimate.n, f"{at}.n", "count") if estimate else SafeString("")
    return EstimateCell(label, figure(value, f"{at}.value", style), interval_of(estimate, at), n)
