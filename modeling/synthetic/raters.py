"""Simulated raters as noisy as RELATE's (arXiv 2506.23582): offset SD 0.9, residual SD 2.3.

Scores are clipped and rounded. Comparisons are of two impressions, each with the noise of one rating (Thurstone 1927,
case V); the offset, which both clips share, cancels.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

OFFSET_SD = 0.9
RESIDUAL_SD = 2.3
# Impressions nearer than this, in points of 0..10, are no difference: on a whole-numbered scale half a point is none.
NO_DIFFERENCE = 0.5


@dataclass(frozen=True)
class SimulatedScore:
    """A whole score on 0..10 that rater number `rater` gave pair number `pair`."""

    pair: int
    rater: int
    score: int


@dataclass(frozen=True)
class SimulatedComparison:
    """Rater number `rater` heard pair `first` and pair `second`; `choice` is "first", "second" or "none"."""

    first: int
    second: int
    rater: int
    choice: str


def simulate_scores(
    true_scores: Sequence[float], *, seed: int, ratings_per_pair: int = 4, pairs_per_rater: int = 20
) -> list[SimulatedScore]:
    """Scores of every pair by `ratings_per_pair` different raters, each with about `pairs_per_rater` pairs."""
    rng = np.random.default_rng(seed)
    n_pairs = len(true_scores)
    n_raters = max(ratings_per_pair, -(-n_pairs * ratings_per_pair // pairs_per_rater))
    offsets = rng.normal(0, OFFSET_SD, n_raters)
    raters = _spread(rng, n_pairs, n_raters, ratings_per_pair)
    return [
        SimulatedScore(pair, int(rater), _score(rng, true_scores[pair], offsets[rater]))
        for pair in range(n_pairs)
        for rater in raters[pair]
    ]


def simulate_comparisons(
    true_scores: Sequence[float],
    captions: Sequence[Hashable],
    *,
    seed: int,
    raters_per_comparison: int = 2,
    comparisons_per_rater: int = 20,
) -> list[SimulatedComparison]:
    """Every two pairs of one caption compared by `raters_per_comparison` different raters, in a random order."""
    rng = np.random.default_rng(seed)
    twos = list(_twos(captions))
    n_raters = max(raters_per_comparison, -(-len(twos) * raters_per_comparison // comparisons_per_rater))
    raters = _spread(rng, len(twos), n_raters, raters_per_comparison)
    return [_compare(rng, true_scores, two, int(rater)) for two, row in zip(twos, raters, strict=True) for rater in row]


def _twos(captions: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    members: dict[Hashable, list[int]] = {}
    for pair, caption in enumerate(captions):
        members.setdefault(caption, []).append(pair)
    for pairs in members.values():
        yield from combinations(pairs, 2)


def _compare(
    rng: np.random.Generator, true_scores: Sequence[float], two: tuple[int, int], rater: int
) -> SimulatedComparison:
    first, second = (int(pair) for pair in rng.permutation(two))
    lead = true_scores[first] - true_scores[second] + float(rng.normal(0, RESIDUAL_SD * np.sqrt(2)))
    choice = "none" if abs(lead) < NO_DIFFERENCE else "first" if lead > 0 else "second"
    return SimulatedComparison(first, second, rater, choice)


def _spread(rng: np.random.Generator, n_pairs: int, n_raters: int, per_pair: int) -> npt.NDArray[np.int64]:
    """Raters by pair, shape (n_pairs, per_pair): different ones in a row, each rater about equally often."""
    raters = np.empty((n_pairs, per_pair), np.int64)
    order = rng.permutation(n_raters)
    at = 0
    for pair in range(n_pairs):
        if at + per_pair > n_raters:
            order, at = rng.permutation(n_raters), 0
        raters[pair] = order[at : at + per_pair]
        at += per_pair
    return raters


def _score(rng: np.random.Generator, truth: float, offset: float) -> int:
    return int(np.clip(np.rint(truth + offset + rng.normal(0, RESIDUAL_SD)), 0, 10))
