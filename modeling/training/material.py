"""What a run trains on, numbered once: pairs, their distinct captions, and what of clips and captions is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from modeling import splits
from modeling.dataset import PairSet
from modeling.model import Clap


@dataclass(frozen=True)
class Material:
    """Pairs with the log-mel windows of their distinct clips and the token ids of their distinct captions.

    `mels` are in the order of `pairs.clips`; `caption` numbers each pair's caption among `captions` and `tokens`.
    Captions that differ in case and spaces alone are one, in the spelling that comes first.
    """

    pairs: PairSet
    mels: Sequence[torch.Tensor]
    captions: tuple[str, ...]
    tokens: Sequence[Sequence[int]]
    caption: npt.NDArray[np.int64]

    @classmethod
    def of(cls, clap: Clap, pairs: PairSet, mels: Sequence[torch.Tensor]) -> Material:
        folded = [splits.fold_caption(caption) for caption in pairs.captions]
        first: dict[str, str] = {}
        for caption, spelled in zip(folded, pairs.captions, strict=True):
            first.setdefault(caption, spelled)
        place, captions = {caption: number for number, caption in enumerate(first)}, tuple(first.values())
        return cls(
            pairs=pairs,
            mels=mels,
            captions=captions,
            tokens=[clap.tokens(caption) for caption in captions],
            caption=np.array([place[caption] for caption in folded], dtype=np.int64),
        )

    def learned_from(self) -> npt.NDArray[np.int64]:
        """Numbers of the pairs that are trained on or that epochs are chosen by."""
        return self.pairs.where(splits.TRAIN, splits.VALIDATION)
