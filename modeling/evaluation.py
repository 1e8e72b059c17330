"""A model's report on a snapshot, beside another's: what training and `evaluate` share."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modeling import agreement, metrics, splits
from modeling.comparisons import FlatComparisons
from modeling.dataset import PairSet
from modeling.metrics import Floats, MetricValue, Predicted, Values


def compare_models(pairs: PairSet, base: Floats, tuned: Floats) -> metrics.Comparison:
    """Both models on the held-out pairs, and on the held-out comparisons where people compared.

    Cosines have one entry per pair of the set; those of other pairs are not looked at.
    """
    (first, second), (_, difference) = compare_predictions(pairs, list(map(Predicted.of_cosine, (base, tuned))))
    return metrics.Comparison(first, second, difference)


def compare_predictions(pairs: PairSet, models: Sequence[Predicted]) -> tuple[list[Values], list[Values]]:
    """Every model's agreement with people, and its paired difference to the first's; as `compare_models`."""
    heldout = pairs.where(splits.HELDOUT)
    captions = [splits.fold_caption(caption) for caption in pairs.captions]
    values, differences = metrics.compare_all(
        [model.of(heldout) for model in models], pairs.human_mean[heldout], [captions[number] for number in heldout]
    )
    if pairs.comparisons is None:
        return values, differences
    some = pairs.comparisons.where(splits.HELDOUT)
    chosen = [choices(some, models[0].values, model.values, captions) for model in models]
    return (
        [mine | found.tuned for mine, found in zip(values, chosen, strict=True)],
        [mine | found.difference for mine, found in zip(differences, chosen, strict=True)],
    )


def choices(some: FlatComparisons, base: Floats, tuned: Floats, captions: Sequence[str]) -> metrics.Comparison:
    """Both models' agreement with people's choices; cosines and captions have one entry per pair."""
    base_lead, tuned_lead = (cosines[some.first] - cosines[some.second] for cosines in (base, tuned))
    return metrics.compare_choices(base_lead, tuned_lead, some.won, [captions[number] for number in some.first])


def comparison_counts(pairs: PairSet) -> dict[str, int]:
    """How many comparisons were trained and judged on, and how many of the latter found no difference."""
    if pairs.comparisons is None:
        return {"n_train_comparisons": 0, "n_heldout_comparisons": 0, "n_heldout_ties": 0}
    heldout = pairs.comparisons.where(splits.HELDOUT)
    return {
        "n_train_comparisons": len(pairs.comparisons.where(splits.TRAIN)),
        "n_heldout_comparisons": len(heldout),
        "n_heldout_ties": int((heldout.won == 0.5).sum()),
    }


def people(pairs: PairSet) -> tuple[MetricValue, MetricValue]:
    """One rating against the rest, and the ceiling, on the held-out pairs.

    The ceiling takes its variances from all the snapshot's study ratings, which say more about raters than the held-out
    part alone, and the held-out pairs' own numbers of ratings. Both are undefined where people compared: a comparison
    is no score of a pair, and its rest says nothing of the same two clips unless others compared them too.
    """
    if pairs.comparisons is not None:
        return MetricValue(None, None, None, 0), MetricValue(None, None, None, 0)
    heldout = pairs.where(splits.HELDOUT)
    ratings = pairs.ratings
    mine = np.isin(ratings.pair, heldout)
    one = agreement.one_vs_rest_srcc(ratings.pair[mine], ratings.score[mine], captions=pairs.captions)
    ceiling = agreement.ceiling_srcc(ratings.pair, ratings.score, counts=pairs.n_ratings[heldout].tolist())
    return one, ceiling


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write JSON beside its place, sync it, and rename it there; NaN is refused, not written."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=1, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def values_as_json(values: Values) -> dict[str, dict[str, float | int | None]]:
    return {name: value.as_dict() for name, value in values.items()}
