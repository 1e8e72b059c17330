"""A fitted head: from the embeddings of a clip and a caption to a score on 0..10."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from modeling.metrics import Floats


class Body(Protocol):
    """The arithmetic of a head; its fields are arrays of float64, and all that it knows."""

    @property
    def dim(self) -> int | None:
        """The length of the embeddings that it was fitted on; None where any will do."""

    def predict(self, sound: Floats, text: Floats) -> float:
        """The score, not yet clipped to 0..10, of unit embeddings of shape (dim,)."""


@dataclass(frozen=True)
class Head:
    """`residual_sd` is the standard deviation, in points of 0..10, of what the score leaves unexplained.

    It was measured on the `n_pairs` pairs of `fitted_on`: "validation", or "train" where there were too few of these.
    """

    policy: str
    body: Body
    residual_sd: float
    fitted_on: str
    n_pairs: int

    def score(self, sounds: Floats, texts: Floats) -> Floats:
        """Scores on 0..10, shape (n,), of unit embeddings (n, dim).

        Each pair is computed alone, so that its bits do not depend on the others.
        """
        found = [self.body.predict(sound, text) for sound, text in zip(sounds, texts, strict=True)]
        return np.clip(np.array(found, dtype=np.float64), 0.0, 10.0)
