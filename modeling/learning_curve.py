"""How a model's agreement with people grows with the ratings it had, and what more of them would buy.

The curve is the inverse power law a - b n^-c (Cortes et al. 1993, "Learning curves: asymptotic values and rate of
convergence"; Figueroa et al. 2012, "Predicting sample size required for classification performance"), rising to an
asymptote that is no higher than what the ratings let any model reach. It is fitted as Domhan et al. 2015 ("Speeding up
automatic hyperparameter optimization ... by extrapolation of learning curves") do: not one best curve, whose covariance
says little with three or four points and a limit nearby, but all curves, each weighted by how well it explains the
points. Four unknowns are few enough for a grid in place of draws, so that the same points give the same forecast.

Unknown, and averaged over: the curve's value at the largest run (flat), the asymptote (flat from there to the limit),
the exponent c and the scatter of runs around the curve (both flat in their logarithm). What all runs share, the luck of
one set of held-out pairs, moves the curve as a whole and is not in the width of the gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modeling.metrics import CONFIDENCE, Floats, MetricValue

LEAST_SIZES = 3
# Of 1, the asymptote of a perfect model's SRCC, where no ceiling is known.
HIGHEST = 1.0
EXPONENTS = (0.1, 1.5)
N_EXPONENTS = 15
SCATTERS = np.geomspace(0.003, 0.08, 10)
SHARES = 31
LEVELS = 41
NEGLIGIBLE = 1e-4
# Values at the largest run that are looked at: so far around the points, in SRCC.
AROUND = 0.15
N_DRAWN = 17


@dataclass(frozen=True)
class Forecast:
    """What the curve says. SRCC with its 95 % interval; `n` of each is the number of runs.

    `now` at the largest run's `n_now` ratings, `then` at `n_then`, `gain` the difference of the two; `drawn` is the
    curve from the smallest run to `n_then`.
    """

    n_now: int
    n_then: int
    now: MetricValue
    then: MetricValue
    gain: MetricValue
    drawn: tuple[tuple[int, MetricValue], ...]


def forecast(n_ratings: Sequence[int], srcc: Sequence[float], *, ceiling: float | None, more: int) -> Forecast | None:
    """The forecast for `more` ratings beyond the largest run; one entry per run, in any order.

    None where fewer than `LEAST_SIZES` different numbers of ratings were tried: through two points runs any curve.
    `ceiling` is the highest SRCC that any model could reach with these ratings, None where that is unknown.
    """
    n, value = np.asarray(n_ratings, dtype=np.float64), np.asarray(srcc, dtype=np.float64)
    if len(set(n_ratings)) < LEAST_SIZES:
        return None
    curves = _Curves(n, value, HIGHEST if ceiling is None else ceiling)
    n_now, n_then = int(n.max()), int(n.max()) + more
    drawn = np.unique(np.linspace(n.min(), n_then, N_DRAWN).round().astype(np.int64))
    return Forecast(
        n_now=n_now,
        n_then=n_then,
        now=curves.at(n_now),
        then=curves.at(n_then),
        gain=curves.gain(n_then),
        drawn=tuple((int(size), curves.at(float(size))) for size in drawn),
    )


class _Curves:
    """All curves of the grid, with their weights; axes are value at the largest run, asymptote, exponent."""

    def __init__(self, n: Floats, value: Floats, ceiling: float) -> None:
        self.n_runs = len(n)
        self.largest = float(n.max())
        # The estimate of the ceiling is uncertain too: no point is taken for impossible.
        self.limit = max(ceiling, float(value.max()) + 0.01)
        self.share = np.linspace(0.0, 1.0, SHARES)[None, :, None]
        self.exponent = np.geomspace(*EXPONENTS, N_EXPONENTS)[None, None, :]
        self._lay(float(value.min()) - AROUND, float(value.max()) + AROUND, n, value)
        # Anew and finer, where there is any weight to speak of.
        low, high = self._likely(self.level, 0)
        least, most = self._likely(self.share, 1)
        self.share = np.linspace(max(least, 0.0), min(most, 1.0), SHARES)[None, :, None]
        flat, steep = np.exp(self._likely(np.log(self.exponent), 2)).tolist()
        self.exponent = np.geomspace(max(flat, EXPONENTS[0]), min(steep, EXPONENTS[1]), N_EXPONENTS)[None, None, :]
        self._lay(low, high, n, value)

    def _likely(self, values: Floats, axis: int) -> tuple[float, float]:
        """The part of an axis that has weight, and a step on either side."""
        others = tuple(other for other in range(3) if other != axis)
        ticks = values.ravel()
        found = ticks[self.weight.sum(axis=others) > NEGLIGIBLE]
        step = float(ticks[1] - ticks[0])
        return float(found.min()) - step, float(found.max()) + step

    def _lay(self, low: float, high: float, n: Floats, value: Floats) -> None:
        self.level = np.linspace(low, min(high, self.limit), LEVELS)[:, None, None]
        self.rise = self.share * (self.limit - self.level)
        self.weight = self._weights(n, value)

    def curve(self, n: float) -> Floats:
        """Its value: a - (a - level) (largest / n)^c."""
        return np.asarray(self.level + self.rise * (1 - (self.largest / n) ** self.exponent))

    def at(self, n: float) -> MetricValue:
        return self._quantiles(self.curve(n))

    def gain(self, n: float) -> MetricValue:
        return self._quantiles(self.curve(n) - self.level)

    def _weights(self, n: Floats, value: Floats) -> Floats:
        """By the likelihood of normal scatter, averaged over how large that is; they sum to 1."""
        squares = np.zeros((LEVELS, SHARES, N_EXPONENTS))
        for size, found in zip(n.tolist(), value.tolist(), strict=True):
            squares += (self.curve(size) - found) ** 2
        logs = np.stack([-squares / (2 * scatter**2) - len(n) * np.log(scatter) for scatter in SCATTERS.tolist()])
        likely: Floats = np.exp(logs - logs.max()).sum(axis=0)
        return np.asarray(likely / likely.sum())

    def _quantiles(self, values: Floats) -> MetricValue:
        order = np.argsort(values, axis=None)
        running = np.cumsum(self.weight.ravel()[order])
        tail = (1 - CONFIDENCE) / 2
        low, middle, high = values.ravel()[order][
            np.minimum(np.searchsorted(running, [tail, 0.5, 1 - tail]), len(order) - 1)
        ].tolist()
        return MetricValue(middle, low, high, self.n_runs)
