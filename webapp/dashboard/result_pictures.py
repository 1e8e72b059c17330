"""Pictures of the results. Loads matplotlib: import it where something is drawn, and nowhere else.

One picture at a time: matplotlib's settings belong to the process, and threads of the web server share it.
"""

import os
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Any

from django.conf import settings

# Its cache of fonts lies with the rest of what an installation keeps.
os.environ.setdefault("MPLCONFIGDIR", str(settings.EARMARK_HOME / "matplotlib"))

import matplotlib  # noqa: E402 -- reads the line above
from matplotlib import font_manager  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from webapp.dashboard.result_tables import SIGNIFICANT, ResultTable  # noqa: E402

_lock = Lock()
# For captions and names in other scripts, where one of these is installed.
_FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans", "Noto Sans Arabic", "Noto Sans Devanagari")
PNG_DPI = 200
# More differences than this would be a picture that nobody reads: the largest are drawn, the table has all.
MOST_DIFFERENCES = 45
_ROW_IN, _EDGES_IN = 0.3, 1.0


@dataclass(frozen=True)
class Style:
    """Colours as in earmark/tokens.css. `paper` is None where the page shows through."""

    ink: str
    soft: str
    line: str
    accent: str
    warn: str
    paper: str | None = None


STYLES = {
    "light": Style("#1d2327", "#51595f", "#d6d2ca", "#0b6450", "#8a4b00"),
    "dark": Style("#eceae6", "#b4b9bc", "#363e42", "#57c7a7", "#f2b766"),
    "print": Style("#1d2327", "#51595f", "#d6d2ca", "#0b6450", "#8a4b00", paper="#ffffff"),
}


@dataclass(frozen=True)
class Wanted:
    """How a picture is to be drawn. `heading` stands above it where it leaves the page, `unit` beside the scale."""

    style: str
    file_format: str
    is_narrow: bool
    heading: str
    unit: str
    is_simulated: bool
    # Of the scale, or empty where the numbers say it.
    limits: tuple[float, float] | None = None
    mean_k: float | None = None


def picture(table: ResultTable, wanted: Wanted) -> bytes:
    """The table's picture as SVG or PNG. The same table gives the same bytes."""
    style = STYLES[wanted.style]
    with _lock, matplotlib.rc_context(_settings(style)):
        figure = Figure(figsize=_size(table, wanted), layout="constrained")
        axes = figure.add_subplot()
        _DRAWN[table.name](axes, table, wanted, style)
        _finish(figure, axes, wanted, style)
        stream = BytesIO()
        metadata = {"Date": None, "Creator": "Earmark"} if wanted.file_format == "svg" else {"Software": "Earmark"}
        figure.savefig(stream, format=wanted.file_format, dpi=PNG_DPI, metadata=metadata)
    return stream.getvalue()


def _settings(style: Style) -> Any:
    installed = set(font_manager.get_font_names())
    return {
        "font.family": [name for name in _FONTS if name in installed] or ["sans-serif"],
        "font.size": 9.5,
        # A system may be called $\alpha$, or hold half a formula.
        "text.parse_math": False,
        "text.usetex": False,
        "text.color": style.ink,
        "axes.labelcolor": style.soft,
        "axes.edgecolor": style.line,
        "xtick.color": style.soft,
        "ytick.color": style.soft,
        "xtick.labelcolor": style.soft,
        "ytick.labelcolor": style.ink,
        "grid.color": style.line,
        "figure.facecolor": style.paper or "none",
        "axes.facecolor": "none",
        "savefig.facecolor": style.paper or "none",
        "savefig.transparent": False,
        # Text that can be searched and edited, in the reader's own fonts.
        "svg.fonttype": "none",
        "svg.hashsalt": "earmark",
    }


def _size(table: ResultTable, wanted: Wanted) -> tuple[float, float]:
    """In inches; a phone's picture is drawn as wide as a phone, so that its text keeps its size."""
    width = 3.5 if wanted.is_narrow else 6.6
    if table.name in {"systems", "differences"}:
        rows = min(len(table.rows), MOST_DIFFERENCES)
        two_lines = 1.6 if table.name == "differences" and wanted.is_narrow else 1
        return width, _EDGES_IN + _ROW_IN * rows * two_lines
    return width, 2.9


def _finish(figure: Figure, axes: Axes, wanted: Wanted, style: Style) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_axisbelow(True)
    words = [wanted.heading] if wanted.style == "print" else []
    if wanted.is_simulated:
        words.append("simulated raters")
    if words:
        colour = style.warn if wanted.is_simulated else style.ink
        figure.suptitle(_shortened("\n".join(words), 200), x=0.01, ha="left", fontsize=9.5, color=colour)


def _draw_systems(axes: Axes, table: ResultTable, wanted: Wanted, style: Style) -> None:
    names = [_shortened(str(row[0]), 16 if wanted.is_narrow else 32) for row in table.rows]
    intervals = [_numbers(row[1:4]) for row in table.rows]
    _intervals(axes, names, intervals, [style.accent] * len(names))
    if wanted.limits:
        axes.set_xlim(*_zoomed(intervals, wanted.limits))
    axes.set_xlabel(wanted.unit)


def _draw_differences(axes: Axes, table: ResultTable, wanted: Wanted, style: Style) -> None:
    rows = sorted(table.rows, key=lambda row: -abs(float(row[2] or 0)))[:MOST_DIFFERENCES]
    mine, length = [row for row in table.rows if row in rows], 15 if wanted.is_narrow else 22
    between = "\nless " if wanted.is_narrow else " less "
    names = [between.join(_shortened(str(name), length) for name in row[:2]) for row in mine]
    told = [row[6] is not None and float(row[6]) < SIGNIFICANT for row in mine]
    axes.axvline(0, color=style.soft, linewidth=1)
    colours = [style.accent if clear else style.soft for clear in told]
    _intervals(axes, names, [_numbers(row[2:5]) for row in mine], colours, filled=told)
    axes.set_xlabel(wanted.unit if wanted.is_narrow else f"{wanted.unit}; filled: Holm's p below {SIGNIFICANT:g}")


def _draw_reliability(axes: Axes, table: ResultTable, wanted: Wanted, style: Style) -> None:
    k = [int(row[0] or 0) for row in table.rows]
    value, low, high = ([_number(row[place]) for row in table.rows] for place in (1, 2, 3))
    axes.fill_between(k, low, high, color=style.accent, alpha=0.2, linewidth=0)
    axes.plot(k, value, color=style.accent, marker="o", markersize=3.5, label="this test, with 95 % interval")
    relate = [(int(row[0] or 0), float(row[4])) for row in table.rows if row[4] is not None]
    axes.plot(
        *zip(*relate, strict=True), color=style.warn, marker="s", markersize=4, linestyle="--", label="RELATE (REL)"
    )
    if wanted.mean_k and wanted.mean_k <= k[-1]:
        axes.axvline(wanted.mean_k, color=style.soft, linewidth=1, linestyle=":", label="ratings per pair so far")
    axes.set(
        xlabel="Ratings per pair (k)", ylabel="Reliability of the mean", ylim=(0, 1), xticks=range(0, k[-1] + 1, 2)
    )
    axes.grid(axis="y", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8, loc="lower right")


def _draw_scores(axes: Axes, table: ResultTable, wanted: Wanted, style: Style) -> None:
    lows, counts = [_number(row[0]) for row in table.rows], [_number(row[2]) for row in table.rows]
    step = lows[1] - lows[0] if len(lows) > 1 else 1
    is_binned = table.rows[0][1] is not None
    axes.bar(
        lows,
        counts,
        width=step * (0.95 if is_binned else 0.7),
        align="edge" if is_binned else "center",
        color=style.accent,
    )
    if not is_binned and len(lows) <= 12:
        axes.set_xticks(lows)
    axes.grid(axis="y", linewidth=0.6)
    axes.set(xlabel=wanted.unit, ylabel="Ratings")


_DRAWN: dict[str, Callable[[Axes, ResultTable, Wanted, Style], None]] = {
    "systems": _draw_systems,
    "differences": _draw_differences,
    "reliability": _draw_reliability,
    "scores": _draw_scores,
}


def _intervals(
    axes: Axes,
    names: Sequence[str],
    intervals: Sequence[tuple[float, float, float]],
    colours: Sequence[str],
    filled: Sequence[bool] | None = None,
) -> None:
    """Dots with whiskers, the first on top. What has no interval has no whiskers."""
    for place, ((value, low, high), colour) in enumerate(zip(intervals, colours, strict=True)):
        face = colour if filled is None or filled[place] else "none"
        axes.plot([low, high], [place, place], color=colour, linewidth=1.8, solid_capstyle="butt")
        axes.plot([value], [place], marker="o", markersize=6, markeredgecolor=colour, markerfacecolor=face)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", linewidth=0.6)


def _zoomed(intervals: Sequence[tuple[float, float, float]], limits: tuple[float, float]) -> tuple[float, float]:
    """The part of the scale that is in use, and a twentieth of the scale around it."""
    ends = [end for found in intervals for end in found if end == end]
    margin = (limits[1] - limits[0]) / 20
    return max(limits[0] - margin / 2, min(ends) - margin), min(limits[1] + margin / 2, max(ends) + margin)


def _numbers(cells: Sequence[Any]) -> tuple[float, float, float]:
    value, low, high = (_number(cell) for cell in cells)
    return value, low, high


def _number(cell: Any) -> float:
    return float("nan") if cell is None else float(cell)


def _shortened(text: str, most: int) -> str:
    """Without what a file of text must not hold, and cut where it is long."""
    plain = "".join(sign for sign in text if sign == "\n" or unicodedata.category(sign)[0] != "C")
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
