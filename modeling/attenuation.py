"""What a correlation would be if people's means had no noise.

A pair's mean of k ratings is the truth and noise, which pulls every correlation with it towards 0: by the root of the
means' reliability (Spearman 1904, "The proof and measurement of association between two things"). The corrected value
estimates the correlation with the mean of endlessly many raters like these.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modeling import metrics, resampling
from modeling.agreement import Ints
from modeling.metrics import Floats, MetricValue
from modeling.resampling import CaptionDraws


@dataclass(frozen=True)
class NoiseCorrected:
    """Correlations divided by the root of `reliability`; None where ratings cannot tell noise from truth."""

    reliability: MetricValue
    srcc: MetricValue
    lcc: MetricValue

    def as_dict(self) -> dict[str, Any]:
        return {name: value.as_dict() for name, value in vars(self).items()}


def noise_corrected(predicted: Floats, pair: Ints, score: Floats, captions: Sequence[Hashable]) -> NoiseCorrected:
    """Of predictions and captions, one entry per pair, and the ratings of these pairs: pair number and score, flat.

    Reliability is vb / (vb + vw mean(1 / k)): the share of the variance of the means that is truth, each pair with its
    own number of ratings, from the variances that `agreement.variances` fits to these ratings alone. The intervals
    resample captions, and fit the variances anew in each. It takes raters' errors to be independent of one another and
    of the model's, and of one variance; a rater's habit counts as noise. Exact for the LCC; for the SRCC close where
    scores are near normal. A value above 1 is reported as it is: chance, or an assumption that does not hold.
    """
    n = len(captions)
    counts = np.bincount(pair, minlength=n)
    if len(counts) != n or not counts.all():
        raise ValueError("Every pair needs a caption and a rating.")
    human = np.bincount(pair, score, n) / counts
    draws = metrics.interval_draws(captions)
    exact, drawn = (_measured(predicted, human, pair, score, counts, some) for some in (draws.undrawn(), draws))
    return NoiseCorrected(
        *(
            metrics.percentile_interval(metrics.plain(float(value[0])), resampled, n)
            for value, resampled in zip(exact, drawn, strict=True)
        )
    )


def _measured(
    predicted: Floats, human: Floats, pair: Ints, score: Floats, counts: Ints, draws: CaptionDraws
) -> tuple[Floats, Floats, Floats]:
    """Reliability, and SRCC and LCC corrected by it, in each resample; NaN where undefined."""
    reliable = _reliability(human, pair, score, counts, draws)
    found = (resampling.srcc([predicted], human, draws)[0], resampling.lcc(predicted, human, draws))
    corrected = [np.full(len(reliable), np.nan) for _ in found]
    for raw, out in zip(found, corrected, strict=True):
        np.divide(raw, np.sqrt(reliable), out=out, where=reliable > 0)
    return reliable, corrected[0], corrected[1]


def _reliability(human: Floats, pair: Ints, score: Floats, counts: Ints, draws: CaptionDraws) -> Floats:
    """By the one-way ANOVA of `agreement.variances`, each of whose sums is one of captions."""
    within = np.asarray(np.bincount(pair, (score - human[pair]) ** 2, len(human)), dtype=np.float64)
    k: Floats = counts.astype(np.float64)
    means = human - score.mean()
    parts: list[Floats] = [np.ones(len(k)), k, k * k, within, k * means, k * means**2, 1 / k]
    pairs, ratings, squares, inside, total, spread, inverse = map(draws.sums, parts)
    found = np.full(draws.n_resamples, np.nan)
    # A resample without a pair rated twice tells nothing of noise.
    told = (ratings > pairs) & (pairs > 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        vw = inside / (ratings - pairs)
        msb = (spread - total**2 / ratings) / (pairs - 1)
        vb = (msb - vw) / ((ratings - squares / ratings) / (pairs - 1))
        share = vb / (vb + vw * inverse / pairs)
    found[told] = np.where(vb > 0, share, np.nan)[told]
    return found
