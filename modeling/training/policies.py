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
TUNED_PART = 0.25


def frozen_parts(network: Any) -> tuple[int, int]:
    """What "last-stages" leaves as it is: blocks of the audio tower's last stage, and layers of the text tower.

    A quarter of each tower is tuned, its end: of the text tower's layers at least one; of the audio tower's blocks at
    least one and at most those of the last stage. Of LAION's 2-2-6-2 blocks these are the last two, of the built-in
    model's 1-3 the last.
    """
    stages, layers = network.audio_model.audio_encoder.layers, len(network.text_model.encoder.layer)
    last = len(stages[-1].blocks)
    return last - min(last, _quarter(sum(len(stage.blocks) for stage in stages))), layers - _quarter(layers)


def _quarter(number: int) -> int:
    return max(1, math.ceil(TUNED_PART * number))


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
    blocks, layers = frozen_parts(network)
    encoder, text = network.audio_model.audio_encoder, network.text_model.encoder
    stage = len(encoder.layers) - 1
    return (
        *READ_OUT,
        "audio_model.audio_encoder.norm.",
        "text_model.pooler.",
        *(
            f"audio_model.audio_encoder.layers.{stage}.blocks.{n}."
            for n in range(blocks, len(encoder.layers[-1].blocks))
        ),
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
