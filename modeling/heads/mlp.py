"""mlp: one hidden layer on what is told of a pair.

Source: the projection of the baseline of the first XACLE challenge (linear, ReLU, dropout .3, linear). Our reading:
what it is told (`modeling.heads.examples`), standardised; its width, rate and decay; the squared error of the score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from modeling import metrics
from modeling.heads.examples import Examples, centre_and_spread, pair_features
from modeling.metrics import Floats

WIDTH = 256
DROPOUT = 0.3
RATE = 1e-3
DECAY = 0.1
BATCH = 64
EPOCHS = 60
PATIENCE = 15
# Where no validation pairs say when to stop.
BLIND_EPOCHS = 15


@dataclass(frozen=True)
class Mlp:
    """outer . relu(inner (features - mean) / spread + inner_bias) + outer_bias; inner has shape (width, features)."""

    mean: Floats
    spread: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    outer_bias: Floats

    @property
    def dim(self) -> int | None:
        return (len(self.mean) - 1) // 4

    def predict(self, sound: Floats, text: Floats) -> float:
        told = (pair_features(sound, text) - self.mean) / self.spread
        return float(self.outer @ np.maximum(self.inner @ told + self.inner_bias, 0.0) + self.outer_bias)


def fit_mlp(train: Examples, validation: Examples, seed: int, tick: Callable[[], None]) -> Mlp:
    """AdamW on the squared error, stopped by the SRCC of the validation pairs, whose best epoch is kept.

    The same seed gives the same head. `tick` is called once an epoch.
    """
    mean, spread = centre_and_spread(train.features)
    level, scale = float(train.target.mean()), float(train.target.std()) or 1.0
    told, wanted = _tensor((train.features - mean) / spread), _tensor((train.target - level) / scale)
    shown = _tensor((validation.features - mean) / spread) if len(validation) else None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Linear(told.shape[1], WIDTH), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(WIDTH, 1))
        optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
        best, best_epoch, kept = -np.inf, 0, _weights(network)
        for epoch in range(1, (EPOCHS if shown is not None else BLIND_EPOCHS) + 1):
            _learn(network, optimiser, told, wanted)
            tick()
            found = float(epoch) if shown is None else _agreement(network, shown, validation.target)
            if found > best:
                best, best_epoch, kept = found, epoch, _weights(network)
            if epoch - best_epoch >= PATIENCE:
                break
    inner, inner_bias, outer, outer_bias = kept
    return Mlp(mean, spread, inner, inner_bias, outer[0] * scale, np.array(outer_bias[0] * scale + level))


def _learn(network: nn.Module, optimiser: torch.optim.Optimizer, told: torch.Tensor, wanted: torch.Tensor) -> None:
    network.train()
    for some in torch.split(torch.randperm(len(told)), BATCH):
        loss = nn.functional.mse_loss(network(told[some])[:, 0], wanted[some])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()


def _agreement(network: nn.Module, told: torch.Tensor, target: Floats) -> float:
    network.eval()
    with torch.inference_mode():
        found = metrics.srcc(network(told)[:, 0].double().numpy(), target)
    return -1.0 if found is None else found


def _weights(network: nn.Module) -> list[Floats]:
    return [value.detach().double().numpy().copy() for value in network.parameters()]


def _tensor(values: Floats) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float32)
