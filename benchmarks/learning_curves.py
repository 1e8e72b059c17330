"""Whether the forecast of what more ratings buy holds the truth as often as it says: curves whose truth is known.

Each world has a curve of its own, an inverse power law with start, limit and exponent drawn at random, runs at random
sizes of 500 to 6,000 ratings that scatter around it, and a luck of the held-out pairs that all runs share. Asked is the
gain of 1,000 more ratings. By the number of runs and their scatter: how often the 95 % interval holds the gain, how
wide it is, how far the guess is off.

Fails where an interval holds the truth in less than 88 % of 150 worlds, which befalls an honest 95 % interval by chance
less than once in 1,000 looks. Runs that scatter by .005 are told and not judged: an interval of .003 shows what was
assumed of curves before any was seen.
"""

import sys

import numpy as np

from modeling.learning_curve import forecast

WORLDS = 150
LEAST, JUDGED_FROM = 0.88, 0.015
RUNS = (3, 4, 6, 10)
SCATTERS = (0.005, 0.015, 0.03)
SHARED_SD = 0.03
CEILING = 0.8


def world(rng: np.random.Generator, n_runs: int, scatter: float) -> tuple[list[int], list[float], float]:
    """Sizes and SRCC of the runs, and the true gain of 1,000 ratings more than the largest had."""
    start = rng.uniform(0.3, 0.5)
    limit, exponent = rng.uniform(start + 0.05, 0.75), np.exp(rng.uniform(np.log(0.15), np.log(1.2)))
    sizes = rng.choice(np.arange(500, 6_001, 50), n_runs, replace=False)

    def curve(n: float) -> float:
        return float(limit - (limit - start) * (500 / n) ** exponent)

    luck = rng.normal(0, SHARED_SD)
    found = [curve(n) + luck + rng.normal(0, scatter) for n in sizes]
    largest = float(sizes.max())
    return sizes.tolist(), found, curve(largest + 1_000) - curve(largest)


def main() -> int:
    rng = np.random.default_rng(1)
    failed = 0
    sys.stdout.write("runs  scatter  held  width  off by (mean)\n")
    for n_runs in RUNS:
        for scatter in SCATTERS:
            held, widths, off = [], [], []
            for _ in range(WORLDS):
                sizes, values, gain = world(rng, n_runs, scatter)
                told = forecast(sizes, values, ceiling=CEILING, more=1_000)
                if told is None or told.gain.value is None or told.gain.low is None or told.gain.high is None:
                    raise ValueError("A forecast is missing.")
                held.append(told.gain.low <= gain <= told.gain.high)
                widths.append(told.gain.high - told.gain.low)
                off.append(told.gain.value - gain)
            share = float(np.mean(held))
            failed += scatter >= JUDGED_FROM and share < LEAST
            words = f"{n_runs:4d}  {scatter:7.3f}  {share:.3f}  {np.mean(widths):.4f}  {np.mean(off):+.4f}\n"
            sys.stdout.write(words)
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
