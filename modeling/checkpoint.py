"""What an interrupted run needs to go on: weights, best weights and optimiser state, in safetensors and JSON, never a
pickle.

Every epoch starts from a seed of its own (see `training`), so there is no random state to keep. A checkpoint is a
directory that is complete or does not exist; the newest one is read, and only when it belongs to the same config and
snapshot.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

STATE = "state.json"


@dataclass
class LoopState:
    """Where the loop stands after `epoch` epochs. `fingerprint` names the config and the snapshot it belongs to."""

    fingerprint: str
    epoch: int = 0
    best_epoch: int = 0
    best_srcc: float | None = None
    losses: list[float] = field(default_factory=list)
    validation: list[float | None] = field(default_factory=list)


Tensors = dict[str, torch.Tensor]


def weights_of(network: Any) -> Tensors:
    """A copy of the network's weights on the CPU."""
    return {name: value.detach().cpu().clone().contiguous() for name, value in network.state_dict().items()}


def save(folder: Path, state: LoopState, network: Any, best: Tensors, optimiser: torch.optim.Optimizer) -> None:
    """Write the checkpoint of `state.epoch` and remove the older ones."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"epoch-{state.epoch:05d}"
    draft = folder / f".{place.name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    save_file(weights_of(network), draft / "network.safetensors")
    save_file(best, draft / "best.safetensors")
    save_file(_optimiser_tensors(optimiser), draft / "optimiser.safetensors")
    (draft / STATE).write_text(json.dumps(asdict(state)), encoding="utf-8")
    shutil.rmtree(place, ignore_errors=True)
    draft.rename(place)
    for other in folder.iterdir():
        if other != place:
            shutil.rmtree(other)


def restore(
    folder: Path, fingerprint: str, network: Any, optimiser: torch.optim.Optimizer
) -> tuple[LoopState, Tensors] | None:
    """Load the newest checkpoint into network and optimiser; None where there is none of this config and snapshot."""
    places = sorted(folder.glob("epoch-*")) if folder.is_dir() else []
    if not places:
        return None
    state = LoopState(**json.loads((places[-1] / STATE).read_text(encoding="utf-8")))
    if state.fingerprint != fingerprint:
        return None
    network.load_state_dict(load_file(places[-1] / "network.safetensors"))
    _load_optimiser(optimiser, load_file(places[-1] / "optimiser.safetensors"))
    return state, load_file(places[-1] / "best.safetensors")


def _optimiser_tensors(optimiser: torch.optim.Optimizer) -> Tensors:
    return {
        f"{number}.{name}": value.detach().cpu().clone().contiguous()
        for number, values in optimiser.state_dict()["state"].items()
        for name, value in values.items()
    }


def _load_optimiser(optimiser: torch.optim.Optimizer, tensors: Tensors) -> None:
    full = optimiser.state_dict()
    for key, value in tensors.items():
        number, name = key.split(".", 1)
        full["state"].setdefault(int(number), {})[name] = value
    optimiser.load_state_dict(full)
