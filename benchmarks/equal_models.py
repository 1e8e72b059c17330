"""How often one of two equally good models is called better: by the very comparison that promotes a model.

Held-out pairs as RELATE's: captions of several pairs each, two fifths of the variance of pairs between captions, four
ratings a pair by raters with an offset (SD 0.9) and a residual (SD 2.3), clipped and rounded. A model's score of a pair
is the pair's impression and an error, of which two fifths lie between captions too; two equal models share half of the
error's variance, as models tuned from one base do. Their SRCC with people is near .5.

1. One challenge: the champion against one equal challenger, over 200 studies of each design (`N_STUDIES`).
2. A year of them: 20 equal challengers in turn on the same held-out pairs, whoever wins stays.

Fails where more than 7 % of the challenges of a design with at least 100 pairs promote, or any with fewer.
"""

import sys
import time
from dataclasses import dataclass

import numpy as np

from modeling.challenge import BETTER, LEAST_PAIRS, Compared, compare_srcc
from modeling.metrics import Floats
from modeling.synthetic.raters import simulate_scores

N_STUDIES, MOST_FALSE, N_SUCCESSIVE = 200, 0.07, 20
CAPTION_SD, PAIR_SD = 1.4, 1.55
# The error of a model, and the part of its variance that equal models share.
ERROR_SD, SHARED = 2.6, 0.5
BETWEEN_CAPTIONS = 0.4


@dataclass(frozen=True)
class Design:
    captions: int
    pairs_per_caption: int
    n_studies: int = N_STUDIES

    @property
    def n_pairs(self) -> int:
        return self.captions * self.pairs_per_caption

    def __str__(self) -> str:
        return f"{self.n_pairs:,} pairs of {self.captions} captions"


DESIGNS = (
    Design(24, 4),
    Design(25, 4),
    Design(50, 2),
    Design(25, 12),
    Design(50, 6),
    Design(100, 3),
    Design(200, 5),
)
SUCCESSIVE = (Design(25, 4), Design(50, 6), Design(200, 5, n_studies=100))


@dataclass(frozen=True)
class Study:
    """Held-out pairs with people's means, and equal models by number."""

    design: Design
    rng: np.random.Generator
    caption: np.ndarray
    impression: Floats
    human: Floats
    shared: Floats

    def model(self) -> Floats:
        """The scores of one more model, as good as every other."""
        own = noise(self.design, self.rng, self.caption)
        error = np.sqrt(SHARED) * self.shared + np.sqrt(1 - SHARED) * own
        return np.asarray(self.impression + ERROR_SD * error)


def noise(design: Design, rng: np.random.Generator, caption: np.ndarray) -> Floats:
    """Of variance 1, `BETWEEN_CAPTIONS` of it the same for all pairs of a caption."""
    of_caption, of_pair = rng.normal(size=design.captions)[caption], rng.normal(size=design.n_pairs)
    return np.asarray(np.sqrt(BETWEEN_CAPTIONS) * of_caption + np.sqrt(1 - BETWEEN_CAPTIONS) * of_pair)


def simulated(design: Design, seed: int) -> Study:
    rng = np.random.default_rng([seed, design.captions, design.pairs_per_caption])
    caption = np.repeat(np.arange(design.captions), design.pairs_per_caption)
    impression = 5.5 + CAPTION_SD * rng.normal(size=design.captions)[caption] + PAIR_SD * rng.normal(size=len(caption))
    order = rng.permutation(len(caption))
    sums = np.zeros(len(caption))
    for given in simulate_scores(impression[order].tolist(), seed=10_000_000 + seed):
        sums[order[given.pair]] += given.score
    return Study(design, rng, caption, impression, sums / 4, noise(design, rng, caption))


def challenge(study: Study, champion: Floats, challenger: Floats) -> Compared:
    return compare_srcc(champion, challenger, study.human, study.caption.tolist())


@dataclass(frozen=True)
class Once:
    promoted: float
    mean_srcc: float


def once(design: Design, n_studies: int) -> Once:
    """The share of studies in which the second of two equal models is promoted, and their mean SRCC with people."""
    found = []
    for seed in range(n_studies):
        study = simulated(design, seed)
        found.append(challenge(study, study.model(), study.model()))
    values = [model.value for each in found for model in (each.champion, each.challenger) if model.value is not None]
    return Once(float(np.mean([each.verdict == BETTER for each in found])), float(np.mean(values)))


def successive(design: Design, n_studies: int) -> list[int]:
    """How often the champion changed over `N_SUCCESSIVE` equal challengers, study by study."""
    changes = []
    for seed in range(n_studies):
        study = simulated(design, 1_000 + seed)
        champion, n_changes = study.model(), 0
        for _ in range(N_SUCCESSIVE):
            newcomer = study.model()
            if challenge(study, champion, newcomer).verdict == BETTER:
                champion, n_changes = newcomer, n_changes + 1
        changes.append(n_changes)
    return changes


def main() -> int:
    wrong = []
    for design in DESIGNS:
        start, found = time.perf_counter(), once(design, design.n_studies)
        sys.stdout.write(
            f"{str(design):<28} {design.n_studies} studies: {found.promoted:6.1%} promoted; "
            f"mean SRCC {found.mean_srcc:.2f}; {time.perf_counter() - start:.0f} s\n"
        )
        sys.stdout.flush()
        if found.promoted > (MOST_FALSE if design.n_pairs >= LEAST_PAIRS else 0):
            wrong.append(f"{design}: of equal models {found.promoted:.1%} are promoted")
    sys.stdout.write(f"\n{N_SUCCESSIVE} equal challengers in turn, on the same held-out pairs:\n")
    for design in SUCCESSIVE:
        changes = np.array(successive(design, design.n_studies))
        sys.stdout.write(
            f"{str(design):<28} {design.n_studies} studies: the champion changed in {np.mean(changes > 0):.0%} of "
            f"them, {np.mean(changes):.2f} times on average, {max(changes)} at most\n"
        )
        sys.stdout.flush()
    sys.stdout.writelines(f"{line}.\n" for line in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
