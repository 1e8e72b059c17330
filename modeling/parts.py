"""How held-out pairs fall into parts: by system, origin, number of ratings, and how far these lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modeling.metrics import Floats

Ints = npt.NDArray[np.int64]
Groups = Mapping[str, Ints]
# Systems of these names are no systems: their clips are recordings. Where others are named, so are clips of none.
NATURAL = frozenset({"", "audiocaps", "ground truth", "human", "natural", "original", "real", "recording", "reference"})
# How many ratings a pair has: from, to.
RATING_COUNTS = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 8), (9, None))
THIRDS = ("low", "middle", "high")


def less_means(values: Floats, groups: Sequence[Ints]) -> Floats:
    """Less the mean of each group, as a share of the largest value; what differs by rounding alone is made equal."""
    centred = np.zeros(len(values))
    for at in groups:
        centred[at] = values[at] - values[at].mean()
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    return np.asarray(np.round(centred / largest, 12), dtype=np.float64)


def by_name(names: Sequence[str]) -> dict[str, Ints]:
    found: dict[str, list[int]] = {}
    for number, name in enumerate(names):
        found.setdefault(name, []).append(number)
    return {name: np.array(found[name], dtype=np.int64) for name in sorted(found)}


def by_origin(systems: Sequence[str]) -> dict[str, Ints]:
    return by_name(["natural" if name.lower() in NATURAL else "synthesised" for name in systems])


def by_count(counts: Ints) -> dict[str, Ints]:
    return {name: at for name, at in _count_groups(counts) if len(at)}


def _count_groups(counts: Ints) -> Iterator[tuple[str, Ints]]:
    for low, high in RATING_COUNTS:
        name = f"{low} or more" if high is None else f"{low}" if low == high else f"{low} to {high}"
        yield name, np.flatnonzero((counts >= low) & (counts <= (np.inf if high is None else high)))


def by_spread(sd: Floats) -> dict[str, Ints]:
    """Pairs by their third of the standard deviations that are defined; equal ones stay together."""
    known = sd[np.isfinite(sd)]
    if len(known) < len(THIRDS):
        return {}
    place = np.searchsorted(np.quantile(known, [1 / 3, 2 / 3]), sd, side="left")
    groups = ((name, np.flatnonzero(np.isfinite(sd) & (place == third))) for third, name in enumerate(THIRDS))
    return {name: at for name, at in groups if len(at)}
