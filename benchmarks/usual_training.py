"""What a user would write with transformers to tune a CLAP on scores, as the training proofs' reference.

A processor inside the loop, that reads every pair's file at every step; all weights tuned; batches of 8 pairs.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from transformers import ClapModel, ClapProcessor

from modeling.losses import Batch, weighted_sum

BATCH_SIZE = 8


@dataclass(frozen=True)
class ScoredPair:
    """A clip, its caption, the number of each, and the score on 0..1."""

    path: Path
    caption: str
    clip: int
    caption_number: int
    target: float


def features(processor: ClapProcessor, pairs: Sequence[ScoredPair]) -> Mapping[str, torch.Tensor]:
    """What the processor makes of a batch, its files read anew."""
    sounds = [soundfile.read(pair.path)[0] for pair in pairs]
    texts = [pair.caption for pair in pairs]
    made: Mapping[str, torch.Tensor] = processor(
        audio=sounds, text=texts, sampling_rate=48_000, return_tensors="pt", padding=True
    )
    return made


def step(
    network: ClapModel,
    optimiser: torch.optim.Optimizer,
    inputs: Mapping[str, Any],
    pairs: Sequence[ScoredPair],
    losses: Mapping[str, float],
) -> None:
    """Forward, backward and an update, every pair through both towers."""
    out = network(**inputs)
    batch = Batch(
        sounds=out.audio_embeds,
        texts=out.text_embeds,
        target=torch.tensor([pair.target for pair in pairs]),
        clip=torch.tensor([pair.clip for pair in pairs]),
        caption=torch.tensor([pair.caption_number for pair in pairs]),
        scale_audio=network.logit_scale_a.exp(),
        scale_text=network.logit_scale_t.exp(),
    )
    loss, _ = weighted_sum(batch, losses)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def timed_steps(
    network: ClapModel,
    processor: ClapProcessor,
    optimiser: torch.optim.Optimizer,
    batches: Sequence[Sequence[ScoredPair]],
    losses: Mapping[str, float],
) -> list[float]:
    """Seconds of each step, reading and features included."""
    seconds = []
    for pairs in batches:
        started = time.perf_counter()
        step(network, optimiser, features(processor, pairs), pairs, losses)
        seconds.append(time.perf_counter() - started)
    return seconds


def scoring_seconds(network: ClapModel, processor: ClapProcessor, batches: Sequence[Sequence[ScoredPair]]) -> float:
    """Of all batches: their files read anew, every pair through both towers, no gradient."""
    started = time.perf_counter()
    for pairs in batches:
        with torch.inference_mode():
            network(**features(processor, pairs))
    return time.perf_counter() - started


def shuffled_batches(pairs: Sequence[ScoredPair], seed: int, size: int = BATCH_SIZE) -> list[list[ScoredPair]]:
    order = np.random.default_rng(seed).permutation(len(pairs))
    return [[pairs[number] for number in order[start : start + size]] for start in range(0, len(pairs), size)]


def run_epochs(
    network: ClapModel,
    processor: ClapProcessor,
    optimiser: torch.optim.Optimizer,
    pairs: Sequence[ScoredPair],
    losses: Mapping[str, float],
    epochs: int,
    after_epoch: Callable[[int], None],
) -> None:
    """The whole recipe, for the SRCC that it ends at: as above, but that a clip's features are remembered."""
    known = {pair.clip: features(processor, [pair])["input_features"] for pair in pairs}
    for epoch in range(epochs):
        for some in shuffled_batches(pairs, epoch):
            text = processor.tokenizer([pair.caption for pair in some], return_tensors="pt", padding=True)
            inputs = {**text, "input_features": torch.cat([known[pair.clip] for pair in some])}
            step(network, optimiser, inputs, some, losses)
        after_epoch(epoch + 1)
