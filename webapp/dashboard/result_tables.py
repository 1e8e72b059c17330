"""The numbers behind each picture of the results, as a table that is shown, drawn and downloaded alike.

Takes the stored summary of `worker.models.ComputedResults`; computes none of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from listening_tests.choices import TestKind
from webapp.dashboard.phrases import UNDEFINED, number, signed
from worker.models import ComputedResults

Cell = str | int | float | None
Summary = Mapping[str, Any]
NOT_NAMED = "no system named"
# What Holm-corrected p must be below for a difference to be called one.
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Column:
    """`name` heads the column in a CSV file, `title` on the page. `style`: text, count, number, signed or p."""

    name: str
    title: str
    style: str = "number"


@dataclass(frozen=True)
class ResultTable:
    """`name` is part of addresses and file names; `rows` hold plain values, as many as there are columns."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    # What a picture of it shows, in a sentence, for who cannot see it.
    text: str

    @property
    def shown(self) -> list[list[tuple[str, str, bool]]]:
        """Rows as they are printed: the column's title, the words, and whether they are a number."""
        return [
            [
                (column.title, said(value, column.style), column.style != "text")
                for column, value in zip(self.columns, row, strict=True)
            ]
            for row in self.rows
        ]


def said(value: Cell, style: str) -> str:
    if style == "text":
        return str(value)
    if value is None:
        return UNDEFINED
    if style == "count":
        return f"{value:,}"
    if style == "p":
        return "< 0.001" if float(value) < 0.001 else f"{value:.3f}"
    return signed(float(value)) if style == "signed" else number(float(value))


def result_tables(results: ComputedResults) -> dict[str, ResultTable]:
    """Those that the kind of test has, in the order of the page; the others' names are missing."""
    summary = results.summary
    tables = [_systems(results), _differences(results)]
    if results.test.kind != TestKind.COMPARISON:
        tables += [_reliability(summary), _scores(summary)]
    return {table.name: table for table in tables if table.rows}


def system_name(name: str) -> str:
    return name or NOT_NAMED


def _systems(results: ComputedResults) -> ResultTable:
    is_compared = results.test.kind == TestKind.COMPARISON
    rows = [
        [
            system_name(found["system"]),
            found["mean"]["value"],
            found["mean"]["low"],
            found["mean"]["high"],
            *([found["strength"][part] for part in ("value", "low", "high")] if is_compared else [found["pairs"]]),
            found["captions"],
            found["raters"],
            found["mean"]["n"],
        ]
        for found in results.summary["systems"]["systems"]
    ]
    columns = [
        Column("system", "System", "text"),
        Column("mean", "Score (0 to 10)" if is_compared else "Mean score"),
        Column("low", "95 % from"),
        Column("high", "to"),
        *(
            [
                Column("strength", "Strength (logits)", "signed"),
                Column("strength_low", "95 % from", "signed"),
                Column("strength_high", "to", "signed"),
            ]
            if is_compared
            else [Column("pairs", "Pairs", "count")]
        ),
        Column("captions", "Captions", "count"),
        Column("raters", "Raters", "count"),
        Column("answers", "Comparisons" if is_compared else "Ratings", "count"),
    ]
    return ResultTable("systems", "Systems", columns, rows, _systems_text(rows))


def _systems_text(rows: Sequence[Sequence[Cell]]) -> str:
    if len(rows) < 2:
        return "Mean score with its 95 % interval."
    best, last = rows[0], rows[-1]
    return (
        f"Scores of {len(rows)} systems with 95 % intervals, from {best[0]} with {said(best[1], 'number')} down to "
        f"{last[0]} with {said(last[1], 'number')}."
    )


def _differences(results: ComputedResults) -> ResultTable:
    is_compared = results.test.kind == TestKind.COMPARISON
    rows = [
        [
            system_name(found["first"]),
            system_name(found["second"]),
            found["difference"]["value"],
            found["difference"]["low"],
            found["difference"]["high"],
            found["p"],
            found["p_holm"],
            verdict(found),
        ]
        for found in results.summary["systems"]["differences"]
    ]
    columns = [
        Column("first", "First", "text"),
        Column("second", "Second", "text"),
        Column("difference", "First less second" + (" (logits)" if is_compared else ""), "signed"),
        Column("low", "95 % from", "signed"),
        Column("high", "to", "signed"),
        Column("p", "p", "p"),
        Column("p_holm", "p, by Holm", "p"),
        Column("verdict", "Verdict", "text"),
    ]
    n_told = sum(row[-1] == "first is better" for row in rows)
    text = (
        f"Differences between {len(rows)} pairs of systems with 95 % intervals; {n_told} of them are clear of zero "
        "after Holm's correction."
    )
    return ResultTable("differences", "Systems compared", columns, rows, text)


def verdict(found: Mapping[str, Any]) -> str:
    if found["p_holm"] is None:
        return "cannot be told"
    # The better of two stands first.
    return "first is better" if found["p_holm"] < SIGNIFICANT else "not told apart"


def _reliability(summary: Summary) -> ResultTable:
    rows = [
        [point["k"], *(point["reliability"][part] for part in ("value", "low", "high")), point["relate"]]
        for point in summary["agreement"]["curve"]
        if point["reliability"]["value"] is not None
    ]
    columns = [
        Column("ratings_per_pair", "Ratings per pair", "count"),
        Column("reliability", "Reliability"),
        Column("low", "95 % from"),
        Column("high", "to"),
        Column("relate", "RELATE's"),
    ]
    text = ""
    if rows:
        text = (
            f"Reliability of a pair's mean rises from {said(rows[0][1], 'number')} with 1 rating to "
            f"{said(rows[-1][1], 'number')} with {rows[-1][0]}."
        )
    return ResultTable("reliability", "Reliability against ratings per pair", columns, rows, text)


def _scores(summary: Summary) -> ResultTable:
    rows: list[list[Cell]] = [[found["score"], found["upto"], found["n"]] for found in summary["scores"]]
    total = sum(found["n"] for found in summary["scores"])
    shared = [[*row, float(row[2] or 0) / total] for row in rows] if total else []
    columns = [
        Column("score", "Score"),
        Column("upto", "up to"),
        Column("ratings", "Ratings", "count"),
        Column("share", "Share"),
    ]
    text = ""
    if shared:
        most = max(shared, key=lambda row: row[3])
        text = (
            f"How often each score was given; {said(most[0], 'number')} most often, {100 * most[3]:.0f} % of ratings."
        )
    return ResultTable("scores", "Distribution of scores", columns, shared, text)
