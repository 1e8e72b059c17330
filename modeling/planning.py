"""What a study takes and what it gives: ratings, raters, hours and cost against the reliability of its means."""

from __future__ import annotations

import math
from dataclasses import dataclass

# RELATE's variances of single ratings on 0..10 (screened): between pairs 2.20^2, within 2.46^2; ICC(1,1) .44.
RELATE_BETWEEN, RELATE_WITHIN = 2.20**2, 2.46**2
USUAL_K = (1, 2, 3, 4, 6, 8, 16)


@dataclass(frozen=True)
class Study:
    """What does not depend on k. `n_items` are pairs or trials that want k answers each; `sitting_items` of them come
    in a sitting of `sitting_s` seconds. `reward` is paid for a whole sitting, `fee` is the platform's share on top of
    it (0.33 for a third), `spare` the share of sittings that are lost (left, or excluded).
    """

    n_items: int
    sitting_items: int
    sitting_s: float
    reward: float | None = None
    fee: float = 0.0
    spare: float = 0.0


@dataclass(frozen=True)
class PlanRow:
    """What k ratings of each item take. `reliability` is that of the mean of k, `error` its standard error in points of
    0..10; `cost` is None where no reward is known.
    """

    k: int
    reliability: float
    error: float
    n_answers: int
    n_sittings: int
    hours: float
    cost: float | None


def reliability_of_mean(*, k: int, between: float, within: float) -> float:
    """vb / (vb + vw / k): Spearman-Brown of ICC(1,1) = vb / (vb + vw). 0 where pairs do not differ."""
    total = between + within / k
    return between / total if total > 0 else 0.0


def plan_row(study: Study, *, k: int, between: float, within: float) -> PlanRow:
    """Raises ValueError where k is below 1."""
    if k < 1:
        raise ValueError(f"Each item needs one rating at least, not {k}.")
    n_answers = study.n_items * k
    # Nobody rates the same item twice, so that k raters are needed at least.
    whole = max(k, math.ceil(n_answers / study.sitting_items)) if n_answers and study.sitting_items else 0
    n_sittings = math.ceil(whole / (1 - study.spare)) if study.spare < 1 else 0
    cost = None if study.reward is None else n_sittings * study.reward * (1 + study.fee)
    return PlanRow(
        k=k,
        reliability=reliability_of_mean(k=k, between=between, within=within),
        error=math.sqrt(within / k),
        n_answers=n_answers,
        n_sittings=n_sittings,
        hours=n_sittings * study.sitting_s / 3600,
        cost=cost,
    )
