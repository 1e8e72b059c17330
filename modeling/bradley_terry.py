"""Strengths from paired comparisons: the Bradley-Terry model within each caption, and of systems over all captions.

The model: clip i is preferred to clip j with probability sigma(t_i - t_j), sigma the logistic function (Bradley & Terry
1952). "No difference" counts as half a win for each: wins plus half the ties are what the strengths depend on in
Davidson's (1970) model with ties too. Each clip has also won and lost once against an average clip of strength 0; this
is the logistic prior of Newman (2023, JMLR 24:238), and it keeps a clip that always won finite. Under it the
probabilities sigma(t) of a caption's clips have a mean of exactly one half. The strengths are the mode, found by Newton
steps of length log(1 + d) / d, d = sqrt(2) times the step's norm, which converge from everywhere (Sun & Tran-Dinh,
arXiv 1703.04599).

Comparisons never cross captions, so that strengths compare the clips of one caption only. numpy and scipy alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from modeling import metrics
from modeling.metrics import Floats, MetricValue

Ints = npt.NDArray[np.int64]

# Wins, and losses, that each clip is given against the average clip.
PRIOR = 1.0
TOLERANCE = 1e-10
MAX_STEPS = 500
# Captions of equal size are solved together, up to this many numbers in a matrix.
AT_ONCE = 4_000_000


@dataclass(frozen=True)
class SystemStrength:
    """`strength` is in logits against an average system, `score` 10 * sigma(strength); n counts its comparisons."""

    system: str
    strength: MetricValue
    score: MetricValue


def clip_strengths(first: npt.ArrayLike, second: npt.ArrayLike, won: npt.ArrayLike, group: npt.ArrayLike) -> Floats:
    """The strength of each clip in logits, 0 being that of an average clip of the same caption.

    `first`, `second` and `won` have one entry per comparison: the numbers of two clips, and the first's share of the
    win: 1, 0, or .5 for no difference. `group` numbers each clip's caption. A clip that nobody compared gets 0. Raises
    ValueError where a comparison crosses captions.
    """
    i, j = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    share, groups = np.asarray(won, dtype=np.float64), np.asarray(group, dtype=np.int64)
    if (groups[i] != groups[j]).any():
        raise ValueError("A comparison has clips of two captions; strengths compare clips of one caption only.")
    caption, place, size = _places(groups)
    strengths = np.zeros(len(groups))
    for n in np.unique(size[caption[i]]):
        captions = np.flatnonzero(size == n)
        for some in np.array_split(captions, -(-len(captions) * n * n // AT_ONCE)):
            number = np.full(len(size), -1)
            number[some] = np.arange(len(some))
            mine, members = number[caption[i]] >= 0, number[caption] >= 0
            wins = _wins(number[caption[i[mine]]], place[i[mine]], place[j[mine]], share[mine], (len(some), int(n)))
            strengths[members] = solve(wins)[number[caption[members]], place[members]]
    return strengths


def strength_to_score(strength: npt.ArrayLike) -> Floats:
    """10 * the probability of being preferred to an average clip of the same caption, on 0..10."""
    return np.asarray(10 * expit(np.asarray(strength, dtype=np.float64)))


def system_strengths(
    first: Sequence[str], second: Sequence[str], won: npt.ArrayLike, captions: Sequence[Hashable]
) -> list[SystemStrength]:
    """The strength of each system over all captions, strongest first, with intervals that resample captions.

    One entry per comparison: the systems of its two clips, the first's share of the win, and the caption. Comparisons
    of a system with itself say nothing and are left out.
    """
    names = sorted({*first, *second})
    number = {name: place for place, name in enumerate(names)}
    i, j = (np.array([number[name] for name in side], dtype=np.int64) for side in (first, second))
    caption = {name: place for place, name in enumerate(dict.fromkeys(captions))}
    at = np.array([caption[name] for name in captions], dtype=np.int64)
    mine = i != j
    share = np.asarray(won, dtype=np.float64)
    wins = _wins(at[mine], i[mine], j[mine], share[mine], (len(caption), len(names)))
    draws = metrics.caption_draws(list(caption)) if len(caption) > 1 else np.zeros((0, len(caption)))
    resampled = solve(np.tensordot(draws, wins, axes=1))
    total = wins.sum(axis=0)
    exact, n = solve(total[None])[0], (total + total.T).sum(axis=1)
    found = [
        SystemStrength(
            name,
            metrics.percentile_interval(float(exact[place]), resampled[:, place], round(n[place])),
            metrics.percentile_interval(
                float(strength_to_score(exact[place])), strength_to_score(resampled[:, place]), round(n[place])
            ),
        )
        for place, name in enumerate(names)
    ]
    return sorted(found, key=lambda system: -(system.strength.value or 0.0))


def solve(wins: Floats) -> Floats:
    """Strengths, shape (m, n), of m separate groups of n clips; wins[k, i, j] is how often i won against j in k.

    Raises RuntimeError where the steps do not end, which no finite number of wins should make happen.
    """
    games = wins + wins.transpose(0, 2, 1)
    strengths = np.zeros(wins.shape[:2])
    active = np.arange(len(wins))
    for _ in range(MAX_STEPS):
        if not len(active):
            return strengths
        step = _newton_step(strengths[active], wins[active], games[active])
        length = np.sqrt(2) * np.linalg.norm(step, axis=1, keepdims=True)
        strengths[active] += step * np.log1p(length) / np.maximum(length, np.finfo(np.float64).tiny)
        active = active[length[:, 0] > TOLERANCE]
    raise RuntimeError(f"Bradley-Terry strengths did not settle within {MAX_STEPS} steps.")


def _newton_step(strengths: Floats, wins: Floats, games: Floats) -> Floats:
    preferred = expit(strengths[:, :, None] - strengths[:, None, :])
    against_average = expit(strengths)
    gradient = (wins - games * preferred).sum(axis=2) + PRIOR * (1 - 2 * against_average)
    coupling = games * preferred * (1 - preferred)
    own = coupling.sum(axis=2) + 2 * PRIOR * against_average * (1 - against_average)
    hessian = np.eye(strengths.shape[1]) * own[:, :, None] - coupling
    return np.asarray(np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0])


def _places(groups: Ints) -> tuple[Ints, Ints, Ints]:
    """The dense number of each clip's group, its place in it, and the groups' sizes."""
    _, dense, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(dense, kind="stable")
    place = np.empty_like(dense)
    place[order] = np.arange(len(dense)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return dense, place, sizes


def _wins(group: Ints, i: Ints, j: Ints, won: Floats, shape: tuple[int, int]) -> Floats:
    """How often i won against j in each group, shape (groups, n, n)."""
    m, n = shape
    flat = np.bincount((group * n + i) * n + j, won, m * n * n) + np.bincount(
        (group * n + j) * n + i, 1 - won, m * n * n
    )
    return np.asarray(flat.reshape(m, n, n))
