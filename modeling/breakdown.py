"""A model's agreement with people in parts of the held-out pairs: where it comes from, and where it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modeling import metrics, splits
from modeling.attenuation import NoiseCorrected, noise_corrected
from modeling.calibration_curve import calibration_curve
from modeling.dataset import PairSet
from modeling.metrics import Floats, Predicted, Values
from modeling.parts import Groups, Ints, by_count, by_name, by_origin, by_spread, less_means

WITHIN = ("srcc", "lcc", "ktau")


def breakdown(pairs: PairSet, predicted: Predicted, heldout: Ints) -> dict[str, Any] | None:
    """Agreement by part, as plain values; None where people compared, whose scores are of one caption only.

    `predicted` has one entry per pair of the set; those that are not among `heldout` are not looked at. Keys, None
    where the ratings do not say:

    - `within_caption`, `within_system`: `srcc`, `lcc` and `ktau` of what is left when each caption's (system's) mean
      is subtracted from prediction and human mean, over all captions (systems) of two pairs or more. The means are
      those of the held-out pairs, in every resample.
    - `system`: by its name. `origin`: `natural` (systems named as in `parts.NATURAL`) and `synthesised`. `n_ratings`:
      by how many ratings a pair has. `disagreement`: thirds of the pairs with two ratings or more, by their standard
      deviation (n - 1), whose ranges are `disagreement_sd`. Each of these maps a group to `metrics.METRICS`.
    - `noise_corrected` (`modeling.attenuation`), and `calibration` (`modeling.calibration_curve`) where the prediction
      has a score on 0..10.

    Intervals resample captions.
    """
    if pairs.comparisons is not None:
        return None
    part = _Part(pairs, predicted.of(heldout), heldout)
    sd = pairs.rating_sd()[heldout]
    thirds = by_spread(sd)
    return {
        "within_caption": part.within(part.captions),
        "within_system": part.within(part.systems) if any(part.systems) else None,
        "system": part.by(by_name(part.systems)) if any(part.systems) else None,
        "origin": part.by(by_origin(part.systems)) if any(part.systems) else None,
        "n_ratings": part.by(by_count(pairs.n_ratings[heldout])),
        "disagreement": part.by(thirds) if thirds else None,
        "disagreement_sd": {name: [float(sd[at].min()), float(sd[at].max())] for name, at in thirds.items()} or None,
        "noise_corrected": part.noise_corrected().as_dict(),
        "calibration": part.calibration(),
    }


class _Part:
    """The held-out pairs, renumbered from 0."""

    def __init__(self, pairs: PairSet, predicted: Predicted, heldout: Ints) -> None:
        self.predicted = predicted
        self.human = pairs.human_mean[heldout]
        self.captions = [splits.fold_caption(pairs.captions[number]) for number in heldout.tolist()]
        self.systems = [pairs.systems[number].strip() for number in heldout.tolist()]
        mine = np.isin(pairs.ratings.pair, heldout)
        place = np.zeros(len(pairs.pairs), dtype=np.int64)
        place[heldout] = np.arange(len(heldout))
        self.rated, self.score = place[pairs.ratings.pair[mine]], pairs.ratings.score[mine]

    def by(self, groups: Groups) -> dict[str, Any]:
        return {name: _plain(self._measure(self.predicted.of(at), self.human[at], at)) for name, at in groups.items()}

    def within(self, names: Sequence[str]) -> dict[str, Any]:
        several = [at for at in by_name(names).values() if len(at) > 1]
        at = np.concatenate([*several, np.zeros(0, dtype=np.int64)])
        values, human = (less_means(side, several)[at] for side in (self.predicted.values, self.human))
        measured = self._measure(Predicted(values, None), human, at)
        return _plain({name: measured[name] for name in WITHIN})

    def noise_corrected(self) -> NoiseCorrected:
        return noise_corrected(self.predicted.values, self.rated, self.score, self.captions)

    def calibration(self) -> dict[str, Any] | None:
        scores = self.predicted.scores
        return None if scores is None else calibration_curve(scores, self.human, self.captions).as_dict()

    def _measure(self, predicted: Predicted, human: Floats, at: Ints) -> Values:
        captions = [self.captions[number] for number in at.tolist()]
        return metrics.compare_all([predicted], human, captions)[0][0]


def _plain(values: Values) -> dict[str, Any]:
    return {name: value.as_dict() for name, value in values.items()}
