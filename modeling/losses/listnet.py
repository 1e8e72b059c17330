"""listnet: the chance of standing first in the batch should be as people's scores have it.

Source: ListNet's top-one probabilities (Cao et al. 2007, "Learning to rank: from pairwise approach to listwise
approach"), which the third of the first XACLE challenge trained with (arXiv 2602.00604). Our reading: one list is one
batch, and both sides have the temperature .1, since cosines and scores on 0..1 differ too little for one of 1.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from modeling.losses.batch import Batch

TEMPERATURE = 0.1


def listnet(batch: Batch) -> torch.Tensor:
    """-sum_i p_i log q_i with p = softmax(y / T) and q = softmax(cos / T) over the batch, y on 0..1."""
    return functional.cross_entropy(batch.cosine / TEMPERATURE, functional.softmax(batch.target / TEMPERATURE, dim=0))
