"""Whether a score means what it says: people's means against the model's score, as a line and in bins."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modeling import metrics, resampling
from modeling.metrics import Floats, MetricValue
from modeling.resampling import CaptionDraws

MOST_BINS = 10
FEWEST_IN_BIN = 15


@dataclass(frozen=True)
class Bin:
    """The pairs whose score lies in `low` to `high`: their mean score, and people's mean of them."""

    low: float
    high: float
    score: float
    human: MetricValue

    def as_dict(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high, "score": self.score, "human": self.human.as_dict()}


@dataclass(frozen=True)
class CalibrationCurve:
    """human = intercept + slope * score by least squares (Mincer & Zarnowitz 1969): 0 and 1 where the score is right.

    `bias` is the mean of score less human. Bins hold equally many pairs, but for ties.
    """

    slope: MetricValue
    intercept: MetricValue
    bias: MetricValue
    bins: tuple[Bin, ...]

    def as_dict(self) -> dict[str, Any]:
        lines = {"slope": self.slope, "intercept": self.intercept, "bias": self.bias}
        return {name: value.as_dict() for name, value in lines.items()} | {"bins": [one.as_dict() for one in self.bins]}


def calibration_curve(score: Floats, human: Floats, captions: Sequence[Hashable]) -> CalibrationCurve:
    """Of scores and people's means on 0..10, one entry per pair; intervals over captions.

    Slope and intercept are None where the score is constant, all but the bins where there are no pairs.
    """
    draws = metrics.interval_draws(captions)
    exact, drawn = (resampling.line(score, human, some) for some in (draws.undrawn(), draws))
    bias = metrics.plain(float(np.mean(score - human))) if len(score) else None
    return CalibrationCurve(
        slope=_value(exact[0], drawn[0], len(score)),
        intercept=_value(exact[1], drawn[1], len(score)),
        bias=metrics.percentile_interval(bias, resampling.mean(score - human, draws), len(score)),
        bins=tuple(_bins(score, human, draws)),
    )


def _value(exact: Floats, drawn: Floats, n: int) -> MetricValue:
    return metrics.percentile_interval(metrics.plain(float(exact[0])), drawn, n)


def _bins(score: Floats, human: Floats, draws: CaptionDraws) -> list[Bin]:
    wanted = min(MOST_BINS, len(score) // FEWEST_IN_BIN)
    if wanted < 2:
        return []
    inner = np.unique(np.quantile(score, np.linspace(0, 1, wanted + 1)[1:-1]))
    place = np.searchsorted(inner, score, side="left")
    return [_bin(place == number, score, human, draws) for number in np.unique(place)]


def _bin(mine: np.ndarray[Any, np.dtype[np.bool_]], score: Floats, human: Floats, draws: CaptionDraws) -> Bin:
    copies = draws.sums(mine.astype(np.float64))
    drawn = np.full(len(copies), np.nan)
    np.divide(draws.sums(np.where(mine, human, 0.0)), copies, out=drawn, where=copies > 0)
    own = score[mine]
    value = metrics.percentile_interval(float(human[mine].mean()), drawn, len(own))
    return Bin(float(own.min()), float(own.max()), float(own.mean()), value)
