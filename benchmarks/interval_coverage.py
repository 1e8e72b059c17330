"""Whether 95 % intervals hold the truth as often as they say: 1,000 simulated studies of each design.

Raters are as noisy as RELATE's (offset SD 0.9, residual SD 2.3, clipped and rounded), captions and pairs are drawn anew
for each study. Truths, which the simulation knows exactly:

- of a pair's mean opinion score: what all raters there could be would give to this very pair, on average;
- of a caption's: the same, on average over the pairs of this caption;
- of a system's, and of the difference of two: on average over all raters and all captions there could be.

Fails where an interval of the usual design holds its truth in less than 93 % or more than 97 % of the studies, or where
of equal systems one is called better, after Holm's correction, in more than 7 % of them.
"""

import sys
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from scipy import stats

from modeling.study_results.answers import Scores, scores_of
from modeling.study_results.means import Means, caption_means, pair_means
from modeling.study_results.systems import mean_scores
from modeling.synthetic.raters import OFFSET_SD, RESIDUAL_SD, simulate_scores

LEAST, MOST, MOST_FALSE = 0.93, 0.97, 0.07
# Between captions, and between the pairs of one: RELATE's 2.2 between pairs, two fifths of it between captions.
CAPTION_SD, PAIR_SD = 1.4, 1.55
# Half cells of the whole-numbered scale 0..10, for its expected value under a normal impression.
_EDGES = np.concatenate([[-np.inf], np.arange(0.5, 10), [np.inf]])
DRAWS = 499


@dataclass(frozen=True)
class Design:
    name: str
    captions: int
    levels: tuple[float, ...]
    ratings_per_pair: int
    pairs_per_rater: int
    is_judged: bool = True


DESIGNS = (
    Design("usual: 50 captions, 4 systems, k = 4, 40 raters", 50, (4.5, 5.2, 5.8, 6.5), 4, 20),
    Design("usual, equal systems", 50, (5.5,) * 4, 4, 20),
    Design("few: 15 captions, 3 systems, k = 8, 12 raters", 15, (4.5, 5.5, 6.5), 8, 30, is_judged=False),
    Design("few, equal systems", 15, (5.5,) * 3, 8, 30, is_judged=False),
)


def expected(impression: np.ndarray, sd: float) -> np.ndarray:
    """Mean score of a normal impression that is rounded and clipped to 0..10."""
    cells = np.diff(stats.norm.cdf(_EDGES, np.asarray(impression)[:, None], sd), axis=1)
    return np.asarray(cells @ np.arange(11.0))


def simulated(design: Design, seed: int) -> tuple[Scores, np.ndarray]:
    """A study, and the true mean score of each of its pairs."""
    rng = np.random.default_rng(seed)
    n_systems = len(design.levels)
    caption = np.repeat(np.arange(design.captions), n_systems)
    system = np.tile(np.arange(n_systems), design.captions)
    impression = (
        np.array(design.levels)[system]
        + rng.normal(0, CAPTION_SD, design.captions)[caption]
        + rng.normal(0, PAIR_SD, len(caption))
    )
    # In another order, so that a rater's pairs are of any captions.
    order = rng.permutation(len(caption))
    given = simulate_scores(
        impression[order].tolist(),
        # Another seed than above: from the same one, raters would be offset as captions are.
        seed=10_000_000 + seed,
        ratings_per_pair=design.ratings_per_pair,
        pairs_per_rater=design.pairs_per_rater,
    )
    pair = order[[one.pair for one in given]]
    scores, _, _ = scores_of(
        pair=pair,
        rater=[one.rater for one in given],
        score=[one.score for one in given],
        caption=caption[pair],
        system=system[pair].astype(str),
        scale=(0, 10),
    )
    return scores, expected(impression, float(np.hypot(OFFSET_SD, RESIDUAL_SD)))


def share_held(means: Means, truth: np.ndarray) -> float:
    return float(np.mean((means.low <= truth) & (truth <= means.high)))


def plain_bootstrap(scores: Scores, rng: np.random.Generator, truth: np.ndarray) -> float:
    """How many systems' means the percentiles of the plain two-way bootstrap hold: what Owen (2007) warns of."""
    system, caption = scores.system[scores.pair], scores.caption[scores.pair]
    drawn = []
    for _ in range(DRAWS):
        raters = np.bincount(rng.integers(scores.n_raters, size=scores.n_raters), minlength=scores.n_raters)
        captions = np.bincount(rng.integers(scores.n_captions, size=scores.n_captions), minlength=scores.n_captions)
        weight = raters[scores.rater] * captions[caption]
        drawn.append(np.bincount(system, weight * scores.score) / np.bincount(system, weight))
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return float(np.mean((low <= truth) & (truth <= high)))


def coverage(design: Design, n_studies: int, *, with_plain: int = 0) -> dict[str, float]:
    """Share of truths held, by what the interval is about, and of studies in which some difference is called one.

    `with_plain` asks for the plain two-way bootstrap in the first so many studies too.
    """
    held: dict[str, list[float]] = defaultdict(list)
    sd = float(np.sqrt(CAPTION_SD**2 + PAIR_SD**2 + OFFSET_SD**2 + RESIDUAL_SD**2))
    level = expected(np.array(design.levels), sd)
    for seed in range(n_studies):
        scores, truth = simulated(design, seed)
        held["pair"].append(share_held(pair_means(scores), truth))
        by_caption = np.bincount(scores.caption, truth) / np.bincount(scores.caption)
        held["caption"].append(share_held(caption_means(scores), by_caption))
        found = mean_scores(scores, draws=DRAWS, seed=seed)
        held["system"] += [one.mean.low <= level[int(one.system)] <= one.mean.high for one in found.systems]
        held["difference"] += [
            one.difference.low <= level[int(one.first)] - level[int(one.second)] <= one.difference.high
            for one in found.differences
        ]
        held["some p < .05"].append(any(one.p < 0.05 for one in found.differences))
        held["some Holm p < .05"].append(any(one.p_holm < 0.05 for one in found.differences))
        if seed < with_plain:
            held["system, plain bootstrap"].append(plain_bootstrap(scores, np.random.default_rng(seed), level))
    return {name: float(np.mean(values)) for name, values in held.items()}


def faults(design: Design, found: dict[str, float]) -> list[str]:
    wrong = [
        f"{design.name}: intervals of a {name} hold the truth in {found[name]:.1%}"
        for name in ("pair", "caption", "system", "difference")
        if not LEAST <= found[name] <= MOST
    ]
    if len(set(design.levels)) == 1 and found["some Holm p < .05"] > MOST_FALSE:
        wrong.append(f"{design.name}: of equal systems one is called better in {found['some Holm p < .05']:.1%}")
    return wrong if design.is_judged else []


def main(n_studies: int = 1_000) -> int:
    wrong = []
    for design in DESIGNS:
        start = time.perf_counter()
        found = coverage(design, n_studies, with_plain=100)
        sys.stdout.write(f"{design.name}: {n_studies:,} studies, {time.perf_counter() - start:.0f} s\n")
        for name, share in found.items():
            sys.stdout.write(f"  {name:<26} {share:6.1%}\n")
        sys.stdout.flush()
        wrong += faults(design, found)
    sys.stdout.writelines(f"{line}.\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
