"""A head on disk: what it is in `head.json`, its numbers in `head.safetensors`, beside the model's weights."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from modeling.heads.affine import Affine
from modeling.heads.head import Body, Head
from modeling.heads.mlp import Mlp
from modeling.heads.svr import Svr
from modeling.loading import ModelError
from modeling.metrics import Floats

HEAD, TENSORS = "head.json", "head.safetensors"
BODIES: dict[str, type[Affine | Mlp | Svr]] = {"affine": Affine, "mlp": Mlp, "svr": Svr}


def write_head(head: Head, model_dir: Path) -> None:
    numbers = {item.name: getattr(head.body, item.name) for item in fields(BODIES[head.policy])}
    tensors = {name: np.array(value, dtype=np.float64, order="C") for name, value in numbers.items()}
    save_file(tensors, model_dir / TENSORS)
    told = {
        "policy": head.policy,
        "residual_sd": head.residual_sd,
        "fitted_on": head.fitted_on,
        "n_pairs": head.n_pairs,
    }
    (model_dir / HEAD).write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_head(model_dir: Path, dim: int) -> Head | None:
    """The head beside the weights of a model with embeddings of `dim` numbers, or None where there is none.

    Raises `ModelError` where it cannot be read or was fitted on embeddings of another length.
    """
    path = model_dir / HEAD
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        body = _body(told.pop("policy"), load_file(model_dir / TENSORS))
        head = Head(policy=_policy(body), body=body, **told)
        _check(head)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, SafetensorError) as error:
        raise ModelError(f"{path} and {TENSORS} beside it cannot be read as a head: {error}") from error
    if head.body.dim not in (None, dim):
        raise ModelError(
            f"{path} was fitted on embeddings of {head.body.dim} numbers, and the model beside it makes {dim}; "
            "put back the head that was made with this model."
        )
    return head


def _body(policy: Any, tensors: dict[str, Floats]) -> Body:
    if policy not in BODIES:
        raise ValueError(f"there is no head called {policy!r}; there are {', '.join(BODIES)}.")
    wanted = {item.name for item in fields(BODIES[policy])}
    if set(tensors) != wanted:
        raise ValueError(f"it holds {', '.join(sorted(tensors))} where {', '.join(sorted(wanted))} are needed.")
    for name, value in tensors.items():
        if value.dtype != np.float64 or not np.isfinite(value).all():
            raise ValueError(f"{name} holds what is no finite number of 64 bits.")
    return BODIES[policy](**tensors)


def _policy(body: Body) -> str:
    return next(name for name, kind in BODIES.items() if isinstance(body, kind))


def _check(head: Head) -> None:
    """Raises ValueError where the numbers do not fit each other, before anything is scored with them."""
    for name in ("residual_sd", "n_pairs"):
        if not isinstance(getattr(head, name), int | float):
            raise ValueError(f"{name} must be a number, not {getattr(head, name)!r}.")
    nothing = np.zeros(head.body.dim or 1)
    if not np.isfinite(head.body.predict(nothing, nothing)):
        raise ValueError("it gives no number.")
