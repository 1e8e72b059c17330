"""What training on human scores minimises: losses by name, one module each, and their weighted sums.

Human-CLAP (Takano et al., arXiv 2506.23553) names its variants by these losses and reports wsce + mae as the best. Its
exact formulas could not be read; what is ours is said at each loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from modeling.losses.absolute_error import mae
from modeling.losses.batch import Batch
from modeling.losses.clipped_squared_error import clipped_mse
from modeling.losses.listnet import listnet
from modeling.losses.pairwise_difference import pairwise
from modeling.losses.squared_error import mse
from modeling.losses.weighted_cross_entropy import wsce

__all__ = ["LOSSES", "Batch", "clipped_mse", "listnet", "mae", "mse", "pairwise", "weighted_sum", "wsce"]

LOSSES: dict[str, Callable[[Batch], torch.Tensor]] = {
    "mse": mse,
    "mae": mae,
    "wsce": wsce,
    "clipped_mse": clipped_mse,
    "pairwise": pairwise,
    "listnet": listnet,
}


def weighted_sum(batch: Batch, weights: Mapping[str, float]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The sum of weight times loss, and the named terms before weighting."""
    terms = {name: LOSSES[name](batch) for name in weights}
    total = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()
    return total, terms
