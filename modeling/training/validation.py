"""What epochs are chosen by."""

from __future__ import annotations

import numpy as np
import torch

from modeling import metrics, splits
from modeling.config import TrainingConfig
from modeling.model import Clap
from modeling.results import DIVERGED, TrainingRefused
from modeling.training.batches import n_batches
from modeling.training.gradient import embed_batch
from modeling.training.material import Material
from modeling.training.team import Team
from modeling.training.towers import Towers
from modeling.training.watch import Watch

# Below this many validation pairs an SRCC is noise: then nothing is selected by it and the last epoch's weights are
# taken.
MIN_VALIDATION = 20


def validate(
    clap: Clap, towers: Towers, material: Material, config: TrainingConfig, watch: Watch, team: Team
) -> float | None:
    """What epochs are chosen by, from the validation pairs; None where they are too few to say anything.

    It is the SRCC with people's scores, or the agreement with their choices where they compared.
    """
    pairs = material.pairs
    chosen = pairs.where(splits.VALIDATION)
    if len(chosen) < MIN_VALIDATION:
        return None
    cosines = np.full(len(pairs.pairs), np.nan)
    for numbers in np.array_split(chosen, n_batches(len(chosen), config.batch_size)):
        with torch.inference_mode():
            batch, _, _ = embed_batch(clap, towers, material, numbers, config.chunk_size, team)
            cosines[numbers] = batch.cosine.double().cpu().numpy()
        watch.tick(len(numbers))
    if not np.isfinite(cosines[chosen]).all():
        raise TrainingRefused(DIVERGED)
    if pairs.comparisons is None:
        watch.validation = metrics.srcc(cosines[chosen], pairs.human_mean[chosen])
    else:
        some = pairs.comparisons.where(splits.VALIDATION)
        watch.validation = metrics.choice_agreement(cosines[some.first] - cosines[some.second], some.won)
    return watch.validation
