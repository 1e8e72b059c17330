"""Two models beside each other in parts of the held-out pairs: where the tuned one gains, and where it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modeling import metrics, splits
from modeling.metrics import Floats, Predicted, Values
from modeling.parts import Ints, by_count, by_name, by_origin, by_spread, less_means

# A part whose pairs are those of several captions or systems together.
WHOLE = ""
WITHIN = ("srcc", "lcc", "ktau")


@dataclass(frozen=True)
class HeldoutPairs:
    """What is known of each held-out pair; all of one length. `system` is blank where none is named.

    `human` is the mean of its ratings on 0..10 and `rating_sd` their standard deviation (n - 1), NaN where it has one.
    """

    caption: Sequence[str]
    system: Sequence[str]
    human: Floats
    n_ratings: Ints
    rating_sd: Floats


@dataclass(frozen=True)
class ComparedPart:
    """Both models on a group of pairs, and tuned minus base, paired; keys as in `metrics.METRICS`."""

    part: str
    group: str
    base: Values
    tuned: Values
    difference: Values


def compared_parts(base: Predicted, tuned: Predicted, pairs: HeldoutPairs) -> list[ComparedPart]:
    """Parts as `modeling.breakdown` names them, in its order: within_caption and within_system, whose group is
    `WHOLE` and which have no MSE, system, origin, n_ratings, disagreement.

    Parts that tell nothing apart are left out: those by system and origin where no system is named, and all of one
    group. Intervals resample captions; those of differences are paired.
    """
    captions = [splits.fold_caption(caption) for caption in pairs.caption]
    systems = [system.strip() for system in pairs.system]
    found = list(_within("within_caption", captions, (base, tuned), pairs, captions))
    if any(systems):
        found += _within("within_system", systems, (base, tuned), pairs, captions)
    for part, groups in _groups(systems, pairs).items():
        for group, at in groups.items():
            found.append(_measured(part, group, [one.of(at) for one in (base, tuned)], pairs.human[at], at, captions))
    return found


def _groups(systems: Sequence[str], pairs: HeldoutPairs) -> dict[str, Mapping[str, Ints]]:
    found = {
        "system": by_name(systems) if any(systems) else {},
        "origin": by_origin(systems) if any(systems) else {},
        "n_ratings": by_count(pairs.n_ratings),
        "disagreement": by_spread(pairs.rating_sd),
    }
    return {part: groups for part, groups in found.items() if len(groups) > 1}


def _within(
    part: str, names: Sequence[str], models: Sequence[Predicted], pairs: HeldoutPairs, captions: Sequence[str]
) -> Iterator[ComparedPart]:
    several = [at for at in by_name(names).values() if len(at) > 1]
    if not several:
        return
    at = np.concatenate(several)
    human, *values = (less_means(side, several)[at] for side in (pairs.human, *(model.values for model in models)))
    found = _measured(part, WHOLE, [Predicted(side, None) for side in values], human, at, captions)
    base, tuned, difference = (
        {name: side[name] for name in WITHIN} for side in (found.base, found.tuned, found.difference)
    )
    yield ComparedPart(part, WHOLE, base, tuned, difference)


def _measured(
    part: str, group: str, models: Sequence[Predicted], human: Floats, at: Ints, captions: Sequence[str]
) -> ComparedPart:
    asked = [captions[number] for number in at.tolist()]
    (base, tuned), (_, difference) = metrics.compare_all(models, human, asked)
    return ComparedPart(part, group, base, tuned, difference)
