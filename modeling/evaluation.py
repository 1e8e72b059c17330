"""A model's cosines on a snapshot, and its report beside another's: what training and `evaluate` share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from modeling import agreement, splits
from modeling.audio import AudioError, load
from modeling.dataset import PairSet
from modeling.metrics import Floats, MetricValue
from modeling.model import Clap
from modeling.results import TrainingRefused
from modeling.scoring import caption_embedding, clip_embedding, cosine
from modeling.snapshot import Snapshot

Tick = Callable[[], None]


def read_mels(clap: Clap, snapshot: Snapshot, clips: Sequence[str], tick: Tick = lambda: None) -> list[torch.Tensor]:
    """Log-mel windows of each clip, made once and kept for the run. Raises `TrainingRefused` naming a bad clip."""
    mels = []
    for sha256 in clips:
        try:
            mels.append(clap.log_mel(load(snapshot.audio[sha256], clap.log_mel.sample_rate)))
        except AudioError as error:
            raise TrainingRefused(f"A clip of the snapshot cannot be used: {error}") from error
        tick()
    return mels


def pair_cosines(
    clap: Clap,
    clip: npt.NDArray[np.int64],
    captions: Sequence[str],
    mels: Sequence[torch.Tensor],
    tick: Tick = lambda: None,
) -> Floats:
    """Cosine of every pair; `clip` numbers its clip among `mels`. Clips and captions are embedded once and alone."""
    sounds = []
    for mel in mels:
        sounds.append(clip_embedding(clap, mel))
        tick()
    texts = {caption: caption_embedding(clap, caption) for caption in dict.fromkeys(captions)}
    cosines = [cosine(sounds[number], texts[caption]) for number, caption in zip(clip, captions, strict=True)]
    return np.array(cosines, dtype=np.float64)


def people(pairs: PairSet) -> tuple[MetricValue, MetricValue]:
    """One rating against the rest, and the ceiling, on the held-out pairs.

    The ceiling takes its variances from all the snapshot's study ratings, which say more about raters than the held-out
    part alone, and the held-out pairs' own numbers of ratings.
    """
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


def values_as_json(values: dict[str, MetricValue]) -> dict[str, dict[str, float | int | None]]:
    return {name: value.as_dict() for name, value in values.items()}
