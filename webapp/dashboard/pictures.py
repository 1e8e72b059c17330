"""How pictures are drawn: colours of the page or of paper, fonts, intervals as dots with whiskers.

Loads matplotlib: import it where something is drawn, and nowhere else. One picture at a time: matplotlib's settings
belong to the process, and threads of the web server share it.
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

_lock = Lock()
# For captions and names in other scripts, where one of these is installed.
_FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans", "Noto Sans Arabic", "Noto Sans Devanagari")
PNG_DPI = 200


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


def drawn(draw: Callable[[Axes, Style], None], size: tuple[float, float], wanted: Wanted) -> bytes:
    """A picture as SVG or PNG, `size` in inches; `draw` fills its axes. The same numbers give the same bytes."""
    style = STYLES[wanted.style]
    with _lock, matplotlib.rc_context(_settings(style)):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        draw(axes, style)
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


def _finish(figure: Figure, axes: Axes, wanted: Wanted, style: Style) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_axisbelow(True)
    words = [wanted.heading] if wanted.style == "print" else []
    if wanted.is_simulated:
        words.append("simulated raters")
    if words:
        colour = style.warn if wanted.is_simulated else style.ink
        figure.suptitle(shortened("\n".join(words), 200), x=0.01, ha="left", fontsize=9.5, color=colour)


def intervals(
    axes: Axes,
    names: Sequence[str],
    values: Sequence[tuple[float, float, float]],
    colours: Sequence[str],
    filled: Sequence[bool] | None = None,
) -> None:
    """Dots with whiskers, the first on top. What has no interval has no whiskers."""
    for place, ((value, low, high), colour) in enumerate(zip(values, colours, strict=True)):
        face = colour if filled is None or filled[place] else "none"
        axes.plot([low, high], [place, place], color=colour, linewidth=1.8, solid_capstyle="butt")
        axes.plot([value], [place], marker="o", markersize=6, markeredgecolor=colour, markerfacecolor=face)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", linewidth=0.6)


def zoomed(values: Sequence[tuple[float, float, float]], limits: tuple[float, float]) -> tuple[float, float]:
    """The part of the scale that is in use, and a twentieth of the scale around it."""
    ends = [end for found in values for end in found if end == end]
    margin = (limits[1] - limits[0]) / 20
    return max(limits[0] - margin / 2, min(ends) - margin), min(limits[1] + margin / 2, max(ends) + margin)


def three_numbers(cells: Sequence[Any]) -> tuple[float, float, float]:
    value, low, high = (number_of(cell) for cell in cells)
    return value, low, high


def number_of(cell: Any) -> float:
    return float("nan") if cell is None else float(cell)


def shortened(text: str, most: int) -> str:
    """Without what a file of text must not hold, and cut where it is long."""
    plain = "".join(sign for sign in text if sign == "\n" or unicodedata.category(sign)[0] != "C")
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"
