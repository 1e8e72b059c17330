"""affine: a line through the cosine. It changes no order, and puts the cosine on the scale of the ratings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modeling.heads.examples import Examples
from modeling.metrics import Floats


@dataclass(frozen=True)
class Affine:
    """intercept + slope * cosine."""

    intercept: Floats
    slope: Floats

    @property
    def dim(self) -> int | None:
        return None

    def predict(self, sound: Floats, text: Floats) -> float:
        return float(self.intercept + self.slope * np.dot(sound, text))


def fit_affine(train: Examples) -> Affine:
    """Least squares; a slope below 0 or a constant cosine gives the plain mean."""
    cosine = train.cosine
    spread = float(np.var(cosine))
    slope = max(0.0, float(np.cov(cosine, train.target, bias=True)[0, 1]) / spread) if spread > 0 else 0.0
    return Affine(np.array(train.target.mean() - slope * cosine.mean()), np.array(slope))
