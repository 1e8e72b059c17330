"""Pictures of reports. Loads matplotlib: import it where something is drawn, and nowhere else."""

import re
from functools import partial

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from matplotlib.axes import Axes

from webapp.dashboard.figures import ReportTable
from webapp.dashboard.phrases import number
from webapp.dashboard.pictures import STYLES, Style, Wanted, drawn, intervals, number_of, shortened, three_numbers
from webapp.dashboard.result_tables import Cell

# Groups of pairs in a picture; the table has all.
MOST_GROUPS = 40
_ROW_IN, _EDGES_IN = 0.34, 0.9
_BANDS = {"One person against the rest": "one person", "Ceiling": "ceiling"}


def report_picture(table: ReportTable, wanted: Wanted) -> bytes:
    """The table's picture as SVG or PNG. The same table gives the same bytes."""
    return drawn(partial(_DRAWN[table.name], table, wanted), _size(table, wanted), wanted)


def inline_picture(table: ReportTable, *, is_simulated: bool) -> SafeString:
    """The picture as part of a page that has the colours of earmark/tokens.css as variables, and follows them: once for
    a desk and paper, once as wide as a phone.
    """
    return mark_safe("".join(_inline(table, is_narrow, is_simulated) for is_narrow in (False, True)))  # noqa: S308


def _inline(table: ReportTable, is_narrow: bool, is_simulated: bool) -> SafeString:
    wanted = Wanted("light", "svg", is_narrow, heading="", unit="", is_simulated=is_simulated)
    svg = report_picture(table, wanted).decode()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") + len("<svg") :], flags=re.DOTALL)
    svg = re.sub(r' xmlns(:xlink)?="[^"]*"', "", svg.replace("xlink:href", "href"))
    for name in ("ink", "soft", "line", "accent", "warn"):
        svg = svg.replace(getattr(STYLES["light"], name), f"var(--{'ink-soft' if name == 'soft' else name})")
    # Several pictures share a page, and each names its own parts.
    prefix = f"{table.name}{'-narrow' if is_narrow else ''}-"
    for mark in ('id="', "url(#", ' href="#'):
        svg = svg.replace(mark, f"{mark}{prefix}")
    width = re.search(r' width="([\d.]+)pt"', svg)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    opening = format_html(
        '<svg class="{}" role="img" aria-label="{}" style="max-width: {}pt"',
        "narrow" if is_narrow else "wide",
        table.text,
        width[1] if width else 480,
    )
    # Drawn by matplotlib, which escapes every text that it is given.
    return mark_safe(opening + svg)  # noqa: S308


def _size(table: ReportTable, wanted: Wanted) -> tuple[float, float]:
    """In inches; a phone's picture is drawn as wide as a phone, so that its text keeps its size."""
    width = 3.5 if wanted.is_narrow else 6.6
    if table.name == "agreement":
        return width, _EDGES_IN + _ROW_IN * len(_models(table)) + 0.5
    if table.name == "parts":
        return width, _EDGES_IN + _ROW_IN * len(_srcc_rows(table))
    if table.name in {"scatter", "calibration"}:
        return min(width, 4.6), min(width, 4.6)
    return width, 3.1


def _models(table: ReportTable) -> list[tuple[str, tuple[float, float, float]]]:
    return [(str(row[0]), three_numbers(row[1:4])) for row in table.rows if row[0] not in _BANDS]


def _draw_agreement(table: ReportTable, wanted: Wanted, axes: Axes, style: Style) -> None:
    models = _models(table)
    for row in table.rows:
        value, low, high = three_numbers(row[1:4])
        if row[0] in _BANDS and value == value:
            is_upper = row[0] == "Ceiling"
            axes.axvline(value, color=style.soft, linewidth=1.2, linestyle="--")
            if low == low:
                axes.axvspan(low, high, color=style.soft, alpha=0.14, linewidth=0)
            axes.annotate(
                f"{_BANDS[str(row[0])]} {number(value)}",
                (value, 1),
                xycoords=("data", "axes fraction"),
                xytext=(4 if is_upper else -4, 3),
                textcoords="offset points",
                ha="left" if is_upper else "right",
                fontsize=8.5,
                color=style.ink,
            )
    colours = [style.accent if name == "Tuned model" else style.soft for name, _ in models]
    intervals(axes, [name for name, _ in models], [found for _, found in models], colours)
    for place, (_, (value, _, high)) in enumerate(models):
        if value == value:
            end = high if high == high else value
            axes.annotate(
                number(value), (end, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9
            )
    lowest = min([0.0, *(end for _, found in models for end in found if end == end)])
    axes.set_xlim(lowest - (0.03 if lowest < 0 else 0), 1)
    axes.set_xlabel("SRCC with people")


def _srcc_rows(table: ReportTable) -> list[list[Cell]]:
    return [list(row) for row in table.rows if row[2] == "srcc"][:MOST_GROUPS]


def _draw_parts(table: ReportTable, wanted: Wanted, axes: Axes, style: Style) -> None:
    rows = _srcc_rows(table)
    sides = (("Untuned", 3, style.soft, -0.14, False), ("Tuned", 6, style.accent, 0.14, True))
    for label, column, colour, offset, is_filled in sides:
        for place, row in enumerate(rows):
            value, low, high = three_numbers(row[column : column + 3])
            axes.plot([low, high], [place + offset] * 2, color=colour, linewidth=1.6, solid_capstyle="butt")
            axes.plot(
                [value],
                [place + offset],
                marker="o",
                markersize=5,
                linestyle="none",
                markeredgecolor=colour,
                markerfacecolor=colour if is_filled else "none",
                label=label if place == 0 else None,
            )
    names = [shortened(str(row[1]), 18 if wanted.is_narrow else 36) for row in rows]
    axes.axvline(0, color=style.line, linewidth=1)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", linewidth=0.6)
    axes.set_xlabel("SRCC with people")
    axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)


def _draw_calibration(table: ReportTable, wanted: Wanted, axes: Axes, style: Style) -> None:
    axes.plot([0, 10], [0, 10], color=style.soft, linewidth=1, linestyle="--", label="a score that is right")
    for row in table.rows:
        score, human, low, high = (number_of(cell) for cell in row[2:6])
        axes.plot([score, score], [low, high], color=style.accent, linewidth=1.8, solid_capstyle="butt")
        axes.plot([score], [human], marker="o", markersize=6, color=style.accent)
    _ten_by_ten(axes, "The model’s score, mean of a bin")
    axes.legend(frameon=False, fontsize=8, loc="upper left")


def _draw_scatter(table: ReportTable, wanted: Wanted, axes: Axes, style: Style) -> None:
    cosines, people = [number_of(row[6]) for row in table.rows], [number_of(row[3]) for row in table.rows]
    crowd = 26 if len(cosines) <= 300 else 9
    axes.scatter(cosines, people, s=crowd, color=style.accent, alpha=0.55, linewidth=0)
    axes.set(
        ylim=(-0.3, 10.3), yticks=range(0, 11, 2), xlabel="Cosine of the tuned model", ylabel="Mean score of people"
    )
    axes.grid(linewidth=0.6)


def _draw_curve(table: ReportTable, wanted: Wanted, axes: Axes, style: Style) -> None:
    fitted = [[number_of(cell) for cell in row[1:]] for row in table.rows if row[0] == "curve"]
    if fitted:
        sizes, values, lows, highs = zip(*fitted, strict=True)
        axes.fill_between(sizes, lows, highs, color=style.accent, alpha=0.18, linewidth=0)
        axes.plot(sizes, values, color=style.accent, linewidth=1.6, label="fitted curve, 95 % interval")
    for place, row in enumerate(row for row in table.rows if row[0] == "run"):
        ratings, value, low, high = (number_of(cell) for cell in row[1:])
        axes.plot([ratings, ratings], [low, high], color=style.warn, linewidth=1.4, solid_capstyle="butt")
        label = "runs, 95 % interval" if place == 0 else None
        axes.plot([ratings], [value], marker="o", markersize=5, color=style.warn, linestyle="none", label=label)
    axes.set(xlabel="Ratings that the run had", ylabel="Held-out SRCC")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.locator_params(axis="x", nbins=4 if wanted.is_narrow else 7, integer=True)
    axes.grid(axis="y", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8, loc="lower right")


def _ten_by_ten(axes: Axes, x_name: str) -> None:
    axes.set(xlim=(-0.2, 10.2), ylim=(-0.2, 10.2), xticks=range(0, 11, 2), yticks=range(0, 11, 2))
    axes.set(xlabel=x_name, ylabel="Mean score of people")
    axes.grid(linewidth=0.6)


_DRAWN = {
    "agreement": _draw_agreement,
    "parts": _draw_parts,
    "calibration": _draw_calibration,
    "scatter": _draw_scatter,
    "curve": _draw_curve,
}
