"""The gradient of one batch: each distinct clip and caption goes through its tower once, in chunks and in shares.

Losses see a whole batch, so its gradient is taken in two parts: of the loss at the embeddings, and from there down the
towers (GradCache, Gao et al. 2021, arXiv 2101.06983). The second part knows no batch. It can go chunk by chunk, each
embedded again, with no more memory than a chunk needs; and each process of a team can go down with its own share, the
loss having been taken by all of them on all embeddings. Either way it is the gradient of the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch

from modeling.losses import Batch, weighted_sum
from modeling.model import Clap
from modeling.training.material import Material
from modeling.training.team import Team
from modeling.training.towers import Towers

Embed = Callable[[Sequence[int]], torch.Tensor]
Numbers = npt.NDArray[np.int64]


class Side:
    """The embeddings of a batch's distinct clips, or of its distinct captions, as leaves to take a gradient at."""

    def __init__(self, embed: Embed, items: Numbers, chunk_size: int, team: Team, empty: torch.Tensor) -> None:
        """`empty` is a tensor of no rows, of the embeddings' width, type and device."""
        self.embed, self.share = embed, team.share(len(items))
        mine: list[int] = items[self.share].tolist()
        size = chunk_size or len(items)
        self.chunks = [mine[start : start + size] for start in range(0, len(mine), size)]
        with torch.set_grad_enabled(torch.is_grad_enabled() and len(self.chunks) == 1):
            self.graphs = [embed(chunk) for chunk in self.chunks]
        leaves = empty.new_zeros(len(items), empty.shape[1])
        leaves[self.share] = torch.cat([empty, *self.graphs]).detach()
        self.leaves = team.sum(leaves).requires_grad_(torch.is_grad_enabled())

    def backward(self) -> None:
        """Go down the tower with this process's share of the gradient at the leaves."""
        assert self.leaves.grad is not None  # noqa: S101 -- every loss compares embeddings
        start = self.share.start
        for chunk in self.chunks:
            embedded = self.graphs[0] if len(self.chunks) == 1 else self.embed(chunk)
            torch.autograd.backward(embedded, self.leaves.grad[start : start + len(chunk)])
            start += len(chunk)


def embed_batch(
    clap: Clap, towers: Towers, material: Material, numbers: Numbers, chunk_size: int = 0, team: Team | None = None
) -> tuple[Batch, Side, Side]:
    """What the losses see of the pairs `numbers`, and its two sides: clips and captions."""
    pairs, team = material.pairs, team or Team()
    clips, clip = np.unique(pairs.clip[numbers], return_inverse=True)
    captions, caption = np.unique(material.caption[numbers], return_inverse=True)
    empty = torch.empty(0, clap.network.config.projection_dim, device=clap.device)
    sounds = Side(towers.sounds, clips, chunk_size, team, empty)
    texts = Side(towers.texts, captions, chunk_size, team, empty)
    clip_number, caption_number = (torch.as_tensor(v, device=clap.device) for v in (clip, caption))
    batch = Batch(
        sounds=sounds.leaves[clip_number],
        texts=texts.leaves[caption_number],
        target=torch.as_tensor(pairs.target[numbers] / 10, dtype=torch.float32, device=clap.device),
        clip=clip_number,
        caption=caption_number,
        scale_audio=clap.network.logit_scale_a.exp(),
        scale_text=clap.network.logit_scale_t.exp(),
    )
    return batch, sounds, texts


def take_gradient(
    clap: Clap,
    towers: Towers,
    material: Material,
    numbers: Numbers,
    losses: Mapping[str, float],
    chunk_size: int = 0,
    team: Team | None = None,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Add the gradient of the weighted losses of a batch to the tuned parameters; returns the loss and its terms."""
    team = team or Team()
    batch, sounds, texts = embed_batch(clap, towers, material, numbers, chunk_size, team)
    loss, terms = weighted_sum(batch, losses)
    loss.backward()  # type: ignore[no-untyped-call]
    sounds.backward()
    texts.backward()
    if team.size > 1:
        _sum_gradients(clap, team)
    return loss.detach(), {name: term.detach() for name, term in terms.items()}


def _sum_gradients(clap: Clap, team: Team) -> None:
    """Each process went down the towers with its share; the logit scales, above them, each took whole."""
    for name, parameter in clap.network.named_parameters():
        if parameter.requires_grad:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            if name.startswith("logit_scale"):
                parameter.grad /= team.size
            team.sum(parameter.grad)
