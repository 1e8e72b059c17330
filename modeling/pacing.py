"""How long answers take, and how long a study will take at the pace of late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# With fewer answers a pace is chance: the standard error of a count of 20 is 22 % of it.
FEWEST_ANSWERS = 20


@dataclass(frozen=True)
class Quartiles:
    """Of `n` values; None where there is none."""

    low: float | None
    median: float | None
    high: float | None
    n: int


def quartiles(values: npt.ArrayLike) -> Quartiles:
    """The quartiles and the median, between two values in proportion."""
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers):
        return Quartiles(None, None, None, 0)
    low, median, high = (float(value) for value in np.quantile(numbers, (0.25, 0.5, 0.75)))
    return Quartiles(low, median, high, len(numbers))


def hours_left(*, n_missing: int, n_answers: int, hours: float) -> float | None:
    """How many hours `n_missing` answers take where `n_answers` came in `hours`; None where these are too few."""
    if n_answers < FEWEST_ANSWERS or hours <= 0:
        return None
    return n_missing * hours / n_answers
