"""The rules by name, each with its version and its defaults, and what they say of every rater.

A rule whose arithmetic changes gets another version. What defaults rest on is in docs/SCREENING.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from modeling.agreement import Ints
from modeling.metrics import Floats
from modeling.screening import consistency, expected, listening
from modeling.screening.answers import FAILED, PASSED, UNCHECKED, Answers, Limits, Measured


@dataclass(frozen=True)
class Rule:
    """`fails_above`: who fails is above the limit; else below. `for_pay`, `for_use`: what it counts for by default."""

    name: str
    version: int
    measure: Callable[[Answers, Limits], Measured]
    default: Limits
    fails_above: bool = True
    for_pay: bool = False
    for_use: bool = False


@dataclass(frozen=True)
class Judged:
    """What a rule says, one entry for each rater: PASSED, FAILED or UNCHECKED, the value (NaN: undefined), and n."""

    outcome: Ints
    value: Floats
    n: Ints

    @property
    def failed(self) -> Ints:
        """The numbers of the raters who failed."""
        return np.flatnonzero(self.outcome == FAILED)


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("anchors", 1, expected.anchors, Limits(5, 3, how=expected.SUM), for_use=True),
        Rule("gold", 1, expected.gold, Limits(0.5, 2, tolerance=1), for_use=True),
        Rule("trap", 1, expected.trap, Limits(0, 1), for_pay=True, for_use=True),
        Rule("repeats", 1, consistency.repeats, Limits(4, 4)),
        Rule("straight-lining", 1, consistency.straight_lining, Limits(0.6, 10), for_use=True),
        Rule("low-variance", 1, consistency.low_variance, Limits(0.9, 10), fails_above=False, for_use=True),
        Rule("too-fast", 1, listening.too_fast, Limits(0.5, 5, tolerance=0.5)),
        Rule("play-evidence", 1, listening.play_evidence, Limits(0, 1, tolerance=0.05), for_pay=True, for_use=True),
        Rule("agreement", 1, consistency.agreement, Limits(0.3, 10), fails_above=False),
        Rule("headphones", 1, listening.headphones, Limits(0, 1)),
    )
}


def judge(answers: Answers, rule: Rule, limits: Limits) -> Judged:
    """What could not be measured, or on fewer than `limits.at_least` observations, is unchecked."""
    found = rule.measure(answers, limits)
    judged = found.value if found.judged is None else found.judged
    is_known = (found.n >= limits.at_least) & ~np.isnan(judged)
    # A share of 1/3 that was summed up is not above 1/3.
    fails = judged > limits.limit + 1e-9 if rule.fails_above else judged < limits.limit - 1e-9
    outcome = np.where(is_known, np.where(fails, FAILED, PASSED), UNCHECKED)
    return Judged(outcome, found.value, found.n)
