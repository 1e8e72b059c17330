"""mae: the absolute error of the cosine (Human-CLAP, arXiv 2506.23553)."""

from __future__ import annotations

import torch
from torch.nn import functional

from modeling.losses.batch import Batch


def mae(batch: Batch) -> torch.Tensor:
    """mean_i |cos_i - y_i| with y the human score on 0..1 (our reading, as in `mse`)."""
    return functional.l1_loss(batch.cosine, batch.target)
