"""Intervals and p-values for raters and captions at once, both of which are a sample of those that there could be.

The variance of a mean over crossed raters and captions is V = V_raters + V_captions - V_both: squared sums of the
answers' influences by rater, by caption, and by both, so that what an answer adds by itself is not counted twice
(Cameron, Gelbach & Miller 2011; for crossed random effects the same moments as in Clark 1973). The plain two-way
bootstrap, which draws raters and captions and keeps every answer in between, counts it three times (Owen 2007, "The
pigeonhole bootstrap"), and its intervals hold the truth in 96 to 98.5 % of studies. So what is drawn two-way here is
the studentised error t = error / sqrt(V), V anew in each resample, and the interval is estimate +- q sqrt(V) with q the
95th percentile of |t| (the bootstrap-t of Efron & Tibshirani 1993, section 12.5; for clusters in two dimensions Menzel
2021, Econometrica 89:2143).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from modeling.metrics import CONFIDENCE, Floats
from modeling.study_results.answers import Ints

SEED = 20_251_128
# So many resamples, fewer where the answers are many: a million get the least.
MOST_DRAWS, LEAST_DRAWS, ANSWERS_DRAWN = 4_999, 999, 100_000_000
# Numbers held at once for a share of the resamples.
AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Influences:
    """How single answers enter statistics: error of a statistic = sum of influence / sum of weight, about.

    Entries: rater, caption and statistic (numbers from 0), influence, weight. The weights of a statistic sum to 1, and
    its influences to 0.
    """

    rater: Ints
    caption: Ints
    statistic: Ints
    influence: Floats
    weight: Floats
    n_statistics: int


@dataclass(frozen=True)
class TwoWayErrors:
    """For each contrast: standard error, half the width of the 95 % interval, and p of no difference from 0.

    NaN where undefined: fewer than two raters or captions, or no variance. `draws` is the number of resamples.
    """

    standard_error: Floats
    half_width: Floats
    p: Floats
    draws: int


def two_way_errors(
    influences: Influences, contrasts: Floats, estimates: Floats, *, draws: int | None = None, seed: int = SEED
) -> TwoWayErrors:
    """Errors of `contrasts`, shape (contrasts, statistics), whose values are `estimates`."""
    tables = _Tables(influences)
    undefined = np.full(len(contrasts), np.nan)
    if min(tables.n_raters, tables.n_captions) < 2 or not len(contrasts):
        return TwoWayErrors(undefined, undefined, undefined, 0)
    n_draws = draws or int(np.clip(ANSWERS_DRAWN // max(1, len(influences.rater)), LEAST_DRAWS, MOST_DRAWS))
    ones = np.ones((tables.n_raters, 1)), np.ones((tables.n_captions, 1))
    error = np.sqrt(_variances(contrasts, *tables.resample(*ones)[1:])[:, 0])
    drawn = np.concatenate(
        [_studentised(tables, contrasts, *weights) for weights in _weights(tables, n_draws, seed)], 1
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = np.abs(estimates) / error
        quantile = np.quantile(drawn, CONFIDENCE, axis=1, method="higher")
        half_width = np.where(np.isfinite(quantile) & (error > 0), quantile * error, np.nan)
    p = (1 + (drawn >= seen[:, None]).sum(axis=1)) / (n_draws + 1)
    return TwoWayErrors(error, half_width, np.where(error > 0, p, np.nan), n_draws)


class _Tables:
    """Influences and weights of each statistic as sparse matrices of raters by captions, and their products by cell."""

    def __init__(self, influences: Influences) -> None:
        self.n_raters = int(influences.rater.max(initial=-1)) + 1
        self.n_captions = int(influences.caption.max(initial=-1)) + 1
        self.n = influences.n_statistics
        self.cells = [self._cells(influences, number) for number in range(self.n)]
        self.influence = [self._table(cell, influence) for cell, influence, _ in self.cells]
        self.weight = [self._table(cell, weight) for cell, _, weight in self.cells]
        self.together = list(self._together())

    def _cells(self, influences: Influences, number: int) -> tuple[Ints, Floats, Floats]:
        """Cells with an answer, and their sums: all that a rater said about one caption is one cell."""
        mine = influences.statistic == number
        ids = influences.rater[mine] * np.int64(max(1, self.n_captions)) + influences.caption[mine]
        cell, place = np.unique(ids, return_inverse=True)
        influence, weight = (np.bincount(place, values[mine]) for values in (influences.influence, influences.weight))
        return cell.astype(np.int64), np.asarray(influence, dtype=np.float64), np.asarray(weight, dtype=np.float64)

    def _table(self, cell: Ints, values: Floats) -> Any:
        return sparse.csr_array((values, np.divmod(cell, self.n_captions)), shape=(self.n_raters, self.n_captions))

    def _together(self) -> Iterator[tuple[int, int, Ints, Ints, Floats]]:
        """Any two statistics that share cells: the cells' raters, captions, and four products, shape (4, cells)."""
        for a in range(self.n):
            for b in range(a, self.n):
                shared, at_a, at_b = np.intersect1d(
                    self.cells[a][0], self.cells[b][0], assume_unique=True, return_indices=True
                )
                if len(shared):
                    influence_a, weight_a = (values[at_a] for values in self.cells[a][1:])
                    influence_b, weight_b = (values[at_b] for values in self.cells[b][1:])
                    with_influence = influence_a * influence_b, weight_a * influence_b
                    with_weight = influence_a * weight_b, weight_a * weight_b
                    yield a, b, *np.divmod(shared, self.n_captions), np.stack([*with_influence, *with_weight])

    def resample(self, raters: Floats, captions: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Errors, shape (statistics, draws), and the three covariances, (statistics, statistics, draws).

        `raters` and `captions` say how often each was drawn, shapes (raters, draws) and (captions, draws).
        """
        by_rater = np.stack([table @ captions for table in self.influence])
        weight_by_rater = np.stack([table @ captions for table in self.weight])
        by_caption = np.stack([table.T @ raters for table in self.influence])
        weight_by_caption = np.stack([table.T @ raters for table in self.weight])
        total = np.einsum("srd,rd->sd", weight_by_rater, raters)
        with np.errstate(invalid="ignore", divide="ignore"):
            errors = np.einsum("srd,rd->sd", by_rater, raters) / total
            by_rater = (by_rater - weight_by_rater * errors[:, None]) / total[:, None]
            by_caption = (by_caption - weight_by_caption * errors[:, None]) / total[:, None]
            both = self._both(raters, captions, errors, total)
        return (
            errors,
            _squares(by_rater, raters) * self.n_raters / (self.n_raters - 1),
            _squares(by_caption, captions) * self.n_captions / (self.n_captions - 1),
            both,
        )

    def _both(self, raters: Floats, captions: Floats, errors: Floats, total: Floats) -> Floats:
        found = np.zeros((self.n, self.n, raters.shape[1]))
        for a, b, rater, caption, products in self.together:
            ii, wi, iw, ww = products @ (raters[rater] * captions[caption])
            value = (ii - errors[a] * wi - errors[b] * iw + errors[a] * errors[b] * ww) / (total[a] * total[b])
            found[a, b] = found[b, a] = value
        return found


def _squares(sums: Floats, drawn: Floats) -> Floats:
    """Sum over clusters of products of two statistics' sums, each as often as the cluster was drawn."""
    # (draws, statistics, clusters) times its transpose: BLAS does it.
    rows = np.ascontiguousarray(sums.transpose(2, 0, 1))
    return np.asarray(((rows * drawn.T[:, None]) @ rows.transpose(0, 2, 1)).transpose(1, 2, 0))


def _variances(contrasts: Floats, by_rater: Floats, by_caption: Floats, both: Floats) -> Floats:
    """Of the contrasts, shape (contrasts, draws). Where the three give none above 0, the larger of two does."""
    raters, captions, cells = (_contrasted(contrasts, part) for part in (by_rater, by_caption, both))
    found = raters + captions - cells
    return np.where(found > 0, found, np.maximum(raters, captions))


def _contrasted(contrasts: Floats, covariance: Floats) -> Floats:
    return np.asarray(np.einsum("cs,cst->ct", contrasts, np.tensordot(contrasts, covariance, axes=(1, 0))))


def _studentised(tables: _Tables, contrasts: Floats, raters: Floats, captions: Floats) -> Floats:
    """|t| of each contrast in each resample; infinite where a resample lacks what the contrast needs."""
    errors, *parts = tables.resample(raters, captions)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = np.abs(contrasts @ np.nan_to_num(errors)) / np.sqrt(_variances(contrasts, *parts))
    lacking = (np.abs(contrasts) @ ~np.isfinite(errors).astype(bool)).astype(bool)
    drawn[lacking | ~np.isfinite(drawn)] = np.inf
    return np.asarray(drawn)


def _weights(tables: _Tables, n_draws: int, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """How often each rater and each caption is drawn, a share of the resamples at a time."""
    rng = np.random.default_rng(seed)
    share = max(1, AT_ONCE // ((tables.n_raters + tables.n_captions) * tables.n))
    for start in range(0, n_draws, share):
        size = min(share, n_draws - start)
        yield cluster_counts(rng, tables.n_raters, size), cluster_counts(rng, tables.n_captions, size)


def cluster_counts(rng: np.random.Generator, n_clusters: int, n_draws: int) -> Floats:
    """How often each cluster is in each of the resamples, shape (clusters, draws)."""
    flat = rng.integers(n_clusters, size=(n_draws, n_clusters)) + n_clusters * np.arange(n_draws)[:, None]
    return np.bincount(flat.ravel(), minlength=n_draws * n_clusters).reshape(n_draws, n_clusters).T.astype(np.float64)
