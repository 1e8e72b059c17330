"""The tuned model as a directory that plain transformers opens, with its calibration beside it."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

from modeling import splits
from modeling.config import TrainingConfig
from modeling.dataset import PairSet
from modeling.heads import write_head
from modeling.licences import CARD
from modeling.metrics import Floats
from modeling.model import Clap
from modeling.model_card import base_of, own_name
from modeling.provenance import Provenance, provenance_of, write_provenance
from modeling.scoring import Calibration, fit_calibration, write_calibration
from modeling.snapshot import Snapshot
from modeling.training.outcome import Outcome
from modeling.training.validation import MIN_VALIDATION

MODEL = "model"


def calibrate(pairs: PairSet, tuned: Floats) -> Calibration:
    """On the validation pairs, which the weights have not seen; on training pairs too where those are too few."""
    chosen, fitted_on = pairs.where(splits.VALIDATION), "validation"
    if len(chosen) < MIN_VALIDATION:
        chosen, fitted_on = pairs.where(splits.TRAIN, splits.VALIDATION), "train and validation"
    return fit_calibration(tuned[chosen], pairs.human_mean[chosen], fitted_on)


def trained_on(pairs: PairSet, snapshot: Snapshot, config: TrainingConfig, clap: Clap) -> Provenance:
    """What the tuned model has learned from, its base's own provenance included."""
    base = base_of(clap.name, config)
    return dataclasses.replace(provenance_of(pairs, snapshot, base), base_model=own_name(base))


def publish_model(clap: Clap, outcome: Outcome, card: str, provenance: Provenance, out_dir: Path) -> None:
    """Write the model directory beside its place and rename it there; `card` is its README.md.

    Where a head was fitted, it stands in the calibration's place.
    """
    draft, place = out_dir / f".{MODEL}.draft", out_dir / MODEL
    for old in (draft, place):
        shutil.rmtree(old, ignore_errors=True)
    draft.mkdir(parents=True)
    clap.save(draft)
    if outcome.head is None:
        write_calibration(outcome.calibration, draft)
    else:
        write_head(outcome.head, draft)
    write_provenance(provenance, draft)
    (draft / CARD).write_text(card, encoding="utf-8")
    for path in draft.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    draft.rename(place)
