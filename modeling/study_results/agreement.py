"""Agreement with its intervals, and what more ratings would buy.

ICC(1,1), reliability, ceiling and one against the rest are those of `modeling.agreement`. Intervals resample captions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modeling import agreement
from modeling.metrics import N_RESAMPLES, Floats, MetricValue, percentile_interval
from modeling.study_results.answers import Scores
from modeling.study_results.two_way import AT_ONCE, SEED, cluster_counts

# Reliability of the mean of k ratings on RELATE's relevance scores after screening (arXiv 2506.23582, recomputed).
RELATE_RELIABILITY = {1: 0.44, 2: 0.62, 3: 0.71, 4: 0.76, 6: 0.83, 8: 0.87, 16: 0.93}
MOST_K = 16
# One against the rest is resampled up to so many pairs; above, its value stands without an interval.
MOST_PAIRS_RESAMPLED = 8_000


@dataclass(frozen=True)
class ReliabilityPoint:
    """Reliability of the mean of k ratings; `relate` is RELATE's where it is known."""

    k: int
    reliability: MetricValue
    relate: float | None


@dataclass(frozen=True)
class Agreement:
    """`mean_k` is the mean number of ratings of a rated pair. None, or a value of None, where undefined."""

    icc1: MetricValue
    alpha: MetricValue
    reliability: float | None
    mean_k: float | None
    ceiling_srcc: MetricValue
    one_vs_rest_srcc: MetricValue
    curve: tuple[ReliabilityPoint, ...]


def agreement_of(scores: Scores) -> Agreement:
    sums = _Sums(scores)
    drawn = sums.resampled()
    exact = sums.total()[:, None]
    few = scores.n_pairs <= MOST_PAIRS_RESAMPLED
    captions = scores.caption.tolist() if few else None
    return Agreement(
        icc1=_estimate(_icc1(exact), _icc1(drawn), scores.n_pairs),
        alpha=_estimate(_alpha(exact), _alpha(drawn), scores.n_pairs),
        reliability=agreement.reliability(scores.pair, scores.score),
        mean_k=len(scores) / scores.n_pairs if scores.n_pairs else None,
        ceiling_srcc=agreement.ceiling_srcc(scores.pair, scores.score),
        one_vs_rest_srcc=agreement.one_vs_rest_srcc(scores.pair, scores.score, captions=captions),
        curve=tuple(
            ReliabilityPoint(
                k, _estimate(_reliability(exact, k), _reliability(drawn, k), scores.n_pairs), RELATE_RELIABILITY.get(k)
            )
            for k in range(1, MOST_K + 1)
        ),
    )


class _Sums:
    """What ICC and alpha need, summed by caption, shape (10, captions).

    Pairs, ratings, squared numbers of ratings, squares within pairs, sum of means, each by its ratings, and of their
    squares; and of pairs
    with several ratings: ratings, observed disagreement, sum and squares of scores.
    """

    def __init__(self, scores: Scores) -> None:
        # Scores from their middle: squares of what lies far from 0 would lose digits.
        y = scores.score - (scores.score.mean() if len(scores) else 0.0)
        n = np.bincount(scores.pair, minlength=scores.n_pairs).astype(np.float64)
        mean = np.bincount(scores.pair, y, scores.n_pairs) / n
        squares = np.bincount(scores.pair, (y - mean[scores.pair]) ** 2, scores.n_pairs)
        several = n > 1
        observed = np.divide(2 * n * squares, n - 1, out=np.zeros_like(n), where=several)
        columns = [
            np.ones_like(n),
            n,
            n**2,
            squares,
            n * mean,
            n * mean**2,
            n * several,
            observed,
            n * mean * several,
            (squares + n * mean**2) * several,
        ]
        self.by_caption = np.stack([np.bincount(scores.caption, column, scores.n_captions) for column in columns])

    def total(self) -> Floats:
        return np.asarray(self.by_caption.sum(axis=1))

    def resampled(self) -> Floats:
        """Shape (sums, resamples); no resamples where there is one caption alone."""
        n_captions = self.by_caption.shape[1]
        if n_captions < 2:
            return np.zeros((len(self.by_caption), 0))
        rng, share = np.random.default_rng(SEED), max(1, AT_ONCE // n_captions)
        return np.concatenate(
            [
                self.by_caption @ cluster_counts(rng, n_captions, min(share, N_RESAMPLES - start))
                for start in range(0, N_RESAMPLES, share)
            ],
            axis=1,
        )


def _anova(sums: Floats) -> tuple[Floats, Floats]:
    """Variance between pairs, not cut at 0, and within them."""
    pairs, n, squared, within, total, weighted = sums[:6]
    with np.errstate(invalid="ignore", divide="ignore"):
        msb = (weighted - total**2 / n) / (pairs - 1)
        msw = within / (n - pairs)
        n0 = (n - squared / n) / (pairs - 1)
        return (msb - msw) / n0, msw


def _icc1(sums: Floats) -> Floats:
    between, within = _anova(sums)
    return _ratio(between, between + within)


def _reliability(sums: Floats, k: int) -> Floats:
    between, within = _anova(sums)
    positive = np.maximum(between, 0)
    return _ratio(positive, positive + within / k)


def _alpha(sums: Floats) -> Floats:
    """Krippendorff's alpha with the interval metric, by sums instead of the table of coincidences, which a continuous
    scale makes as wide as there are scores: 1 - Do / De with Do = sum of 2 m SS / (m - 1) over pairs of m >= 2 ratings,
    / n, and De = 2 SS_total / (n - 1) (Krippendorff 2011).
    """
    n, observed, total, squares = sums[6:]
    with np.errstate(invalid="ignore", divide="ignore"):
        return 1 - _ratio(observed / n, 2 * (squares - total**2 / n) / (n - 1))


def _ratio(a: Floats, b: Floats) -> Floats:
    found = np.full(np.shape(b), np.nan)
    np.divide(a, b, out=found, where=np.isfinite(a) & (b > 1e-12))
    return found


def _estimate(exact: Floats, drawn: Floats, n: int) -> MetricValue:
    value = float(exact[0])
    return percentile_interval(value if np.isfinite(value) else None, drawn, n)
