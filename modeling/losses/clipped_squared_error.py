"""clipped_mse: the squared error of the cosine where it is large enough to matter.

Source: the clipped MSE of MOS predictors (MBNet, Leng et al. 2021, arXiv 2103.00110), as the baseline of the first
XACLE challenge uses it. Its tolerance is read from that baseline's configuration: .25 on scores of -1..1, so .125 here.
"""

from __future__ import annotations

import torch

from modeling.losses.batch import Batch

TOLERANCE = 0.125


def clipped_mse(batch: Batch) -> torch.Tensor:
    """mean_i [|cos_i - y_i| > tolerance] (cos_i - y_i)^2 with y the human score on 0..1."""
    error = batch.cosine - batch.target
    return (error.square() * (error.abs() > TOLERANCE)).mean()
