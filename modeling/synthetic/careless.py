"""Sittings of raters whose carelessness is known, to measure what screening finds of it.

A sitting is RELATE's with what ITU-T P.808 adds: study pairs, three mismatched anchors, gold pairs, an instructed trap,
and hidden repeats of study pairs. Whoever rates honestly is as noisy as RELATE's raters (offset SD 0.9, residual SD 2.3
on 0..10, clipped and rounded); true scores have its between-pair SD and its share of tens.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from modeling.agreement import Ints
from modeling.metrics import Floats
from modeling.screening.answers import ANCHOR, GOLD, REPEAT, STUDY, UNCHECKED, Answers
from modeling.synthetic.raters import OFFSET_SD, RESIDUAL_SD

HONEST = "honest"
NOISY = "honest, twice as noisy"
OFFSET = "honest, 3 points higher or lower"
RANDOM = "random clicker"
STRAIGHT = "always one answer"
ALWAYS_TEN = "always 10"
ABOUT_ONE = "one answer, one point around it"
HASTY = "random, at once"
DEAF = "does not listen"
HALF = "careless from the middle on"
KINDS = (HONEST, NOISY, OFFSET, RANDOM, STRAIGHT, ALWAYS_TEN, ABOUT_ONE, HASTY, DEAF, HALF)
TRUTH_MEAN, TRUTH_SD = 6.5, 3.2
# Beyond the scale's end: honest raters then give four of five mismatched anchors a 0, as RELATE's do who pass its rule.
ANCHOR_TRUTH = -1.5
CLIP_S = 10.0
HEARD_SHARE = 0.95


@dataclass(frozen=True)
class Sitting:
    """What each rater is given."""

    n_study: int = 18
    n_anchors: int = 3
    n_gold: int = 2
    n_traps: int = 1
    n_repeats: int = 4

    @property
    def n_items(self) -> int:
        return self.n_study + self.n_anchors + self.n_gold + self.n_traps + self.n_repeats


@dataclass(frozen=True)
class CarelessWorld:
    """`answers` of raters of whom `kind` says, one entry for each, what they are."""

    answers: Answers
    kind: list[str] = field(default_factory=list)


def simulate(
    kinds: list[str], *, seed: int, sitting: Sitting | None = None, ratings_per_pair: int = 8
) -> CarelessWorld:
    """One sitting by each rater of `kinds`. Study pairs come to about `ratings_per_pair` raters each."""
    plan = sitting or Sitting()
    rng = np.random.default_rng(seed)
    n_pairs = max(plan.n_study, -(-len(kinds) * plan.n_study // ratings_per_pair))
    truth = np.clip(rng.normal(TRUTH_MEAN, TRUTH_SD, n_pairs), 0, 10)
    sittings = [_sit(rng, number, kind, plan, truth) for number, kind in enumerate(kinds)]
    columns = {name: np.concatenate([each[name] for each in sittings]) for name in sittings[0]}
    headphones = np.full(len(kinds), UNCHECKED, dtype=np.int64)
    return CarelessWorld(Answers(**columns, headphones=headphones), kinds)


def _sit(rng: np.random.Generator, number: int, kind: str, plan: Sitting, truth: Floats) -> dict[str, Ints | Floats]:
    n_pairs = len(truth)
    study = rng.choice(n_pairs, plan.n_study, replace=False)
    repeated = rng.choice(study, plan.n_repeats, replace=False)
    role = np.repeat(
        [STUDY, ANCHOR, GOLD, GOLD, REPEAT], [plan.n_study, plan.n_anchors, plan.n_gold, plan.n_traps, plan.n_repeats]
    )
    # What is not a study pair has a number of its own, a repeat too.
    other = n_pairs + number * plan.n_items + np.arange(plan.n_items - plan.n_study)
    item = np.r_[study, other]
    repeat_of = np.r_[np.full(plan.n_items - plan.n_repeats, -1), repeated]
    gold, traps = np.resize([9.5, 0.5], plan.n_gold), rng.integers(0, 11, plan.n_traps).astype(np.float64)
    true = np.r_[truth[study], np.full(plan.n_anchors, ANCHOR_TRUTH), gold, traps, truth[repeated]]
    low, high = np.full((2, plan.n_items), np.nan)
    at = plan.n_study + plan.n_anchors
    low[at : at + plan.n_gold], high[at : at + plan.n_gold] = np.where(gold > 5, 8, 0), np.where(gold > 5, 10, 2)
    is_trap = np.zeros(plan.n_items, dtype=np.bool_)
    is_trap[at + plan.n_gold : at + plan.n_gold + plan.n_traps] = True
    low[is_trap] = high[is_trap] = traps
    # A repeat comes after its pair.
    place = rng.random(plan.n_items)
    place[-plan.n_repeats or plan.n_items :] = 1 + rng.random(plan.n_repeats)
    order = np.argsort(place)
    true, is_trap = true[order], is_trap[order]
    score = _scores(rng, kind, true, is_trap)
    elapsed, unheard, plays = _listening(rng, kind, plan.n_items)
    return {
        "rater": np.full(plan.n_items, number),
        "item": item[order],
        "role": role[order],
        "score": score,
        "given": score,
        "expected_low": low[order],
        "expected_high": high[order],
        "elapsed_s": elapsed,
        "needed_s": np.full(plan.n_items, HEARD_SHARE * CLIP_S),
        "too_soon": elapsed < HEARD_SHARE * CLIP_S,
        "unheard_s": unheard,
        "plays": plays,
        "repeat_of": repeat_of[order],
    }


def _scores(rng: np.random.Generator, kind: str, true: Floats, is_trap: np.typing.NDArray[np.bool_]) -> Floats:
    n = len(true)
    random = rng.integers(0, 11, n).astype(np.float64)
    if kind in (RANDOM, HASTY, DEAF):
        return random
    if kind == STRAIGHT:
        return np.full(n, float(rng.integers(3, 9)))
    if kind == ALWAYS_TEN:
        return np.full(n, 10.0)
    if kind == ABOUT_ONE:
        return np.asarray(rng.integers(3, 9) + rng.integers(-1, 2, n), dtype=np.float64)
    offset = rng.choice([-3.0, 3.0]) if kind == OFFSET else rng.normal(0, OFFSET_SD)
    noise = rng.normal(0, RESIDUAL_SD * (2 if kind == NOISY else 1), n)
    honest = np.clip(np.rint(true + offset + noise), 0, 10)
    # Who reads the instruction follows it, but for a slip in fifty.
    honest[is_trap] = np.where(rng.random(is_trap.sum()) < 0.02, honest[is_trap], true[is_trap])
    if kind == HALF:
        honest[n // 2 :] = random[n // 2 :]
    return np.asarray(honest, dtype=np.float64)


def _listening(rng: np.random.Generator, kind: str, n: int) -> tuple[Floats, Floats, Floats]:
    """Seconds until the answer, seconds unheard, and plays."""
    think = 0.6 + rng.gamma(2.0, 1.5, n)
    plays: Floats = 1.0 + rng.poisson(0.5, n).astype(np.float64)
    unheard: Floats = np.full(n, (HEARD_SHARE - 1) * CLIP_S)
    elapsed: Floats = HEARD_SHARE * CLIP_S + think + CLIP_S * (plays - 1)
    if kind == HASTY:
        elapsed = HEARD_SHARE * CLIP_S + rng.uniform(0, 0.5, n)
    if kind == DEAF:
        # A script that answers without the page's player.
        elapsed = rng.uniform(1, 4, n)
        unheard, plays = HEARD_SHARE * CLIP_S - elapsed * rng.random(n), rng.integers(0, 2, n).astype(np.float64)
    return elapsed, unheard, plays
