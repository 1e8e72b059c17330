"""The one visible loop: from batches to the weights that agree best with people on the validation pairs."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from modeling import checkpoint, splits
from modeling.checkpoint import LoopState
from modeling.config import TrainingConfig
from modeling.model import Clap
from modeling.results import DIVERGED, MeasuredPoint, TrainingCancelled, TrainingRefused
from modeling.training.batches import epoch_batches, n_batches
from modeling.training.gradient import take_gradient
from modeling.training.logs import Logs
from modeling.training.material import Material
from modeling.training.optimiser import new_optimiser, set_rates, take_step
from modeling.training.policies import tuned_parameters
from modeling.training.team import Team
from modeling.training.towers import Towers
from modeling.training.validation import validate
from modeling.training.watch import STEP_COST, Watch, epoch_units

# With the time that writing takes, no more than 5 minutes of work are ever lost.
SAVE_EVERY_S = 240.0


@dataclass(frozen=True)
class Places:
    """Where a run's checkpoints and logs go, and how often a checkpoint is written inside an epoch."""

    checkpoints: Path
    logs: Path
    save_every_s: float = SAVE_EVERY_S


def tune(
    clap: Clap,
    config: TrainingConfig,
    material: Material,
    towers: Towers,
    places: Places,
    fingerprint: str,
    watch: Watch,
    team: Team,
) -> LoopState:
    """The loop. Leaves the best weights in the network, by the validation pairs, never the held-out ones.

    The untuned weights stand as epoch 0 and are kept where no epoch agrees better with people than they do. A
    checkpoint is written after every epoch, inside one after `places.save_every_s` seconds, and where the run is
    cancelled: then it holds every step that was taken.
    """
    weights, optimiser = tuned_parameters(clap.network), new_optimiser(clap.network, config)
    pairs = material.pairs
    train_pairs = pairs.where(splits.TRAIN)
    steps_per_epoch = n_batches(len(train_pairs), config.batch_size)
    resumed = checkpoint.restore(places.checkpoints, fingerprint, weights, optimiser)
    state, best = resumed if resumed else (LoopState(fingerprint), checkpoint.copy_of(weights))
    done = state.epoch * steps_per_epoch + state.step
    watch.skip(state.epoch * epoch_units(pairs))
    saver = Saver(places, team, weights, optimiser, first_step=done + 1 if resumed else 0)
    total = config.epochs * steps_per_epoch
    with closing(saver.logs):
        if resumed is None:
            state.best = validate(clap, towers, material, config, watch, team)
            saver.logs.write(0, _validation(state.best))
            watch.measured(MeasuredPoint(0, total, 0, config.epochs, validation=state.best))
        try:
            while state.epoch < config.epochs and state.epoch - state.best_epoch < config.patience:
                batches = epoch_batches(train_pairs, pairs.clip, config.batch_size, config.seed, state.epoch)
                watch.skip(STEP_COST * sum(map(len, batches[: state.step])))
                for numbers in batches[state.step :]:
                    rates = set_rates(optimiser, config, done, total)
                    loss, terms = take_gradient(clap, towers, material, numbers, config.losses, config.chunk_size, team)
                    take_step(optimiser)
                    state.step_losses.append(_finite(loss))
                    done, state.step = done + 1, state.step + 1
                    watch.loss = state.step_losses[-1]
                    saver.logs.write(done, _step_values(watch.loss, terms, rates))
                    watch.measured(MeasuredPoint(done, total, state.epoch, config.epochs, loss=watch.loss))
                    watch.tick(STEP_COST * len(numbers))
                    if state.step < len(batches) and saver.due():
                        saver.save(state, best)
                found = validate(clap, towers, material, config, watch, team)
                saver.logs.write(done, _validation(found))
                last_loss = state.step_losses[-1]
                if _is_best_epoch(state, found):
                    best = checkpoint.copy_of(weights)
                watch.measured(MeasuredPoint(done, total, state.epoch, config.epochs, last_loss, found))
                saver.save(state, best)
        except TrainingCancelled:
            saver.save(state, best)
            raise
    checkpoint.put_back(weights, best)
    watch.skip(watch.total - watch.done - len(pairs.clips))
    return state


def _is_best_epoch(state: LoopState, found: float | None) -> bool:
    """Ends the epoch in the state; whether it agrees best so far. The latest does while nothing could be measured; one
    that gives every pair the same cosine does not.
    """
    state.losses.append(float(np.mean(state.step_losses)))
    state.epoch, state.step, state.step_losses = state.epoch + 1, 0, []
    state.validation.append(found)
    is_best = state.best is None or (found is not None and found > state.best)
    if is_best:
        state.best_epoch, state.best = state.epoch, found
    return is_best


class Saver:
    """Writes checkpoints and logs, in the process that leads."""

    def __init__(
        self,
        places: Places,
        team: Team,
        weights: Mapping[str, torch.Tensor],
        optimiser: torch.optim.Optimizer,
        first_step: int,
    ) -> None:
        self.places, self.leads, self.weights, self.optimiser = places, team.leads, weights, optimiser
        self.logs = Logs(places.logs if team.leads else None, first_step)
        self.saved_at = time.monotonic()

    def due(self) -> bool:
        return time.monotonic() - self.saved_at >= self.places.save_every_s

    def save(self, state: LoopState, best: checkpoint.Tensors) -> None:
        if self.leads:
            self.logs.flush()
            checkpoint.save(self.places.checkpoints, state, self.weights, best, self.optimiser)
            self.saved_at = time.monotonic()


def _step_values(loss: float, terms: Mapping[str, torch.Tensor], rates: Mapping[str, float]) -> dict[str, float]:
    return {
        "loss/sum": loss,
        **{f"loss/{name}": term.item() for name, term in terms.items()},
        **{f"rate/{name}": rate for name, rate in rates.items()},
    }


def _validation(found: float | None) -> dict[str, float]:
    return {} if found is None else {"validation/agreement": found}


def _finite(loss: torch.Tensor) -> float:
    value = loss.item()
    if not math.isfinite(value):
        raise TrainingRefused(DIVERGED)
    return value
