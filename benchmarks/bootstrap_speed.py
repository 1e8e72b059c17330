"""The paired bootstrap of SRCC over captions beside a loop over scipy's: how many times faster, and how equal.

    python -m benchmarks.bootstrap_speed [--pairs 3000] [--resamples 2000]

Two models on the same pairs, four pairs a caption, human means with ties. The reference lists the pairs of every drawn
caption as often as it was drawn and asks scipy.stats.spearmanr for each model. Both begin at the scores and draw for
themselves; the reference takes the same draws, to be equal.
"""

import argparse
import statistics
import sys
import time

import numpy as np
import numpy.typing as npt
from scipy import stats

from modeling import resampling

REPEATS = 5
AT_LEAST = 20.0
Floats = npt.NDArray[np.float64]


def some_scores(n: int) -> tuple[list[Floats], Floats, list[str]]:
    """Two models' cosines, one of them with ties, human means in quarters, and captions of four pairs each."""
    rng = np.random.default_rng(20_250_623)
    human = np.round(np.clip(rng.normal(5, 2.2, n), 0, 10) * 4) / 4
    models = [np.round(rng.normal(size=n) + human * 0.2, 2), rng.normal(size=n) + human * 0.4]
    return models, human, [f"caption {place // 4}" for place in range(n)]


def ours(models: list[Floats], human: Floats, captions: list[str], n_resamples: int) -> Floats:
    return resampling.srcc(models, human, resampling.draw_captions(captions, n_resamples=n_resamples, seed=1))


def reference(models: list[Floats], human: Floats, captions: list[str], n_resamples: int) -> Floats:
    drawn = resampling.draw_captions(captions, n_resamples=n_resamples, seed=1).of_pairs().astype(np.int64)
    found = np.empty((len(models), n_resamples))
    for resample in range(n_resamples):
        rows = np.repeat(np.arange(len(human)), drawn[:, resample])
        for place, model in enumerate(models):
            found[place, resample] = stats.spearmanr(model[rows], human[rows]).statistic
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--resamples", type=int, default=2000)
    options = parser.parse_args(arguments)
    scores = some_scores(options.pairs)
    ratios, apart = [], 0.0
    for _ in range(REPEATS):
        started = time.perf_counter()
        fast = ours(*scores, options.resamples)
        between = time.perf_counter()
        slow = reference(*scores, options.resamples)
        ended = time.perf_counter()
        ratios.append((ended - between) / (between - started))
        apart = max(apart, float(np.abs(fast - slow).max()))
        sys.stdout.write(
            f"ours {between - started:.3f} s, scipy in a loop {ended - between:.3f} s: {ratios[-1]:.1f}x\n"
        )
    ratio = statistics.median(ratios)
    is_kept = ratio >= AT_LEAST and apart <= 1e-9
    sys.stdout.write(
        f"{options.resamples} resamples of {options.pairs} pairs: median {ratio:.1f} times faster (at least "
        f"{AT_LEAST:.0f}), apart by at most {apart:.1e} (1e-9): {'kept' if is_kept else 'NOT KEPT'}.\n"
    )
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
