"""Answers to one question as arrays: what every number of the results is computed from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeling.metrics import Floats

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """Scores on the question's own scale. `pair`, `rater` and `score` have one entry per rating.

    Pairs and raters are numbered from 0 without gaps, so each has a rating; `caption` and `system` have one entry per
    pair and are numbered the same way. `systems` holds the systems' names; an empty one stands for "not named".
    """

    pair: Ints
    rater: Ints
    score: Floats
    caption: Ints
    system: Ints
    systems: tuple[str, ...]
    scale_min: float
    scale_max: float

    def __len__(self) -> int:
        return len(self.score)

    @property
    def n_pairs(self) -> int:
        return len(self.caption)

    @property
    def n_raters(self) -> int:
        return int(self.rater.max()) + 1 if len(self.rater) else 0

    @property
    def n_captions(self) -> int:
        return int(self.caption.max()) + 1 if len(self.caption) else 0


@dataclass(frozen=True)
class Choices:
    """Comparisons, one entry each: the systems of the two clips, the first's share of the win, rater and caption.

    All but `won` (1, 0, or .5 for no difference) are numbered from 0 without gaps.
    """

    first: Ints
    second: Ints
    won: Floats
    rater: Ints
    caption: Ints
    systems: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.won)


def scores_of(
    *,
    pair: npt.ArrayLike,
    rater: npt.ArrayLike,
    score: npt.ArrayLike,
    caption: npt.ArrayLike,
    system: npt.ArrayLike,
    scale: tuple[float, float],
) -> tuple[Scores, Ints, Ints]:
    """`Scores` from columns with one entry per rating: keys of pair, rater and caption, and the system's name.

    Returned beside it: the key of each pair and of each caption, by their numbers. Raises ValueError where columns
    differ in length, or a score is no finite number.
    """
    values = np.asarray(score, dtype=np.float64)
    pair_keys, first_at, pairs = np.unique(np.asarray(pair, dtype=np.int64), return_index=True, return_inverse=True)
    _, raters = np.unique(np.asarray(rater, dtype=np.int64), return_inverse=True)
    caption_column, system_column = np.asarray(caption, dtype=np.int64), np.asarray(system, dtype=np.str_)
    if not len(values) == len(pairs) == len(raters) == len(caption_column) == len(system_column):
        raise ValueError("Every rating needs a pair, a rater, a score, a caption and a system.")
    if not np.isfinite(values).all():
        raise ValueError("Every score must be a finite number.")
    caption_keys, captions = np.unique(caption_column[first_at], return_inverse=True)
    systems, system_numbers = np.unique(system_column[first_at], return_inverse=True)
    scores = Scores(
        pair=pairs,
        rater=raters,
        score=values,
        caption=captions,
        system=system_numbers,
        systems=tuple(systems.tolist()),
        scale_min=scale[0],
        scale_max=scale[1],
    )
    return scores, pair_keys, caption_keys


def choices_of(
    *,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    won: npt.ArrayLike,
    rater: npt.ArrayLike,
    caption: npt.ArrayLike,
) -> Choices:
    """`Choices` from columns with one entry per comparison. Of a system with itself nothing is learnt: left out."""
    a, b = np.asarray(first, dtype=np.str_), np.asarray(second, dtype=np.str_)
    mine = a != b
    systems, numbers = np.unique(np.concatenate([a[mine], b[mine]]), return_inverse=True)
    n = int(mine.sum())
    return Choices(
        first=numbers[:n],
        second=numbers[n:],
        won=np.asarray(won, dtype=np.float64)[mine],
        rater=np.unique(np.asarray(rater, dtype=np.int64)[mine], return_inverse=True)[1],
        caption=np.unique(np.asarray(caption, dtype=np.int64)[mine], return_inverse=True)[1],
        systems=tuple(systems.tolist()),
    )
