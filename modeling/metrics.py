"""Agreement of a model's scores with people's: SRCC, LCC, Kendall tau-b and MSE, with bootstrap intervals over
captions.

The bootstrap resamples captions, not pairs, because pairs that share a caption are not independent. A
resample is a vector of how often each caption was drawn; ranks and concordant pairs are linear in those numbers, so
that all resamples are a few matrix products instead of thousands of sorts. The result is that of copying each pair as
often as it was drawn.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]
METRICS = ("srcc", "lcc", "ktau", "mse")
N_RESAMPLES = 2_000
CONFIDENCE = 0.95
SEED = 20_250_623
# Rounding leaves a constant with a variance of some 1e-27 of its square; a real one lies far above.
TINY = 1e-22


@dataclass(frozen=True)
class MetricValue:
    """A value with its 95 % interval and the number of pairs behind it; None where undefined."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    def as_dict(self) -> dict[str, float | int | None]:
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n}


@dataclass(frozen=True)
class Comparison:
    """Base and tuned on the same pairs; `difference` is tuned minus base, its interval paired. Keys as in `METRICS`."""

    base: dict[str, MetricValue]
    tuned: dict[str, MetricValue]
    difference: dict[str, MetricValue]


def srcc(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> float | None:
    """Spearman's rank correlation with average ranks for ties; None where either side is constant."""
    x, y = _checked(predicted, truth)
    return lcc(stats.rankdata(x), stats.rankdata(y)) if len(x) else None


def lcc(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> float | None:
    """Pearson's linear correlation; None where either side is constant."""
    x, y = _checked(predicted, truth)
    if len(x) < 2:
        return None
    return _plain(_weighted_lcc(x[None], y[None], np.ones((1, len(x))))[0])


def ktau(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> float | None:
    """Kendall's tau-b; None where either side is constant."""
    x, y = _checked(predicted, truth)
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return _plain(float(stats.kendalltau(x, y).statistic))


def mse(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> float | None:
    """Mean squared error, in the square of the scores' unit; None without pairs."""
    x, y = _checked(predicted, truth)
    return float(np.mean((x - y) ** 2)) if len(x) else None


def cosine_to_score(cosine: npt.ArrayLike) -> Floats:
    """A cosine on the 0..10 scale: 10 * clip(cos, 0, 1), base and tuned alike."""
    return 10 * np.clip(np.asarray(cosine, dtype=np.float64), 0, 1)


def compare(
    base_cosine: npt.ArrayLike,
    tuned_cosine: npt.ArrayLike,
    human: npt.ArrayLike,
    captions: Sequence[Hashable],
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> Comparison:
    """Both models' agreement with people (0..10) on the same pairs, with percentile intervals over captions.

    Correlations take the raw cosine, MSE 10 * clip(cos, 0, 1). All arguments have one entry per pair. Raises ValueError
    where an entry is missing or not a finite number: a pair is never dropped in silence.
    """
    base, truth = _checked(base_cosine, human)
    tuned, _ = _checked(tuned_cosine, human)
    if len(captions) != len(truth):
        raise ValueError(f"There are {len(truth)} pairs but {len(captions)} captions.")
    draws = caption_draws(captions, n_resamples=n_resamples, seed=seed)
    if len(set(captions)) < 2:
        draws = draws[:0]  # one caption resampled is itself: there is no interval
    ours = [_all_resampled(values, truth, draws) for values in (base, tuned)]
    exact = [_all_exact(values, truth) for values in (base, tuned)]
    n = len(truth)
    return Comparison(
        base={name: _interval(exact[0][name], ours[0][name], n) for name in METRICS},
        tuned={name: _interval(exact[1][name], ours[1][name], n) for name in METRICS},
        difference={
            name: _interval(_minus(exact[1][name], exact[0][name]), ours[1][name] - ours[0][name], n)
            for name in METRICS
        },
    )


def measure(cosine: npt.ArrayLike, human: npt.ArrayLike, captions: Sequence[Hashable]) -> dict[str, MetricValue]:
    """One model's agreement with people; as `compare`."""
    return compare(cosine, cosine, human, captions).base


def caption_draws(captions: Sequence[Hashable], *, n_resamples: int = N_RESAMPLES, seed: int = SEED) -> Floats:
    """How often each pair appears in each resample of captions, shape (n_resamples, pairs)."""
    numbers: Mapping[Hashable, int] = {caption: number for number, caption in enumerate(dict.fromkeys(captions))}
    of_pair = np.array([numbers[caption] for caption in captions], dtype=np.int64)
    if not len(numbers):
        return np.zeros((n_resamples, 0))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(numbers), np.full(len(numbers), 1 / len(numbers)), size=n_resamples)
    return drawn[:, of_pair].astype(np.float64)


def percentile_interval(value: float | None, resampled: Floats, n: int) -> MetricValue:
    """A value with the percentile interval of its resamples; undefined resamples (NaN) are left out of it."""
    return _interval(value, resampled, n)


def resampled_srcc(predicted: Floats, truth: Floats, draws: Floats) -> Floats:
    """SRCC of each resample, shape (resamples,); NaN where undefined."""
    return _weighted_lcc(_weighted_ranks(predicted, draws), _weighted_ranks(truth, draws), draws)


def _all_exact(cosine: Floats, truth: Floats) -> dict[str, float | None]:
    return {
        "srcc": srcc(cosine, truth),
        "lcc": lcc(cosine, truth),
        "ktau": ktau(cosine, truth),
        "mse": mse(cosine_to_score(cosine), truth),
    }


def _all_resampled(cosine: Floats, truth: Floats, draws: Floats) -> dict[str, Floats]:
    squared = (cosine_to_score(cosine) - truth) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "srcc": resampled_srcc(cosine, truth, draws),
            "lcc": _weighted_lcc(cosine[None], truth[None], draws),
            "ktau": _weighted_ktau(cosine, truth, draws),
            "mse": draws @ squared / draws.sum(axis=1),
        }


def _weighted_ranks(values: Floats, weights: Floats) -> Floats:
    """Average rank of each value among all copies, shape of `weights`: those below it plus half of its equals."""
    _, starts, place = np.unique(np.sort(values), return_index=True, return_inverse=True)
    order = np.argsort(values, kind="stable")
    copies = np.add.reduceat(weights[:, order], starts, axis=1)
    ranks = np.empty_like(weights)
    ranks[:, order] = (np.cumsum(copies, axis=1) - copies + (copies + 1) / 2)[:, place]
    return ranks


def _weighted_lcc(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Pearson's correlation per row of weights; NaN where a side is constant."""
    total = weights.sum(axis=1, keepdims=True)
    dx = x - (weights * x).sum(axis=1, keepdims=True) / total
    dy = y - (weights * y).sum(axis=1, keepdims=True) / total
    vx, vy = (weights * dx * dx).sum(axis=1), (weights * dy * dy).sum(axis=1)
    scale_x, scale_y = (weights * x * x).sum(axis=1), (weights * y * y).sum(axis=1)
    defined = (vx > TINY * scale_x) & (vy > TINY * scale_y)
    product = (weights * dx * dy).sum(axis=1)
    result: Floats = np.full(len(weights), np.nan)
    np.divide(product, np.sqrt(vx * vy), out=result, where=defined)
    return np.clip(result, -1, 1)


def _weighted_ktau(x: Floats, y: Floats, weights: Floats) -> Floats:
    """tau-b per row of weights: w' S w over the root of the two numbers of untied pairs, each a quadratic form in w."""
    sign_x, sign_y = (np.sign(v[:, None] - v[None, :]).astype(np.float32) for v in (x, y))
    w = weights.astype(np.float32)
    concordance = _quadratic(w, sign_x * sign_y)
    untied = _quadratic(w, np.abs(sign_x)) * _quadratic(w, np.abs(sign_y))
    result: Floats = np.full(len(weights), np.nan)
    np.divide(concordance, np.sqrt(untied), out=result, where=untied > 0)
    return result


def _quadratic(w: npt.NDArray[np.float32], matrix: npt.NDArray[np.float32]) -> Floats:
    # Whole numbers below 2**24 are exact in float32; their products are summed in float64.
    form: Floats = np.einsum("bi,bi->b", w @ matrix, w, dtype=np.float64)
    return form


def _interval(value: float | None, resampled: Floats, n: int) -> MetricValue:
    defined = resampled[np.isfinite(resampled)]
    if value is None or not len(defined):
        return MetricValue(value, None, None, n)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(defined, [tail, 100 - tail])
    return MetricValue(value, float(low), float(high), n)


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _checked(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"Every pair needs one prediction and one score; the shapes are {x.shape} and {y.shape}.")
    for name, values in (("prediction", x), ("score", y)):
        wrong = np.flatnonzero(~np.isfinite(values))
        if len(wrong):
            raise ValueError(f"The {name} of pair {wrong[0]} is not a finite number ({len(wrong)} in all).")
    return x, y
