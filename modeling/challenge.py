"""Whether a newcomer's scores agree better with people's than the champion's do, on the same held-out pairs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeling import metrics, resampling
from modeling.metrics import N_RESAMPLES, SEED, MetricValue

# An SRCC over fewer pairs has a standard error of about .08: no difference between models shows in it.
LEAST_PAIRS = 100
BETTER, NOT_BETTER, TOO_FEW = "better", "not_better", "too_few"


@dataclass(frozen=True)
class Compared:
    """SRCC of both with people; `gain` is the challenger's less the champion's, its 95 % interval paired."""

    champion: MetricValue
    challenger: MetricValue
    gain: MetricValue

    @property
    def verdict(self) -> str:
        """Better only where the whole interval lies above 0, over at least `LEAST_PAIRS` pairs."""
        if self.gain.n < LEAST_PAIRS:
            return TOO_FEW
        return BETTER if self.gain.low is not None and self.gain.low > 0 else NOT_BETTER


def compare_srcc(
    champion: npt.ArrayLike,
    challenger: npt.ArrayLike,
    human: npt.ArrayLike,
    captions: Sequence[Hashable],
    *,
    n_resamples: int = N_RESAMPLES,
    seed: int = SEED,
) -> Compared:
    """The SRCC of `metrics.compare` and nothing else of it: one entry per pair, the percentile bootstrap over captions.

    Raises ValueError where an entry is missing or not a finite number.
    """
    truth, *models = (np.asarray(side, dtype=np.float64) for side in (human, champion, challenger))
    if len(captions) != len(truth):
        raise ValueError(f"There are {len(truth)} pairs but {len(captions)} captions.")
    n = len(truth)
    first, second = (metrics.srcc(model, truth) for model in models)
    draws = metrics.interval_draws(captions, n_resamples=n_resamples, seed=seed)
    drawn = resampling.srcc(models, truth, draws)
    gain = None if first is None or second is None else second - first
    return Compared(
        champion=metrics.percentile_interval(first, drawn[0], n),
        challenger=metrics.percentile_interval(second, drawn[1], n),
        gain=metrics.percentile_interval(gain, drawn[1] - drawn[0], n),
    )
