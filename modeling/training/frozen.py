"""A head instead of tuned weights: the towers run once, and a head is fitted to what they say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from modeling import splits
from modeling.config import TrainingConfig
from modeling.dataset import PairSet
from modeling.embeddings import cosine, snapshot_embeddings
from modeling.heads import Examples, fit_head
from modeling.kept_arrays import KeptArrays
from modeling.metrics import Floats
from modeling.model import Clap, cpu_threads
from modeling.scoring import Calibration
from modeling.snapshot import Snapshot
from modeling.training.outcome import Outcome
from modeling.training.validation import MIN_VALIDATION
from modeling.training.watch import Watch


def fit_on_frozen(
    clap: Clap, config: TrainingConfig, snapshot: Snapshot, pairs: PairSet, cache: KeptArrays, watch: Watch
) -> Outcome:
    """Fit the head of `config.policy` on the training pairs. Raises `TrainingRefused` naming a bad clip."""
    sounds, texts = snapshot_embeddings(clap, snapshot, pairs.clips, pairs.clip, pairs.captions, watch.tick, cache)
    watch.begin("training")
    shown = pairs.where(splits.VALIDATION)
    if len(shown) < MIN_VALIDATION:
        shown = shown[:0]
    train = _examples(pairs, pairs.where(splits.TRAIN), pairs.target, sounds, texts)
    validation = _examples(pairs, shown, pairs.human_mean, sounds, texts)
    with cpu_threads(config.cpu_threads):
        head = fit_head(config.policy, train, validation, seed=config.seed, tick=lambda: watch.tick(0))
    # A tenth of the score stands where a cosine does, and is calibrated by ten.
    ten = Calibration(0.0, 10.0, head.residual_sd, head.fitted_on, head.n_pairs)
    return Outcome(cosine(sounds, texts), head.score(sounds, texts) / 10, ten, head)


def _examples(
    pairs: PairSet, numbers: npt.NDArray[np.int64], target: Floats, sounds: Floats, texts: Floats
) -> Examples:
    captions = tuple(splits.fold_caption(pairs.captions[number]) for number in numbers)
    return Examples(sounds[numbers], texts[numbers], target[numbers], captions)
