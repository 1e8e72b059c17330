"""What the commands show to people: a bar while they wait, figures with their intervals, tables of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from modeling.metrics import NAMES
from modeling.plain_text import one_line
from modeling.training.team import leads

NO_CEILING = "  One person against the rest and a ceiling are not defined for comparisons."
PARTS = {
    "system": "system",
    "origin": "origin",
    "n_ratings": "ratings a pair",
    "disagreement": "disagreement",
}

Number = Mapping[str, float | None]


def bar_shown() -> Bar:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Bar(*columns, console=Console(stderr=True), transient=True, disable=not leads())


def table_lines(columns: Mapping[str, Mapping[str, Number]]) -> list[str]:
    """Metrics by row; every column has those of the first."""
    measured = next(iter(columns.values()))
    return [
        f"  {NAMES[metric]:14} " + "   ".join(f"{name} {interval(values[metric])}" for name, values in columns.items())
        for metric in measured
    ]


def people_lines(report: Mapping[str, Any]) -> list[str]:
    if report["n_heldout_comparisons"]:
        return [NO_CEILING]
    return [
        f"  One rating against the rest: SRCC {interval(report['one_vs_rest_srcc'])}.",
        f"  Ceiling of these ratings:    SRCC {interval(report['ceiling_srcc'])}.",
    ]


def breakdown_lines(parts: Mapping[str, Any]) -> list[str]:
    """What `modeling.breakdown` found, a part a row: SRCC with its interval, the other metrics, the number of pairs."""
    rows = [("", *(NAMES[name] for name in ("srcc", "lcc", "ktau", "mse")), "pairs")]
    rows += [
        _row(f"within {name}s", parts[f"within_{name}"]) for name in ("caption", "system") if parts[f"within_{name}"]
    ]
    for part, called in PARTS.items():
        rows += [_row(f"{called}: {_group(part, name, parts)}", values) for name, values in (parts[part] or {}).items()]
    corrected = parts["noise_corrected"]
    return [
        *_aligned(rows),
        f"  Without raters' noise: SRCC {interval(corrected['srcc'])}, LCC {interval(corrected['lcc'])}.",
        f"  Reliability of people's means: {interval(corrected['reliability'])}.",
        *calibration_lines("what the MSE is of", parts["calibration"]),
    ]


def calibration_lines(called: str, curve: Mapping[str, Any] | None) -> list[str]:
    """The line of people's means; 0 + 1 x is a score that means what it says."""
    if curve is None:
        return []
    return [f"  People's mean = {interval(curve['intercept'])} + {interval(curve['slope'])} x {called}."]


def interval(value: Number) -> str:
    if value["value"] is None:
        return "undefined"
    if value["low"] is None:
        return f"{value['value']:.3f}"
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def _row(name: str, values: Mapping[str, Number]) -> tuple[str, ...]:
    others = (values[metric]["value"] if metric in values else None for metric in ("lcc", "ktau", "mse"))
    cells = ("" if value is None else f"{value:.3f}" for value in others)
    return (name, interval(values["srcc"]), *cells, f"{values['srcc']['n']}")


def _group(part: str, name: str, parts: Mapping[str, Any]) -> str:
    if part != "disagreement":
        return one_line(name) or "none"
    low, high = parts["disagreement_sd"][name]
    return f"{name} (SD {low:.2f} to {high:.2f})"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        ("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip() for row in rows
    ]
