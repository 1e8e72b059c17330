"""A head of a policy fitted on training pairs, its spread measured on validation pairs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from modeling.heads.affine import fit_affine
from modeling.heads.examples import Examples
from modeling.heads.head import Body, Head
from modeling.heads.mlp import fit_mlp
from modeling.heads.svr import fit_svr


def fit_head(
    policy: str, train: Examples, validation: Examples, *, seed: int, tick: Callable[[], None] = lambda: None
) -> Head:
    """The head of `policy`, one of `modeling.config.HEAD_POLICIES`.

    Without validation pairs the spread is that of the training pairs, and too small. `tick` is called now and then;
    what it raises ends the fit.
    """
    body = _body(policy, train, validation, seed, tick)
    measured, fitted_on = (validation, "validation") if len(validation) else (train, "train")
    draft = Head(policy, body, 0.0, fitted_on, len(measured))
    residual = measured.target - draft.score(measured.sounds, measured.texts)
    return Head(policy, body, float(np.sqrt(np.mean(residual**2))), fitted_on, len(measured))


def _body(policy: str, train: Examples, validation: Examples, seed: int, tick: Callable[[], None]) -> Body:
    if policy == "affine":
        return fit_affine(train)
    if policy == "mlp":
        return fit_mlp(train, validation, seed, tick)
    return fit_svr(train, tick)
