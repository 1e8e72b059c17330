"""mse: the squared error of the cosine (Human-CLAP, arXiv 2506.23553)."""

from __future__ import annotations

import torch
from torch.nn import functional

from modeling.losses.batch import Batch


def mse(batch: Batch) -> torch.Tensor:
    """mean_i (cos_i - y_i)^2 with y the human score on 0..1 (our reading: the raw cosine, not clipped or rescaled)."""
    return functional.mse_loss(batch.cosine, batch.target)
