"""pairwise: differences between pairs should be as large as between their human scores.

Source: the contrastive loss of UTMOS (Saeki et al. 2022, arXiv 2204.02152), as the baseline of the first XACLE
challenge and SPO-CLAPScore (arXiv 2601.02900) use it. The margin is read from the baseline's configuration, .1 on
scores of -1..1, so .05 here; the half is read from both.
"""

from __future__ import annotations

import torch

from modeling.losses.batch import Batch

MARGIN = 0.05


def pairwise(batch: Batch) -> torch.Tensor:
    """mean_ij max(0, |(cos_i - cos_j) - (y_i - y_j)| - margin) / 2 over all i and j of the batch, y on 0..1."""
    # The difference of differences is the difference of the errors.
    error = batch.cosine - batch.target
    return (error[:, None] - error).abs().sub(MARGIN).clamp(min=0).mean() / 2
