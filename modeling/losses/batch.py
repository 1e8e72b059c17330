"""What every loss sees of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch


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
