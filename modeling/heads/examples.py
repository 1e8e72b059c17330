"""What a head learns from, and what it is told of a pair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modeling.metrics import Floats


@dataclass(frozen=True)
class Examples:
    """n pairs: unit embeddings of clips and captions, shape (n, dim), targets on 0..10, shape (n,), folded captions."""

    sounds: Floats
    texts: Floats
    target: Floats
    captions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.target)

    @property
    def cosine(self) -> Floats:
        """Cosine of each pair, shape (n,)."""
        return np.asarray((self.sounds * self.texts).sum(axis=1))

    @property
    def features(self) -> Floats:
        """What `pair_features` says of each pair, shape (n, 4 dim + 1)."""
        return pair_features(self.sounds, self.texts)


def pair_features(sounds: Floats, texts: Floats) -> Floats:
    """[clip, caption, |clip - caption|, clip * caption, cosine], shape (..., 4 dim + 1), of unit embeddings (..., dim).

    Differences and products by element are how sentence pairs are told to a classifier (InferSent, Conneau et al. 2017,
    arXiv 1705.02364); the XACLE systems tell the embeddings themselves and some of their distances.
    """
    product = sounds * texts
    return np.concatenate(
        [sounds, texts, np.abs(sounds - texts), product, product.sum(axis=-1, keepdims=True)], axis=-1
    )


def centre_and_spread(features: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each feature, shape (features,); 1 where a feature is constant."""
    spread = features.std(axis=0)
    return features.mean(axis=0), np.where(spread > 0, spread, 1.0)
