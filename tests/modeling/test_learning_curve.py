"""Forecasts from runs on more and more ratings, against curves whose truth is known."""

from collections.abc import Callable

import numpy as np
import pytest

from modeling.learning_curve import Forecast, forecast

Curve = Callable[[float], float]


def rising(n: float) -> float:
    return 0.62 - 0.25 * (500 / n) ** 0.6


def of_curve(curve: Curve, sizes: list[int], scatter: float, seed: int, ceiling: float | None = 0.8) -> Forecast:
    rng = np.random.default_rng(seed)
    found = forecast(sizes, [curve(n) + rng.normal(0, scatter) for n in sizes], ceiling=ceiling, more=1_000)
    assert found is not None
    return found


def test_it_works() -> None:
    found = of_curve(rising, [500, 1_000, 2_000, 4_000], 0.002, seed=1)

    assert (found.n_now, found.n_then) == (4_000, 5_000)
    assert found.now.value == pytest.approx(rising(4_000), abs=0.005)
    assert found.then.value == pytest.approx(rising(5_000), abs=0.01)
    assert found.gain.value == pytest.approx(rising(5_000) - rising(4_000), abs=0.006)
    assert found.gain.low is not None and found.gain.high is not None
    assert 0 <= found.gain.low < found.gain.value < found.gain.high
    assert [size for size, _ in found.drawn][:: len(found.drawn) - 1] == [500, 5_000]


def test_the_same_points_in_any_order_give_the_same_forecast() -> None:
    sizes, values = [500, 1_000, 2_000], [0.4, 0.5, 0.53]
    first = forecast(sizes, values, ceiling=0.8, more=1_000)
    second = forecast(sizes[::-1], values[::-1], ceiling=0.8, more=1_000)
    assert first is not None and second is not None
    assert (first.gain.value, first.gain.low) == (pytest.approx(second.gain.value), pytest.approx(second.gain.low))


@pytest.mark.parametrize("sizes", [[], [500], [500, 1_000], [500, 1_000, 1_000, 500]])
def test_fewer_than_three_sizes_say_nothing(sizes: list[int]) -> None:
    assert forecast(sizes, [0.5] * len(sizes), ceiling=0.8, more=1_000) is None


def test_no_curve_leads_beyond_the_ceiling() -> None:
    found = of_curve(lambda n: 0.5 + 0.02 * np.log2(n / 500), [500, 1_000, 2_000, 4_000], 0.0, seed=1, ceiling=0.58)
    assert found.then.high is not None and found.then.high <= 0.58


def test_points_above_the_ceiling_are_no_error() -> None:
    found = forecast([500, 1_000, 2_000], [0.7, 0.72, 0.73], ceiling=0.6, more=1_000)
    assert found is not None and found.gain.value is not None and found.gain.value >= 0


def test_more_runs_make_the_guess_narrower() -> None:
    few = of_curve(rising, [500, 1_000, 2_000], 0.01, seed=3)
    many = of_curve(rising, list(range(500, 4_000, 250)), 0.01, seed=3)
    widths = [found.gain.high - found.gain.low for found in (few, many)]  # type: ignore[operator]
    assert widths[1] < widths[0]


def test_intervals_hold_the_truth() -> None:
    """30 worlds, each a curve of its own with four runs: that fewer than 25 hold it has a chance below .01 at 95 %.

    `benchmarks/learning_curves.py` looks longer, by number of runs and their scatter.
    """
    rng = np.random.default_rng(7)
    n_held = 0
    for seed in range(30):
        start, exponent = rng.uniform(0.3, 0.5), np.exp(rng.uniform(np.log(0.15), np.log(1.2)))
        top, shared = rng.uniform(start + 0.05, 0.75), rng.normal(0, 0.03)

        def curve(n: float, top: float = top, start: float = start, exponent: float = exponent) -> float:
            return top - (top - start) * (500 / n) ** exponent

        found = of_curve(lambda n, curve=curve, shared=shared: curve(n) + shared, [500, 900, 1_800, 3_500], 0.015, seed)
        assert found.gain.low is not None and found.gain.high is not None
        n_held += found.gain.low <= curve(4_500) - curve(3_500) <= found.gain.high
    assert n_held >= 25
