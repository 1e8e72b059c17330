"""Pictures of the results. Loads matplotlib: import it where something is drawn, and nowhere else."""

from collections.abc import Callable
from functools import partial

from matplotlib.axes import Axes

from webapp.dashboard.pictures import Style, Wanted, drawn, intervals, number_of, shortened, three_numbers, zoomed
from webapp.dashboard.result_tables import SIGNIFICANT, ResultTable

# More differences than this would be a picture that nobody reads: the largest are drawn, the table has all.
MOST_DIFFERENCES = 45
_ROW_IN, _EDGES_IN = 0.3, 1.0


def picture(table: ResultTable, wanted: Wanted) -> bytes:
    """The table's picture as SVG or PNG. The same table gives the same bytes."""
    return drawn(partial(_draw, table, wanted), _size(table, wanted), wanted)


def _draw(table: ResultTable, wanted: Wanted, axes: Axes, style: Style) -> None:
    _DRAWN[table.name](axes, table, wanted, style)


def _size(table: ResultTable, wanted: Wanted) -> tuple[float, float]:
    """In inches; a phone's picture is drawn as wide as a phone, so that its text keeps its size."""
    width = 3.5 if wanted.is_narrow else 6.6
    if table.name in {"systems", "differences"}:
        rows = min(len(table.rows), MOST_DIFFERENCES)
        two_lines = 1.6 if table.name == "differences" and wanted.is_narrow else 1
        return width, _EDGES_IN + _ROW_IN * rows * two_lines
    return width, 2.9


def _draw_systems(axes: Axes, table: ResultTable, wanted: Wanted, style: Style) -> None:
    names = [shortened(str(row[0]), 16 if wanted.is_narrow else 32) for row in table.rows]
    found = [three_numbers(row[1:4]) for row in table.rows]
    intervals(axes, names, found, [style.accent] * len(names))
    if wanted.limits:
        axes.set_xlim(*zoomed(found, wanted.limits))
    axes.set_xlabel(wanted.unit)


def _draw_differences(axes: Axes, table: ResultTable, wanted: Wanted, style: Style) -> None:
    rows = sorted(table.rows, key=lambda row: -abs(float(row[2] or 0)))[:MOST_DIFFERENCES]
    mine, length = [row for row in table.rows if row in rows], 15 if wanted.is_narrow else 22
    between = "\nless " if wanted.is_narrow else " less "
    names = [between.join(shortened(str(name), length) for name in row[:2]) for row in mine]
    told = [row[6] is not None and float(row[6]) < SIGNIFICANT for row in mine]
    axes.axvline(0, color=style.soft, linewidth=1)
    colours = [style.accent if clear else style.soft for clear in told]
    intervals(axes, names, [three_numbers(row[2:5]) for row in mine], colours, filled=told)
    axes.set_xlabel(wanted.unit if wanted.is_narrow else f"{wanted.unit}; filled: Holm's p below {SIGNIFICANT:g}")


def _draw_reliability(axes: Axes, table: ResultTable, wanted: Wanted, style: Style) -> None:
    k = [int(row[0] or 0) for row in table.rows]
    value, low, high = ([number_of(row[place]) for row in table.rows] for place in (1, 2, 3))
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
    lows, counts = [number_of(row[0]) for row in table.rows], [number_of(row[2]) for row in table.rows]
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
