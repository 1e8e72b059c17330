"""AdamW for the tuned weights of a CLAP, and its rates over a run."""

from __future__ import annotations

import math
from typing import Any

import torch

from modeling.config import TrainingConfig
from modeling.training.policies import tuned_parameters

IN_TOWERS = ("audio_model.", "text_model.")
GREATEST_GRADIENT = 1.0


def new_optimiser(network: Any, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW with decay on matrices only; weights of the towers have a rate of their own, but not LoRA's, which are new.

    One fused kernel walks over all weights, on a CPU too.
    """
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in tuned_parameters(network).items():
        old = name.startswith(IN_TOWERS) and ".lora_" not in name
        groups.setdefault((old, parameter.ndim >= 2), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "full_rate": config.tower_learning_rate if old else config.learning_rate,
                "weight_decay": config.weight_decay if decays else 0.0,
            }
            for (old, decays), parameters in groups.items()
        ],
        fused=True,
    )


def set_rates(optimiser: torch.optim.Optimizer, config: TrainingConfig, step: int, total: int) -> dict[str, float]:
    """Linear warm-up, then half a cosine down to 0. Returns the factor of the full rates, and the two rates."""
    warmup = config.warmup_fraction * total
    done = (step - warmup) / max(1.0, total - warmup)
    factor = (step + 1) / (warmup + 1) if step < warmup else 0.5 + 0.5 * math.cos(math.pi * done)
    for group in optimiser.param_groups:
        group["lr"] = group["full_rate"] * factor
    return {"rate": config.learning_rate * factor, "tower_rate": config.tower_learning_rate * factor}


def take_step(optimiser: torch.optim.Optimizer) -> None:
    """Clip the gradient, step, and forget it."""
    weights = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    torch.nn.utils.clip_grad_norm_(weights, GREATEST_GRADIENT, foreach=True)
    optimiser.step()
    optimiser.zero_grad()
