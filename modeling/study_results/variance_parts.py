"""How much of the scores' variance lies between pairs, between raters, and in single ratings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modeling.study_results.answers import Scores


@dataclass(frozen=True)
class VarianceParts:
    """Variances in squared points of the scale, none below 0: between pairs, raters' offsets, and what is left."""

    pair: float
    rater: float
    residual: float


def variance_parts(scores: Scores) -> VarianceParts | None:
    """By moments of crossed pairs and raters, unbalanced as they are, in one pass (Gao & Owen 2017, Electronic Journal
    of Statistics 11:1235, section 4). None where pairs and raters cannot be told apart.
    """
    n, y = float(len(scores)), scores.score
    if n < 3:
        return None
    by_pair, by_rater = np.bincount(scores.pair), np.bincount(scores.rater)
    within_pairs = _within(scores.pair, y)
    within_raters = _within(scores.rater, y)
    total = n * float(((y - y.mean()) ** 2).sum())
    equations = np.array(
        [
            # Coefficients of pair, rater, residual.
            [0.0, n - len(by_pair), n - len(by_pair)],
            [n - len(by_rater), 0.0, n - len(by_rater)],
            [n**2 - float((by_pair**2).sum()), n**2 - float((by_rater**2).sum()), n**2 - n],
        ]
    )
    if np.linalg.matrix_rank(equations) < 3:
        return None
    found = np.linalg.solve(equations, [within_pairs, within_raters, total])
    pair, rater, residual = (max(0.0, float(value)) for value in found)
    return VarianceParts(pair, rater, residual)


def _within(group: np.ndarray, y: np.ndarray) -> float:
    means = np.bincount(group, y) / np.bincount(group)
    return float(((y - means[group]) ** 2).sum())
