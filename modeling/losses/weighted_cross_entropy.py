"""wsce: CLAP's symmetric cross-entropy, each pair weighted by its human score (Human-CLAP, arXiv 2506.23553)."""

from __future__ import annotations

import torch
from torch.nn import functional

from modeling.losses.batch import Batch


def wsce(batch: Batch) -> torch.Tensor:
    """Symmetric cross-entropy of CLAP with each pair weighted by its human score on 0..1.

        sum_i y_i (CE_i over captions + CE_i over clips) / 2  /  sum_i y_i,
        CE_i over captions = -log( exp(s cos(a_i, t_i)) / sum_j exp(s cos(a_i, t_j)) )

    and over clips likewise with rows and columns exchanged. Source: "symmetric cross-entropy with each pair weighted by
    its normalised human score" (Human-CLAP); CE as in CLIP (arXiv 2103.00020). Our reading: normalised means divided by
    10 and by the batch's sum, so that the loss does not grow with the scores; and j runs over i itself and the pairs
    that share neither clip nor caption with it, because another recording of the same caption is no negative. 0 where
    all scores are 0.
    """
    own = torch.eye(len(batch.target), dtype=torch.bool, device=batch.target.device)
    shared = (batch.clip[:, None] == batch.clip) | (batch.caption[:, None] == batch.caption)
    cosines = batch.sounds @ batch.texts.T
    place = torch.arange(len(cosines), device=cosines.device)
    # Masked after scaling: the scale's gradient would be 0 times infinity.
    logits = [
        (scale * side).masked_fill(shared & ~own, -torch.inf)
        for scale, side in ((batch.scale_audio, cosines), (batch.scale_text, cosines.T))
    ]
    over_captions, over_clips = (functional.cross_entropy(side, place, reduction="none") for side in logits)
    weighted = (batch.target * (over_captions + over_clips) / 2).sum()
    return weighted / batch.target.sum().clamp(min=torch.finfo(weighted.dtype).tiny)
