"""What an interrupted run needs to go on: tuned weights, best weights and optimiser state, in safetensors and JSON,
never a pickle.

Every epoch starts from a seed of its own (see `training`), so there is no random state to keep. A checkpoint is a
directory that is complete, and on the disk, or does not exist; the newest one is read, and only when it belongs to the
same config and snapshot.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

log = logging.getLogger(__name__)

STATE, NETWORK, BEST, OPTIMISER = "state.json", "network.safetensors", "best.safetensors", "optimiser.safetensors"


@dataclass
class LoopState:
    """Where the loop stands: after `epoch` epochs and `step` steps of the next, whose losses are `step_losses`.

    `fingerprint` names the config and the snapshot it belongs to. `losses` has the mean of each epoch, `validation`
    what each epoch is chosen by, `best` the best of it.
    """

    fingerprint: str
    epoch: int = 0
    step: int = 0
    best_epoch: int = 0
    best: float | None = None
    losses: list[float] = field(default_factory=list)
    step_losses: list[float] = field(default_factory=list)
    validation: list[float | None] = field(default_factory=list)


Tensors = dict[str, torch.Tensor]


def copy_of(weights: Mapping[str, torch.Tensor]) -> Tensors:
    """A copy on the CPU."""
    return {name: value.detach().cpu().clone().contiguous() for name, value in weights.items()}


def put_back(weights: Mapping[str, torch.Tensor], kept: Tensors) -> None:
    """Give `weights` the values of `kept`, which has the same names."""
    with torch.no_grad():
        for name, value in weights.items():
            value.copy_(kept[name])


def save(
    folder: Path,
    state: LoopState,
    weights: Mapping[str, torch.Tensor],
    best: Tensors,
    optimiser: torch.optim.Optimizer,
) -> bool:
    """Write the checkpoint of `state` and remove the older ones.

    Where it cannot be written (the disk is full) a warning says so, the older one stays, and the answer is False.
    """
    place = folder / f"epoch-{state.epoch:05d}-step-{state.step:06d}"
    draft = folder / f".{place.name}.draft"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        save_file(copy_of(weights), draft / NETWORK)
        save_file(best, draft / BEST)
        save_file(_optimiser_tensors(optimiser), draft / OPTIMISER)
        (draft / STATE).write_text(json.dumps(asdict(state)), encoding="utf-8")
        for path in (*draft.iterdir(), draft):
            _sync(path)
        shutil.rmtree(place, ignore_errors=True)
        draft.rename(place)
        _sync(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(draft, ignore_errors=True)
        log.warning("The checkpoint %s cannot be written: %s. Training goes on; free some space.", place, error)
        return False
    for other in (*folder.glob("epoch-*"), *folder.glob(".epoch-*")):
        if other != place:
            shutil.rmtree(other, ignore_errors=True)
    return True


def newest(folder: Path) -> Path | None:
    """The newest checkpoint's directory; None where there is none."""
    return max(folder.glob("epoch-*"), default=None) if folder.is_dir() else None


def restore(
    folder: Path, fingerprint: str, weights: Mapping[str, torch.Tensor], optimiser: torch.optim.Optimizer
) -> tuple[LoopState, Tensors] | None:
    """Load the newest checkpoint into weights and optimiser; None where there is none of this config and snapshot.

    One that another version of Earmark left is none.
    """
    place = newest(folder)
    if place is None:
        return None
    values = json.loads((place / STATE).read_text(encoding="utf-8"))
    if values["fingerprint"] != fingerprint:
        return None
    state = LoopState(**values)
    put_back(weights, load_file(place / NETWORK))
    _load_optimiser(optimiser, load_file(place / OPTIMISER))
    return state, load_file(place / BEST)


def _sync(path: Path) -> None:
    """Wait until a file or directory is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
