"""Simulated raters as noisy as RELATE's (arXiv 2506.23582): offset SD 0.9, residual SD 2.3, clipped and rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

OFFSET_SD = 0.9
RESIDUAL_SD = 2.3


@dataclass(frozen=True)
class SimulatedScore:
    """A whole score on 0..10 that rater number `rater` gave pair number `pair`."""

    pair: int
    rater: int
    score: int


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
