"""What training on human scores minimises: mse, mae, wsce, and their weighted sums.

Human-CLAP (Takano et al., arXiv 2506.23553) names its variants by these losses and reports wsce + mae as the best. Its
exact formulas could not be read; what is ours is said at each loss. Every loss is a mean over the batch's pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch.nn import functional


@dataclass(frozen=True)
class Batch:
    """What the losses see of n pairs of a batch.

    `sounds` and `texts` are unit embeddings by pair, shape (n, dim). `target` is the human score divided by 10, shape
    (n,), in 0..1. `clip` and `caption` number each pair's clip and caption, shape (n,). `scale_audio` and `scale_text`
    are the model's logit scales, already exponentiated.
    """

    sounds: torch.Tensor
    texts: torch.Tensor
    target: torch.Tensor
    clip: torch.Tensor
    caption: torch.Tensor
    scale_audio: torch.Tensor
    scale_text: torch.Tensor

    @property
    def cosine(self) -> torch.Tensor:
        """Cosine of each pair, shape (n,)."""
        return (self.sounds * self.texts).sum(dim=-1)


def mse(batch: Batch) -> torch.Tensor:
    """mean_i (cos_i - y_i)^2 with y the human score on 0..1 (our reading: the raw cosine, not clipped or rescaled)."""
    return functional.mse_loss(batch.cosine, batch.target)


def mae(batch: Batch) -> torch.Tensor:
    """mean_i |cos_i - y_i| with y the human score on 0..1 (our reading, as in `mse`)."""
    return functional.l1_loss(batch.cosine, batch.target)


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


LOSSES: dict[str, Callable[[Batch], torch.Tensor]] = {"mse": mse, "mae": mae, "wsce": wsce}


def weighted_sum(batch: Batch, weights: Mapping[str, float]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The sum of weight times loss, and the named terms before weighting."""
    terms = {name: LOSSES[name](batch) for name in weights}
    total = torch.stack([weight * terms[name] for name, weight in weights.items()]).sum()
    return total, terms
