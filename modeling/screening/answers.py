"""What screening reads: the answers of one test as flat arrays, and what a rule finds for each rater."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from modeling.agreement import Ints
from modeling.metrics import Floats
from modeling.rater_agreement import Bools

# Roles as numbers. Practice is never looked at.
STUDY, ANCHOR, GOLD, REPEAT = 0, 1, 2, 3
ROLES = {"study": STUDY, "anchor": ANCHOR, "gold": GOLD, "repeat": REPEAT}
# Outcomes as numbers.
UNCHECKED, FAILED, PASSED = -1, 0, 1


@dataclass(frozen=True)
class Answers:
    """One entry for each answer, those of a rater in the order in which they were given; NaN: not known.

    `rater` counts from 0, and `headphones` has one entry for each rater: PASSED, FAILED or UNCHECKED. `item` is what
    was judged: a pair, or in a comparison two of them. Scores and expected ranges are on 0..10; `given` is the answer
    as the rater saw it, which in a comparison is the place that was chosen. An open end of a range is infinite; an item
    that nothing is expected of has NaN. `elapsed_s` lies between the page and the answer, `needed_s` is what hearing
    its clips takes at least; `too_soon` marks what the platform itself found to have come sooner. `unheard_s` are
    seconds that are missing from what must be heard of the clip, of several of the one heard least. `repeat_of` is the
    item that this one repeats, or -1.
    """

    rater: Ints
    item: Ints
    role: Ints
    score: Floats
    given: Floats
    expected_low: Floats
    expected_high: Floats
    elapsed_s: Floats
    needed_s: Floats
    too_soon: Bools
    unheard_s: Floats
    plays: Floats
    repeat_of: Ints
    headphones: Ints

    def __post_init__(self) -> None:
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self) if field.name != "headphones"}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"Every answer needs an entry in each array; their lengths are {lengths}.")

    @property
    def n_raters(self) -> int:
        return len(self.headphones)

    def count(self, chosen: Bools) -> Ints:
        """How many of the chosen answers each rater gave."""
        return np.bincount(self.rater[chosen], minlength=self.n_raters).astype(np.int64)

    def mean(self, chosen: Bools, of: Floats) -> Floats:
        """The mean over each rater's chosen answers; NaN where there is none."""
        sums: Floats = np.bincount(self.rater[chosen], of[chosen], self.n_raters).astype(np.float64)
        return _ratio(sums, self.count(chosen))

    def share(self, hits: Bools, among: Bools) -> Floats:
        """Which part of each rater's answers `among` those are `hits`; NaN where there is none."""
        return self.mean(among, hits.astype(np.float64))


@dataclass(frozen=True)
class Limits:
    """A rule's thresholds in one test: `limit` on its value, on at least so many observations.

    `tolerance` and `how` are for the rules that say so.
    """

    limit: float
    at_least: int
    tolerance: float = 0.0
    how: str = ""


@dataclass(frozen=True)
class Measured:
    """What a rule found, one entry for each rater: a value (NaN: undefined) over `n` observations.

    `judged` is what is compared with the limit where that is not the value itself.
    """

    value: Floats
    n: Ints
    judged: Floats | None = None


def _ratio(sums: Floats, counts: Ints) -> Floats:
    result: Floats = np.full(len(sums), np.nan)
    np.divide(sums, counts, out=result, where=counts > 0)
    return result
