"""What is tried: the preset of the built-in model with one setting changed at a time, and with fewer ratings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT = "default"
CURVE = (250, 500, 1_000, 2_000, 4_000)


@dataclass(frozen=True)
class Recipe:
    """`table` is where its row stands, `changes` are laid over the preset; `ratings` is how many there are, 0: all."""

    table: str
    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    ratings: int = 0


def _losses(**weights: float) -> Recipe:
    name = " + ".join(loss if weight == 1 else f"{weight:g} {loss}" for loss, weight in weights.items())
    return Recipe("losses", name, {"losses": weights})


def _one(table: str, setting: str, value: str) -> Recipe:
    return Recipe(table, value, {setting: value})


RECIPES = (
    Recipe("losses", DEFAULT),
    _losses(mae=1),
    _losses(mse=1),
    _losses(wsce=1),
    *(_one("targets", "target", name) for name in ("mean", "zscore", "weighted")),
    _losses(wsce=1, mae=1),
    _losses(clipped_mse=1, pairwise=0.25),
    _losses(mse=1, pairwise=0.15),
    _losses(listnet=1),
    _losses(pairwise=1),
    _losses(clipped_mse=1),
    _losses(mse=1, wsce=0.1),
    _losses(mae=1, listnet=0.1),
    *(Recipe("curve", f"{n:,} ratings", ratings=n) for n in CURVE),
    *(_one("policies", "policy", name) for name in ("last-stages", "lora")),
    *(_one("heads", "policy", name) for name in ("affine", "mlp", "svr")),
)
