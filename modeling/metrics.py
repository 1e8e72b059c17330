"""Agreement of a model's scores with people's: SRCC, LCC, Kendall tau-b and MSE, with bootstrap intervals over
captions.

The bootstrap resamples captions, not pairs, because pairs that share a caption are not independent
(`modeling.resampling`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeling import resampling
from modeling.resampling import CaptionDraws

Floats = npt.NDArray[np.float64]
METRICS = ("srcc", "lcc", "ktau", "mse")
# Beside them where people compared.
AGREEMENT = "agreement"
# What people call them.
NAMES = {
    "srcc": "SRCC",
    "lcc": "LCC",
    "ktau": "Kendall tau-b",
    "mse": "MSE (0 to 10)",
    AGREEMENT: "Agreement",
}
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


Values = dict[str, MetricValue]


@dataclass(frozen=True)
class Predicted:
    """What a model says of each pair: `values` on any scale for correlations; `scores` on 0..10 for MSE, or None."""

    values: Floats
    scores: Floats | None

    @classmethod
    def of_cosine(cls, cosine: npt.ArrayLike) -> Predicted:
        return cls(np.asarray(cosine, dtype=np.float64), cosine_to_score(cosine))

    @classmethod
    def of_score(cls, score: npt.ArrayLike) -> Predicted:
        """Of scores on 0..10; what lies beyond is not cut off."""
        scores = np.asarray(score, dtype=np.float64)
        return cls(scores, scores)

    def of(self, pairs: npt.NDArray[np.int64]) -> Predicted:
        """What is said of these pairs, by number."""
        return Predicted(self.values[pairs], None if self.scores is None else self.scores[pairs])


@dataclass(frozen=True)
class Comparison:
    """Base and tuned on the same pairs; `difference` is tuned minus base, its interval paired.

    Keys as in `METRICS`, and `AGREEMENT` where people compared.
    """

    base: Values
    tuned: Values
    difference: Values


def srcc(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> float | None:
    """Spearman's rank correlation with average ranks for ties; None where either side is constant."""
    x, y = _checked(predicted, truth)
    if not len(x):
        return None
    # Here, for scipy.stats takes most of a second to import, and every process of the site comes by this module.
    from scipy.stats import rankdata

    return lcc(rankdata(x), rankdata(y))


def lcc(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> float | None:
    """Pearson's linear correlation; None where either side is constant."""
    x, y = _checked(predicted, truth)
    if len(x) < 2:
        return None
    return plain(_weighted_lcc(x[None], y[None], np.ones((1, len(x))))[0])


def ktau(predicted: npt.ArrayLike, truth: npt.ArrayLike) -> float | None:
    """Kendall's tau-b; None where either side is constant."""
    x, y = _checked(predicted, truth)
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    from scipy.stats import kendalltau  # see srcc

    return plain(float(kendalltau(x, y).statistic))


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
    models = [Predicted.of_cosine(base_cosine), Predicted.of_cosine(tuned_cosine)]
    (base, tuned), (_, difference) = compare_all(models, human, captions, n_resamples=n_resamples, seed=seed)
    return Comparison(base=base, tuned=tuned, difference=difference)


def compare_all(
    models: Sequence[Predicted],
    human: npt.ArrayLike,
    captions: Sequence[Hashable],
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> tuple[list[Values], list[Values]]:
    """Every model's agreement with people, and its difference to the first model's, paired; as `compare`."""
    truth = np.asarray(human, dtype=np.float64)
    for model in models:
        for said in (model.values, model.scores):
            _checked(truth if said is None else said, truth)
    if len(captions) != len(truth):
        raise ValueError(f"There are {len(truth)} pairs but {len(captions)} captions.")
    draws = interval_draws(captions, n_resamples=n_resamples, seed=seed)
    resampled = _all_resampled(models, truth, draws)
    exact = [_all_exact(model, truth) for model in models]
    n = len(truth)
    return (
        [
            {name: _interval(own[name], drawn[name], n) for name in METRICS}
            for own, drawn in zip(exact, resampled, strict=True)
        ],
        [
            {
                name: _interval(_minus(own[name], exact[0][name]), drawn[name] - resampled[0][name], n)
                for name in METRICS
            }
            for own, drawn in zip(exact, resampled, strict=True)
        ],
    )


def measure(cosine: npt.ArrayLike, human: npt.ArrayLike, captions: Sequence[Hashable]) -> Values:
    """One model's agreement with people; as `compare`."""
    return compare_all([Predicted.of_cosine(cosine)], human, captions)[0][0]


def compare_choices(
    base_lead: npt.ArrayLike, tuned_lead: npt.ArrayLike, won: npt.ArrayLike, captions: Sequence[Hashable]
) -> Comparison:
    """The share of decided comparisons in which each model prefers the clip that the rater preferred.

    One entry per comparison: cosine of the first clip less that of the second, the first's share of the win (1, 0, or
    .5 for no difference), and the caption. Comparisons without a difference are left out; a lead of 0 counts half.
    Intervals are percentiles over resampled captions, paired. The only key is `AGREEMENT`.
    """
    share = np.asarray(won, dtype=np.float64)
    decided = np.flatnonzero(share != 0.5)
    asked = [captions[at] for at in decided.tolist()]
    number = {caption: place for place, caption in enumerate(dict.fromkeys(asked))}
    of_caption = np.array([number[caption] for caption in asked], dtype=np.int64)
    right = [_right(lead, share)[decided] for lead in (base_lead, tuned_lead)]
    draws = caption_draws(list(number)) if len(number) > 1 else np.zeros((0, len(number)))
    total = draws @ np.bincount(of_caption, minlength=len(number))
    # Captions resampled, and not comparisons: what one holds is drawn with it.
    base, tuned = (draws @ np.bincount(of_caption, values, len(number)) / total for values in right)
    exact = [float(np.mean(values)) if len(values) else None for values in right]
    n = len(decided)
    return Comparison(
        base={AGREEMENT: _interval(exact[0], base, n)},
        tuned={AGREEMENT: _interval(exact[1], tuned, n)},
        difference={AGREEMENT: _interval(_minus(exact[1], exact[0]), tuned - base, n)},
    )


def choice_agreement(lead: npt.ArrayLike, won: npt.ArrayLike) -> float | None:
    """The value of `compare_choices` alone; None where no comparison is decided."""
    share = np.asarray(won, dtype=np.float64)
    right = _right(lead, share)[share != 0.5]
    return float(np.mean(right)) if len(right) else None


def _right(lead: npt.ArrayLike, won: Floats) -> Floats:
    """1 where the lead has the winner's sign, 0 where it has the other's, .5 where it is 0."""
    return (1 + np.sign(np.asarray(lead, dtype=np.float64)) * np.sign(won - 0.5)) / 2


def caption_draws(captions: Sequence[Hashable], *, n_resamples: int = N_RESAMPLES, seed: int = SEED) -> Floats:
    """How often each pair appears in each resample of captions, shape (n_resamples, pairs)."""
    draws = resampling.draw_captions(captions, n_resamples=n_resamples, seed=seed)
    return np.ascontiguousarray(draws.of_pairs().T, dtype=np.float64)


def interval_draws(captions: Sequence[Hashable], *, n_resamples: int = N_RESAMPLES, seed: int = SEED) -> CaptionDraws:
    """The resamples behind an interval; none where there is one caption, which resampled is itself."""
    return resampling.draw_captions(captions, n_resamples=n_resamples if len(set(captions)) > 1 else 0, seed=seed)


def percentile_interval(value: float | None, resampled: Floats, n: int) -> MetricValue:
    """A value with the percentile interval of its resamples; undefined resamples (NaN) are left out of it."""
    return _interval(value, resampled, n)


def resampled_srcc(predicted: Floats, truth: Floats, draws: Floats) -> Floats:
    """SRCC of each resample, shape (resamples,); NaN where undefined. `draws` as of `caption_draws`."""
    # Each pair a caption of its own: how often it was drawn is all that counts.
    alone = resampling.CaptionDraws(np.ascontiguousarray(draws.T, dtype=np.float32), np.arange(len(truth)))
    return np.asarray(resampling.srcc([predicted], truth, alone)[0])


def _all_exact(model: Predicted, truth: Floats) -> dict[str, float | None]:
    return {
        "srcc": srcc(model.values, truth),
        "lcc": lcc(model.values, truth),
        "ktau": ktau(model.values, truth),
        "mse": None if model.scores is None else mse(model.scores, truth),
    }


def _all_resampled(models: Sequence[Predicted], truth: Floats, draws: CaptionDraws) -> list[dict[str, Floats]]:
    """Every metric of every model in each resample."""
    ranked = resampling.srcc([model.values for model in models], truth, draws)
    return [
        {
            "srcc": ranked[place],
            "lcc": resampling.lcc(model.values, truth, draws),
            "ktau": resampling.ktau(model.values, truth, draws),
            "mse": _resampled_mse(model.scores, truth, draws),
        }
        for place, model in enumerate(models)
    ]


def _resampled_mse(scores: Floats | None, truth: Floats, draws: CaptionDraws) -> Floats:
    if scores is None:
        return np.full(draws.n_resamples, np.nan)
    return resampling.mean((scores - truth) ** 2, draws)


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


def _interval(value: float | None, resampled: Floats, n: int) -> MetricValue:
    defined = resampled[np.isfinite(resampled)]
    if value is None or not len(defined):
        return MetricValue(value, None, None, n)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(defined, [tail, 100 - tail])
    return MetricValue(value, float(low), float(high), n)


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def plain(value: float) -> float | None:
    """As a page or a file takes it: None where it is undefined."""
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
