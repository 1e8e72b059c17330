"""Which weights a run tunes, and how the tuned model becomes a plain one again."""

from __future__ import annotations

import math
from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer

from modeling.config import TrainingConfig

# The linear maps of attention in both towers: to queries, keys and values, and back from the heads.
ATTENTION = r".*\.attention\.(self\.(query|key|value)|output\.dense)"
# Tuned whole under every policy: they are small, and what the towers find is read through them.
READ_OUT = ("audio_projection", "text_projection", "logit_scale_a", "logit_scale_t")
TUNED_TEXT_PART = 0.25


def frozen_layers(network: Any) -> tuple[int, int]:
    """How many of the audio tower's stages, and of the text tower's layers, "last-stages" leaves as they are.

    All stages but the last; three quarters of the layers, but at least one is tuned (of the built-in model's 2 stages
    and 2 layers, one each).
    """
    stages, layers = len(network.audio_model.audio_encoder.layers), len(network.text_model.encoder.layer)
    return stages - 1, layers - max(1, math.ceil(TUNED_TEXT_PART * layers))


def choose_tuned(network: Any, config: TrainingConfig) -> None:
    """Let exactly the weights that `config.policy` names have gradients; "lora" adds its own to the network.

    LoRA (Hu et al. 2021, arXiv 2106.09685) learns W + (alpha / r) B A for the maps `ATTENTION`, with alpha = 2 r, B
    starting at 0 and A drawn from the run's seed.
    """
    if config.policy == "lora":
        settings = LoraConfig(r=config.lora_rank, lora_alpha=2 * config.lora_rank, target_modules=ATTENTION)
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            inject_adapter_in_model(settings, network)
    tuned = {"all": ("",), "last-stages": _last_stages(network), "lora": READ_OUT}[config.policy]
    for name, parameter in network.named_parameters():
        parameter.requires_grad = name.startswith(tuned) or ".lora_" in name


def _last_stages(network: Any) -> tuple[str, ...]:
    stages, layers = frozen_layers(network)
    encoder, text = network.audio_model.audio_encoder, network.text_model.encoder
    return (
        *READ_OUT,
        "audio_model.audio_encoder.norm.",
        "text_model.pooler.",
        *(f"audio_model.audio_encoder.layers.{number}." for number in range(stages, len(encoder.layers))),
        *(f"text_model.encoder.layer.{number}." for number in range(layers, len(text.layer))),
    )


def tuned_parameters(network: Any) -> dict[str, torch.nn.Parameter]:
    """The parameters that have gradients, by name."""
    return {name: value for name, value in network.named_parameters() if value.requires_grad}


def merge_adapters(network: Any) -> None:
    """Add what LoRA learned to the weights that it was laid over, and take it off: a plain network again."""
    for name, module in list(network.named_modules()):
        if isinstance(module, LoraLayer):
            module.merge()
            network.set_submodule(name, module.get_base_layer())
