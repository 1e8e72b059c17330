"""When a check itself is to be doubted: of late it fails far more raters than before, or it has ceased to answer.

A check that is out of order fails or skips everybody, and nobody sees it in a total that months have gone into.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from modeling.agreement import Ints
from modeling.screening.answers import FAILED, UNCHECKED

FAILS_MORE, FAILS_MOST, CEASED = "fails-more", "fails-most", "ceased"
# The last so many raters against those before them; with fewer of either, nothing is said.
RECENT = 30
FEWEST = 10
# About one false alarm in a hundred, over ten checks looked at on ten days.
LEVEL = 1e-4
# A jump that a test finds but nobody would act on is none.
SMALLEST_JUMP = 0.1


@dataclass(frozen=True)
class Alarm:
    """`hits` of the `n` last raters, and of the `n` before them; p is that of Fisher's exact test, one-sided.

    FAILS_MOST looks at the last raters alone: `earlier_n` is 0 and p that more than half would fail by chance.
    """

    kind: str
    recent_hits: int
    recent_n: int
    earlier_hits: int
    earlier_n: int
    p: float


def alarms(outcome: Ints) -> list[Alarm]:
    """`outcome` has one entry for each rater, in the order in which they began."""
    recent, earlier = np.asarray(outcome)[-RECENT:], np.asarray(outcome)[:-RECENT]
    answered, before = recent[recent != UNCHECKED], earlier[earlier != UNCHECKED]
    found = [
        _jump(FAILS_MORE, answered == FAILED, before == FAILED) or _most(answered == FAILED),
        _jump(CEASED, recent == UNCHECKED, earlier == UNCHECKED),
    ]
    return [alarm for alarm in found if alarm is not None]


def _jump(kind: str, recent: Ints, earlier: Ints) -> Alarm | None:
    n, m = len(recent), len(earlier)
    if min(n, m) < FEWEST:
        return None
    hits, before = int(recent.sum()), int(earlier.sum())
    # Of all hits, how likely it is that so many or more fall on the recent ones.
    p = float(stats.hypergeom.sf(hits - 1, n + m, hits + before, n))
    is_jump = p < LEVEL and hits / n - before / m >= SMALLEST_JUMP
    return Alarm(kind, hits, n, before, m, p) if is_jump else None


def _most(recent: Ints) -> Alarm | None:
    n, hits = len(recent), int(recent.sum())
    if n < FEWEST:
        return None
    p = float(stats.binom.sf(hits - 1, n, 0.5))
    return Alarm(FAILS_MOST, hits, n, 0, 0, p) if p < LEVEL else None
