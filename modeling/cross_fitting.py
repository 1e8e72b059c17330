"""Scores of training pairs by models that have not learned from them: each fold is scored by a model of the others.

For uses that score what was trained on: choosing what to rate next, finding odd ratings, weighting pairs. A model's own
scores of its training pairs are flattered; these are not. The held-out pairs stay held out: no fold trains on them.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from modeling import splits
from modeling.config import TrainingConfig
from modeling.dataset import MIN_HELDOUT, PairSet, pair_set
from modeling.evaluation import write_json
from modeling.kept_arrays import KeptArrays
from modeling.results import SCORE, Progress, TrainingRefused
from modeling.snapshot import Snapshot, read_snapshot, write_snapshot
from modeling.training import REPORT, train
from modeling.training.team import assemble

FOLDS, MOST_FOLDS = 5, 20
PREDICTIONS, SETTINGS = "predictions.csv", "cross-fit.json"
Told = Callable[[int, Progress], None]


@dataclass(frozen=True)
class FoldPrediction:
    """What the model that has not learned from the pair's fold says of it; folds count from 1, `score` is on 0..10."""

    pair: str
    fold: int
    cosine: float
    score: float


def cross_fit(
    config: TrainingConfig,
    snapshot_dir: Path,
    out_dir: Path,
    *,
    folds: int = FOLDS,
    on_progress: Told | None = None,
    should_stop: Callable[[], bool] | None = None,
    cache: KeptArrays | None = None,
) -> list[FoldPrediction]:
    """Train `folds` models, and score each training and validation pair by the one that has not learned from it.

    A caption is in one fold, whose pairs are that model's held-out ones; pairs of other folds that share a clip with
    them are left out of its training, as everywhere (`modeling.splits`). Writes `out_dir/predictions.csv` last, with a
    row for each pair in the snapshot's order; fold for fold, `folds/N` keeps the fold's snapshot and report, but no
    weights. Called again after an interruption, it goes on. Raises `TrainingRefused` and what `train` raises.
    """
    if assemble().size > 1:
        raise TrainingRefused("Cross-fitting is done by one process; start it without accelerate launch.")
    snapshot = read_snapshot(snapshot_dir)
    pairs = pair_set(snapshot, config.target, config.question)
    fold_of = assign_folds(pairs, snapshot.salt, folds)
    _claim(out_dir, {"snapshot_sha256": snapshot.info.sha256, "folds": folds, "config": config.as_dict()})
    found: dict[str, FoldPrediction] = {}
    for fold in range(1, folds + 1):
        place = out_dir / "folds" / f"{fold}"
        _write_fold(snapshot, pairs.question, {pair for pair, of in fold_of.items() if of == fold}, place / "snapshot")
        for prediction in _fold_predictions(config, fold, place, on_progress, should_stop, cache):
            found[prediction.pair] = prediction
    ordered = [found[pair] for pair in fold_of]
    _write_table(out_dir / PREDICTIONS, ordered)
    return ordered


def assign_folds(pairs: PairSet, salt: str, folds: int) -> dict[str, int]:
    """The fold of each training and validation pair, 1 to `folds`, in the set's order.

    Captions are dealt in the order of their hashes, as the split's. Raises `TrainingRefused` for comparisons, for a
    number of folds that is none, and where a fold has too few pairs to be judged.
    """
    if pairs.comparisons is not None:
        raise TrainingRefused("Cross-fitting is for ratings; this question was answered by comparing sounds.")
    if not 2 <= folds <= MOST_FOLDS:
        raise TrainingRefused(f"The number of folds must be from 2 to {MOST_FOLDS}, not {folds}.")
    learned = pairs.where(splits.TRAIN, splits.VALIDATION).tolist()
    captions = {splits.fold_caption(pairs.captions[number]) for number in learned}
    ordered = sorted(captions, key=lambda caption: (splits.hash_fraction(salt, "fold", caption), caption))
    fold_of_caption = {caption: place % folds + 1 for place, caption in enumerate(ordered)}
    found = {pairs.pairs[number]: fold_of_caption[splits.fold_caption(pairs.captions[number])] for number in learned}
    fewest = min(sum(fold == one for fold in found.values()) for one in range(1, folds + 1))
    if fewest < MIN_HELDOUT:
        raise TrainingRefused(
            f"The smallest of {folds} folds has {fewest} pairs, and at least {MIN_HELDOUT} are needed. Ask for fewer "
            "folds, or collect ratings for more captions."
        )
    return found


def _claim(out_dir: Path, settings: dict[str, Any]) -> None:
    """The directory is this run's: new, or begun with the same settings."""
    if (out_dir / PREDICTIONS).exists():
        raise TrainingRefused(f"{out_dir} already holds a finished run; name another directory.")
    place = out_dir / SETTINGS
    if place.exists() and json.loads(place.read_text(encoding="utf-8")) != settings:
        raise TrainingRefused(
            f"{out_dir} was begun with another snapshot, configuration or number of folds; name another."
        )
    out_dir.mkdir(parents=True, exist_ok=True)
    write_json(place, settings)


def _write_fold(snapshot: Snapshot, question: str, mine: set[str], directory: Path) -> None:
    """The training and validation ratings as a snapshot of its own that holds out these pairs."""
    if directory.exists():
        return
    write_snapshot(
        directory,
        test=snapshot.test,
        ratings=[
            dataclasses.replace(row, split=splits.HELDOUT if row.pair in mine else row.split)
            for row in snapshot.ratings
            if row.question == question and row.split in (splits.TRAIN, splits.VALIDATION)
        ],
        audio=snapshot.audio,
        scale_min=snapshot.scale_min,
        scale_max=snapshot.scale_max,
        salt=snapshot.salt,
        created=snapshot.created,
    )


def _fold_predictions(
    config: TrainingConfig,
    fold: int,
    place: Path,
    on_progress: Told | None,
    should_stop: Callable[[], bool] | None,
    cache: KeptArrays | None,
) -> list[FoldPrediction]:
    """Of the fold's own pairs; those of a finished fold are read back."""
    kept, run = place / "predictions.json", place / "run"
    if kept.exists():
        return [FoldPrediction(**values) for values in json.loads(kept.read_text(encoding="utf-8"))["predictions"]]
    # A run that was interrupted before its predictions were kept.
    if (run / REPORT).exists():
        shutil.rmtree(run)
    result = train(
        config,
        place / "snapshot",
        run,
        on_progress=None if on_progress is None else lambda progress: on_progress(fold, progress),
        should_stop=should_stop,
        cache=cache,
    )
    # Where a head is fitted, weights and cosine stay as they are, and `tuned_cosine` is a tenth of the score.
    is_head = result.judged == SCORE
    found = [
        FoldPrediction(one.pair, fold, one.base_cosine if is_head else one.tuned_cosine, one.tuned_score)
        for one in result.predictions
        if one.split == splits.HELDOUT
    ]
    write_json(kept, {"predictions": [asdict(one) for one in found]})
    # Weights of as many models as there are folds are much, and nobody asks for them.
    shutil.rmtree(result.model_dir, ignore_errors=True)
    return found


def _write_table(path: Path, predictions: Sequence[FoldPrediction]) -> None:
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in dataclasses.fields(FoldPrediction)])
        writer.writerows([one.pair, one.fold, repr(one.cosine), repr(one.score)] for one in predictions)
    draft.replace(path)
