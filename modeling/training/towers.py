"""How a run embeds clips and captions by their numbers: through the whole towers, or through their tuned part alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch.nn import functional
from transformers.masking_utils import create_bidirectional_mask

from modeling.backbone import Embeddings
from modeling.config import TrainingConfig
from modeling.cores import on_all_cores
from modeling.kept_arrays import Array, KeptArrays
from modeling.model import Clap, by_clip, cpu_threads
from modeling.training.material import Material
from modeling.training.policies import frozen_parts


class Towers(Protocol):
    """Unit embeddings, shape (clips or captions, dim), float32."""

    def sounds(self, clips: Sequence[int]) -> torch.Tensor: ...

    def texts(self, captions: Sequence[int]) -> torch.Tensor: ...

    def shortcut(self, clip: int) -> Embeddings | None:
        """A clip's unit embedding, shape (dim,), alone and in one thread, where there is a shorter way than the whole
        tower; equal to what that gives but for rounding.
        """


def towers_for(
    clap: Clap, material: Material, config: TrainingConfig, cache: KeptArrays, tick: Callable[[], None]
) -> Towers:
    """The towers that `config.policy` asks for; `tick` is called for every clip that goes through frozen blocks."""
    if config.policy != "last-stages":
        return WholeTowers(clap, material, config.precision)
    learned_from = material.learned_from()
    return SplitTowers.over(
        clap,
        material,
        np.unique(material.pairs.clip[learned_from]).tolist(),
        np.unique(material.caption[learned_from]).tolist(),
        config.precision,
        cache,
        tick,
    )


@dataclass(frozen=True)
class WholeTowers:
    """Every clip and caption goes through all of its tower."""

    clap: Clap
    material: Material
    precision: str = "float32"

    def sounds(self, clips: Sequence[int]) -> torch.Tensor:
        with autocast(self.clap, self.precision):
            embedded = self.clap.embed_clips([self.material.mels[number] for number in clips])
        return functional.normalize(embedded.float(), dim=-1)

    def texts(self, captions: Sequence[int]) -> torch.Tensor:
        with autocast(self.clap, self.precision):
            embedded = self.clap.embed_captions([self.material.tokens[number] for number in captions])
        return functional.normalize(embedded.float(), dim=-1)

    def shortcut(self, clip: int) -> Embeddings | None:
        return None


@dataclass(frozen=True)
class SplitTowers:
    """Frozen blocks and layers see a clip or caption once, alone; what they make of it is kept, here and in the cache.

    Equal to `WholeTowers` in loss and gradient, but for rounding. `kept_sounds` has (windows, tokens, width) before the
    first tuned stage, by clip; `kept_texts` (tokens, width) before the first tuned layer, by caption.
    """

    clap: Clap
    precision: str
    kept_sounds: dict[int, torch.Tensor]
    kept_texts: dict[int, torch.Tensor]

    @classmethod
    def over(
        cls,
        clap: Clap,
        material: Material,
        clips: Sequence[int],
        captions: Sequence[int],
        precision: str,
        cache: KeptArrays,
        tick: Callable[[], None],
    ) -> SplitTowers:
        """Take the clips and captions through the frozen part; `tick` is called for every clip."""
        network, key = clap.network, _frozen_sha256(clap) if cache.directory else ""
        blocks, layers = frozen_parts(network)
        sounds = _kept_inputs(
            network.audio_model.audio_encoder.layers[-1].blocks[blocks],
            [f"frozen blocks {key} {material.pairs.clips[clip]}" for clip in clips],
            lambda number: clap.embed_clips([material.mels[clips[number]]]),
            cache,
            tick,
        )
        texts = _kept_inputs(
            network.text_model.encoder.layer[layers],
            [f"frozen layers {key} {material.tokens[caption]}" for caption in captions],
            lambda number: clap.embed_captions([material.tokens[captions[number]]]),
            cache,
        )
        kept_texts = {caption: text[0] for caption, text in zip(captions, texts, strict=True)}
        return cls(clap, precision, dict(zip(clips, sounds, strict=True)), kept_texts)

    def sounds(self, clips: Sequence[int]) -> torch.Tensor:
        kept = [self.kept_sounds[number] for number in clips]
        encoder = self.clap.network.audio_model.audio_encoder
        blocks, _ = frozen_parts(self.clap.network)
        with autocast(self.clap, self.precision):
            hidden = torch.cat(kept).to(self.clap.device)
            for block in encoder.layers[-1].blocks[blocks:]:
                hidden = block(hidden, encoder.input_resolutions[-1])[0]
            # The tower's pooling puts tokens back on a grid of frequency and time, and then averages over all of it.
            embedded = self.clap.network.audio_projection(encoder.norm(hidden).mean(dim=1))
        unit = functional.normalize(embedded.float(), dim=-1)
        return by_clip(unit, kept)

    def shortcut(self, clip: int) -> Embeddings | None:
        if clip not in self.kept_sounds or self.precision != "float32":
            return None
        with torch.no_grad(), cpu_threads(1):
            return np.asarray(self.sounds([clip])[0].cpu().numpy())

    def texts(self, captions: Sequence[int]) -> torch.Tensor:
        kept = [self.kept_texts[number] for number in captions]
        _, layers = frozen_parts(self.clap.network)
        text, device = self.clap.network.text_model, self.clap.device
        lengths = torch.tensor([len(tokens) for tokens in kept])
        with autocast(self.clap, self.precision):
            hidden = torch.nn.utils.rnn.pad_sequence(list(kept), batch_first=True).to(device)
            there = (torch.arange(hidden.shape[1]) < lengths[:, None]).long().to(device)
            mask = create_bidirectional_mask(config=text.config, inputs_embeds=hidden, attention_mask=there)
            for layer in text.encoder.layer[layers:]:
                hidden = layer(hidden, mask)
            embedded = self.clap.network.text_projection(text.pooler(hidden))
        return functional.normalize(embedded.float(), dim=-1)


class _Reached(Exception):
    """The tuned part of a tower was reached, with this before it."""

    def __init__(self, hidden: torch.Tensor) -> None:
        super().__init__()
        self.hidden = hidden


def _kept_inputs(
    module: torch.nn.Module,
    keys: Sequence[str],
    run: Callable[[int], object],
    cache: KeptArrays,
    tick: Callable[[], None] = lambda: None,
) -> list[torch.Tensor]:
    """What `run` of each key's number gives to `module` as its first argument, kept under the key.

    Nothing from `module` on is computed.
    """

    def reached(_: torch.nn.Module, arguments: tuple[torch.Tensor, ...]) -> None:
        raise _Reached(arguments[0])

    def work(number: int) -> torch.Tensor:
        def make() -> Array:
            try:
                with torch.no_grad(), cpu_threads(1):
                    run(number)
            except _Reached as found:
                return np.asarray(found.hidden.cpu().numpy())
            raise AssertionError(f"{type(module).__name__} was never reached.")

        return torch.from_numpy(cache.get_or_make(keys[number], make))

    hook, kept = module.register_forward_pre_hook(reached), []
    try:
        with closing(on_all_cores(work, range(len(keys)))) as results:
            for hidden in results:
                kept.append(hidden)
                tick()
    finally:
        hook.remove()
    return kept


def autocast(clap: Clap, precision: str) -> torch.autocast:
    """bf16 for the towers' products where it is asked for; embeddings, losses and the optimiser stay in float32."""
    return torch.autocast(clap.device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def _frozen_sha256(clap: Clap) -> str:
    """Names what the frozen part is: the front end, the settings and weights, and where it ends."""
    network = clap.network
    told = hashlib.sha256(
        f"{frozen_parts(network)} {network.config.to_json_string()} {clap.extractor.to_json_string()} "
        f"{clap.log_mel.fingerprint} {clap.device.type} {torch.__version__}".encode()
    )
    tuned = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    for name, value in network.state_dict().items():
        if name not in tuned:
            told.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            told.update(value.detach().cpu().contiguous().numpy().tobytes())
    return told.hexdigest()
