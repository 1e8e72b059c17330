"""From single comparisons to one score per pair, on 0..10: what `targets` is to ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeling import splits
from modeling.bradley_terry import clip_strengths, strength_to_score
from modeling.metrics import Floats
from modeling.rows import FIRST, NONE, SECOND, ComparisonRow

# The first's share of a win.
WON = {FIRST: 1.0, NONE: 0.5, SECOND: 0.0}


@dataclass(frozen=True)
class FlatComparisons:
    """Comparisons as arrays, one entry per comparison.

    `first` and `second` number the pairs, `won` is the first's share of the win (1, 0, or .5 for no difference),
    `split` the part that the comparison belongs to.
    """

    first: npt.NDArray[np.int64]
    second: npt.NDArray[np.int64]
    won: Floats
    split: npt.NDArray[np.str_]

    def where(self, *names: str) -> FlatComparisons:
        """The comparisons of the given splits."""
        mine = np.isin(self.split, names)
        return FlatComparisons(self.first[mine], self.second[mine], self.won[mine], self.split[mine])

    def __len__(self) -> int:
        return len(self.won)


def flatten(rows: Sequence[ComparisonRow], pairs: Sequence[str]) -> FlatComparisons:
    """The rows as arrays, with pairs numbered as in `pairs`."""
    number = {pair: place for place, pair in enumerate(pairs)}
    return FlatComparisons(
        first=np.array([number[row.first.pair] for row in rows], dtype=np.int64),
        second=np.array([number[row.second.pair] for row in rows], dtype=np.int64),
        won=np.array([WON[row.choice] for row in rows], dtype=np.float64),
        split=np.array([row.split for row in rows], dtype=np.str_),
    )


def pair_splits(comparisons: FlatComparisons, n_pairs: int) -> npt.NDArray[np.str_]:
    """The split of each pair: that of its comparisons, "dropped" or "waiting" only where all of them are."""
    split = np.full(n_pairs, splits.DROPPED, dtype="<U16")
    for part in (splits.WAITING, splits.TRAIN, splits.VALIDATION, splits.HELDOUT):
        some = comparisons.where(part)
        split[some.first] = split[some.second] = part
    return split


def pair_scores(
    comparisons: FlatComparisons, captions: Sequence[str], split: npt.NDArray[np.str_]
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The score of each pair, and how many comparisons are behind it.

    A score is 10 * the probability, by the Bradley-Terry model, that the clip is preferred to an average clip of the
    same caption, from the comparisons of the pair's own split alone: so scores of one caption have a mean of 5, and
    nothing held out reaches a score to train on. `captions` and `split` have one entry per pair.
    """
    scores, counts = np.full(len(split), 5.0), np.zeros(len(split), dtype=np.int64)
    _, group = np.unique([splits.fold_caption(caption) for caption in captions], return_inverse=True)
    for part in splits.PARTS:
        some, members = comparisons.where(part), split == part
        strengths = clip_strengths(some.first, some.second, some.won, group)
        scores[members] = strength_to_score(strengths)[members]
        named = np.bincount(np.concatenate([some.first, some.second]), minlength=len(split))
        counts[members] = named[members]
    return scores, counts
