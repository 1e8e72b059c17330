"""Resamples of captions, and agreement in each of them: thousands of bootstrap samples without one sort.

A resample is how often each caption was drawn. Sorted once, a value's rank among all copies is a running sum of those
numbers; what is linear or quadratic in the pairs is summed by caption first, and is then a matrix product. The result
is that of copying each pair as often as its caption was drawn. Arrays of resamples are (captions or pairs, resamples):
what happens to a pair happens to a row, and neighbours in memory are added together.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]

# Whole numbers to 2**24 are exact in float32; a sum of two ranks stays below it for so many copies.
MOST_COPIES = 2**23
# Columns at a time: a piece of some thousand pairs lies in the processor's cache.
COLUMNS = 64
# Numbers in one table of running sums.
MOST_NUMBERS = 16_000_000
# Signs of pairs of pairs in one table.
MOST_SIGNS = 2_000_000
# Two moments of the same size leave rounding of 1e-16 of them; what is smaller than this share is no variance.
NO_VARIANCE = 1e-12


@dataclass(frozen=True)
class CaptionDraws:
    """`counts`: how often each caption was drawn, (captions, resamples); `caption`: the number of each pair's."""

    counts: Counts
    caption: Numbers

    @property
    def n_resamples(self) -> int:
        return int(self.counts.shape[1])

    def of_pairs(self) -> Counts:
        """How often each pair was drawn, shape (pairs, resamples)."""
        return self.counts[self.caption]

    def undrawn(self) -> CaptionDraws:
        """Each caption once: what is measured on it is the value itself."""
        return CaptionDraws(np.ones((len(self.counts), 1), dtype=np.float32), self.caption)

    def sums(self, values: Floats) -> Floats:
        """Sum of the values of all copies, shape (resamples,)."""
        by_caption = np.bincount(self.caption, values, len(self.counts))
        return np.asarray(by_caption @ self.counts.astype(np.float64))


def draw_captions(captions: Sequence[Hashable], *, n_resamples: int, seed: int) -> CaptionDraws:
    """As many captions as there are, drawn with replacement, `n_resamples` times.

    Captions are numbered in their sorted order: which pairs are drawn does not depend on the order they come in.
    """
    number = {caption: place for place, caption in enumerate(sorted(set(captions), key=repr))}
    caption = np.array([number[name] for name in captions], dtype=np.int64)
    n = len(number)
    drawn = np.random.default_rng(seed).integers(0, max(n, 1), size=(n_resamples, n), dtype=np.int32)
    drawn += np.arange(n_resamples, dtype=np.int32)[:, None] * n
    counts = np.bincount(drawn.ravel(), minlength=n_resamples * n).reshape(n_resamples, n)
    return CaptionDraws(np.ascontiguousarray(counts.T, dtype=np.float32), caption)


def srcc(predictions: Sequence[Floats], truth: Floats, draws: CaptionDraws) -> Floats:
    """Spearman's rank correlation of each prediction with the truth, shape (predictions, resamples).

    Ties have average ranks; NaN where a side is constant. Raises ValueError for more copies than are counted exactly.
    """
    if len(truth) * 2 > MOST_COPIES:
        raise ValueError(f"{len(truth)} pairs are more than are resampled exactly.")
    sides = [_Sorted.of(values, draws.caption) for values in (truth, *predictions)]
    found = [_srcc_of(counts, draws.caption, sides) for counts in _blocks(draws.counts, len(truth))]
    return np.concatenate(found, axis=1) if found else np.zeros((len(predictions), 0))


def lcc(predicted: Floats, truth: Floats, draws: CaptionDraws) -> Floats:
    """Pearson's correlation, shape (resamples,); NaN where a side is constant."""
    if not len(truth):
        return np.full(draws.n_resamples, np.nan)
    x, y = predicted - predicted.mean(), truth - truth.mean()
    n = draws.sums(np.ones(len(x)))
    mean_x, mean_y, xx, yy, xy = (draws.sums(values) / n for values in (x, y, x * x, y * y, x * y))
    return _ratio(xy - mean_x * mean_y, xx - mean_x**2, yy - mean_y**2, xx, yy)


def line(x: Floats, y: Floats, draws: CaptionDraws) -> tuple[Floats, Floats]:
    """Slope and intercept of the least-squares line of y on x, each of shape (resamples,); NaN where x is constant."""
    if not len(x):
        return np.full(draws.n_resamples, np.nan), np.full(draws.n_resamples, np.nan)
    away_x, away_y = float(x.mean()), float(y.mean())
    x, y = x - away_x, y - away_y
    n = draws.sums(np.ones(len(x)))
    mean_x, mean_y, xx, xy = (draws.sums(values) / n for values in (x, y, x * x, x * y))
    spread = xx - mean_x**2
    slope = np.full(len(n), np.nan)
    np.divide(xy - mean_x * mean_y, spread, out=slope, where=spread > NO_VARIANCE * xx)
    return slope, away_y + mean_y - slope * (away_x + mean_x)


def mean(values: Floats, draws: CaptionDraws) -> Floats:
    """Mean over all copies, shape (resamples,); NaN without pairs."""
    n = draws.sums(np.ones(len(values)))
    return np.asarray(np.divide(draws.sums(values), n, out=np.full(len(n), np.nan), where=n > 0))


def ktau(predicted: Floats, truth: Floats, draws: CaptionDraws) -> Floats:
    """Kendall's tau-b, shape (resamples,): w'Sw over the root of the two numbers of untied pairs; NaN where undefined.

    S counts concordant less discordant pairs of pairs, and w the copies of each.
    """
    untied = _untied(predicted, draws) * _untied(truth, draws)
    concordance = _concordance(predicted, truth, draws)
    return np.asarray(np.divide(concordance, np.sqrt(untied), out=np.full(len(untied), np.nan), where=untied > 0))


@dataclass(frozen=True)
class _Sorted:
    """`caption` of the pairs in the order of their values; a pair's equals are `low` to `high` of that order."""

    caption: list[int]
    low: Numbers
    high: Numbers

    @classmethod
    def of(cls, values: Floats, caption: Numbers) -> _Sorted:
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        low, high = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
        return cls(caption[order].tolist(), low, high)

    def running(self, counts: Counts) -> Counts:
        """Copies of the lowest 0, 1, .. n values, shape (n + 1, resamples).

        Row by row, since numpy's cumsum along the first axis goes column by column, at a third of the pace.
        """
        sums = np.empty((len(self.caption) + 1, counts.shape[1]), dtype=np.float32)
        sums[0] = 0
        rows, drawn = list(sums), list(counts)
        for before, after, caption in zip(rows, rows[1:], self.caption, strict=False):
            np.add(before, drawn[caption], after)
        return sums

    def centred_ranks(self, running: Counts, total: Floats) -> Floats:
        """Twice the average rank of each pair's copies less twice the mean rank, shape (pairs, resamples)."""
        twice = np.take(running, self.low, axis=0, mode="clip")
        twice += np.take(running, self.high, axis=0, mode="clip")
        return twice - total


def _blocks(counts: Counts, n_pairs: int) -> Iterator[Counts]:
    """All resamples where the running sums fit, else some at a time."""
    columns = max(COLUMNS, MOST_NUMBERS // max(1, n_pairs))
    for start in range(0, counts.shape[1], columns):
        yield np.ascontiguousarray(counts[:, start : start + columns])


def _srcc_of(counts: Counts, caption: Numbers, sides: Sequence[_Sorted]) -> Floats:
    running = [side.running(counts) for side in sides]
    pieces = [slice(start, start + COLUMNS) for start in range(0, counts.shape[1], COLUMNS)]
    found = [_srcc_of_piece(counts[:, piece], caption, sides, [sums[:, piece] for sums in running]) for piece in pieces]
    return np.concatenate(found, axis=1)


def _srcc_of_piece(counts: Counts, caption: Numbers, sides: Sequence[_Sorted], running: Sequence[Counts]) -> Floats:
    copies = counts.astype(np.float64)[caption]
    total = copies.sum(axis=0)
    truth, *predictions = (
        side.centred_ranks(np.ascontiguousarray(sums), total) for side, sums in zip(sides, running, strict=True)
    )
    weighted = copies * truth
    spread = np.einsum("ij,ij->j", weighted, truth)
    rows = []
    for ranks in predictions:
        product, own = np.einsum("ij,ij->j", weighted, ranks), np.einsum("ij,ij,ij->j", copies, ranks, ranks)
        # Sums of whole numbers: a constant side has a spread of exactly 0.
        rows.append(np.divide(product, np.sqrt(spread * own), out=np.full(len(own), np.nan), where=spread * own > 0))
    return np.asarray(np.clip(np.array(rows), -1, 1))


def _ratio(product: Floats, vx: Floats, vy: Floats, xx: Floats, yy: Floats) -> Floats:
    defined = (vx > NO_VARIANCE * xx) & (vy > NO_VARIANCE * yy)
    found = np.full(len(product), np.nan)
    np.divide(product, np.sqrt(np.abs(vx * vy)), out=found, where=defined)
    return np.asarray(np.clip(found, -1, 1))


def _concordance(x: Floats, y: Floats, draws: CaptionDraws) -> Floats:
    """Concordant less discordant ordered pairs of copies, shape (resamples,).

    Summed by caption on both sides, some rows of the table of pairs at a time: nothing of the size of their square is
    held. Sums of signs of one row are whole numbers below `MOST_COPIES`, so that float32 is exact.
    """
    order = np.argsort(draws.caption, kind="stable")
    ranks, others = (np.unique(side, return_inverse=True)[1][order].astype(np.float32) for side in (x, y))
    caption = draws.caption[order]
    starts = np.searchsorted(caption, np.arange(len(draws.counts)))
    found = np.zeros(draws.n_resamples)
    for piece in _caption_pieces(starts, len(ranks)):
        signs = np.sign(ranks[piece, None] - ranks) * np.sign(others[piece, None] - others)
        rows = slice(caption[piece.start], caption[piece.stop - 1] + 1)
        signs = np.add.reduceat(signs, starts[rows] - piece.start, axis=0)
        by_caption = np.add.reduceat(signs, starts, axis=1)
        found += np.einsum("cb,cb->b", by_caption @ draws.counts, draws.counts[rows], dtype=np.float64)
    return found


def _caption_pieces(starts: Numbers, n_pairs: int) -> Iterator[slice]:
    """Pairs of whole captions, sorted by caption, so many that a table of theirs and all fits; one caption at least."""
    ends = [*starts[1:].tolist(), n_pairs] if n_pairs else []
    rows, start = MOST_SIGNS // max(1, n_pairs), 0
    for end, after in zip(ends, [*ends[1:], None], strict=False):
        if after is None or after - start > rows:
            yield slice(start, end)
            start = end


def _untied(values: Floats, draws: CaptionDraws) -> Floats:
    """Ordered pairs of copies whose values differ, shape (resamples,)."""
    _, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(group.max() + 1)) if len(group) else np.zeros(0, dtype=np.int64)
    squares, total = np.zeros(draws.n_resamples), np.zeros(draws.n_resamples)
    for start in range(0, draws.n_resamples, COLUMNS):
        piece = slice(start, start + COLUMNS)
        copies = draws.counts[:, piece].astype(np.float64)[draws.caption[order]]
        if len(starts):
            squares[piece] = (np.add.reduceat(copies, starts, axis=0) ** 2).sum(axis=0)
        total[piece] = copies.sum(axis=0)
    return total**2 - squares
