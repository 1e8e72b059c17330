"""Make the built-in small CLAP: `python -m modeling make-model OUT`.

Contrastive training as real CLAPs are trained (symmetric cross-entropy over the cosines of a batch, Radford et al.
2021, arXiv 2103.00020): clean recordings and their captions, no human score, no degraded sound. Its world has a seed of
its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch.nn import functional
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, PreTrainedTokenizerFast

from modeling.features import LogMel
from modeling.loading import BUILTIN_NAME
from modeling.model import Clap, cpu_threads
from modeling.synthetic.captions import describe, random_scene
from modeling.synthetic.systems import Take, render

WORLD_SEED = 20_250_101
MAX_TOKENS = 128
MAX_SCALE = 100.0
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
ROLES_OF_TOKENS = dict(
    zip(
        ("bos_token", "cls_token", "pad_token", "eos_token", "sep_token", "unk_token", "mask_token"),
        ("<s>", "<s>", "<pad>", "</s>", "</s>", "<unk>", "<mask>"),
        strict=True,
    )
)


@dataclass(frozen=True)
class Recipe:
    """How much of everything; the defaults made the committed weights."""

    n_scenes: int = 8_000
    steps: int = 1_000
    batch_size: int = 64
    learning_rate: float = 1.2e-3
    warmup_steps: int = 80
    vocabulary: int = 1_200
    processes: int = 2
    seed: int = 1


def build_builtin(out: Path, recipe: Recipe | None = None, report: Callable[[str], None] = lambda line: None) -> None:
    """Generate the world, train the model and write it to `out`."""
    recipe = recipe or Recipe()
    torch.manual_seed(recipe.seed)
    report(f"Generating {recipe.n_scenes} clean recordings.")
    captions, mels = _recordings(recipe)
    tokenizer = _train_tokenizer(captions, recipe.vocabulary)
    clap = Clap(ClapModel(_clap_config(len(tokenizer))), tokenizer, feature_extractor(), BUILTIN_NAME)
    _set_norm(clap, mels)
    with cpu_threads(1):
        _train(clap, captions, mels, recipe, report)
    out.mkdir(parents=True, exist_ok=True)
    clap.save(out)


def feature_extractor() -> ClapFeatureExtractor:
    """64 mel bands to 14 kHz every 40 ms: 251 frames of a 10 s window make a picture of 128 by 128."""
    return ClapFeatureExtractor(
        feature_size=64,
        sampling_rate=48_000,
        hop_length=1920,
        fft_window_size=4096,
        max_length_s=10,
        frequency_min=50,
        frequency_max=14_000,
        truncation="rand_trunc",
        padding="repeatpad",
    )


def _clap_config(vocabulary: int) -> ClapConfig:
    """A patch is 8 mel bands by 160 ms; 512 patches, then 128."""
    text = {
        "vocab_size": vocabulary,
        "hidden_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 256,
        "max_position_embeddings": MAX_TOKENS + 2,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    audio = {
        "spec_size": 128,
        "num_mel_bins": 64,
        "patch_size": [8, 4],
        "patch_stride": [8, 4],
        "patch_embeds_hidden_size": 48,
        "hidden_size": 96,
        "depths": [1, 3],
        "num_attention_heads": [2, 4],
        "num_hidden_layers": 2,
        "hidden_dropout_prob": 0.0,
        "enable_fusion": False,
        "num_classes": 1,
    }
    return ClapConfig(text_config=text, audio_config=audio, projection_dim=128)


def _train_tokenizer(captions: list[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE, so that any text in any script has tokens; lower case, since case makes no sound."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=SPECIAL, initial_alphabet=sorted(alphabet), show_progress=False
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, model_max_length=MAX_TOKENS, **ROLES_OF_TOKENS
    )


def _recordings(recipe: Recipe) -> tuple[list[str], torch.Tensor]:
    """Captions and log-mels of clean recordings, the latter of shape (scenes, 1, frames, mels) in float16."""
    chunks = [range(start, min(start + 200, recipe.n_scenes)) for start in range(0, recipe.n_scenes, 200)]
    with ProcessPoolExecutor(recipe.processes, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(_record, chunks))
    return [caption for part in parts for caption in part[0]], torch.cat([torch.from_numpy(part[1]) for part in parts])


def _record(numbers: range) -> tuple[list[str], npt.NDArray[np.float16]]:
    torch.set_num_threads(1)
    log_mel = LogMel(feature_extractor())
    captions, mels = [], []
    for number in numbers:
        rng = np.random.default_rng([WORLD_SEED, number])
        scene = random_scene(rng)
        captions.append(describe(rng, scene))
        mels.append(log_mel(render(rng, Take(scene, quality=1.0))).half().numpy())
    return captions, np.concatenate(mels)


def _set_norm(clap: Clap, mels: torch.Tensor) -> None:
    """The tower's batch norm by mel band gets the world's mean and variance once, and keeps them."""
    sample = mels[::10].float()
    norm = clap.network.audio_model.audio_encoder.batch_norm
    norm.running_mean.copy_(sample.mean(dim=(0, 1, 2)))
    norm.running_var.copy_(sample.var(dim=(0, 1, 2)))


def _train(clap: Clap, captions: list[str], mels: torch.Tensor, recipe: Recipe, report: Callable[[str], None]) -> None:
    network = clap.network.eval()
    tokens = [clap.tokens(caption) for caption in captions]
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _warm_cosine(step, recipe))
    generator = torch.Generator().manual_seed(recipe.seed)
    running = 0.0
    for step in range(recipe.steps):
        chosen = torch.randperm(len(captions), generator=generator)[: recipe.batch_size].tolist()
        sounds = clap.embed_clips(_augmented(mels[chosen].float(), generator).unbind())
        texts = clap.embed_captions([tokens[number] for number in chosen])
        loss = _contrastive(network, sounds @ texts.T, [captions[number].lower() for number in chosen])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        for scale in (network.logit_scale_a, network.logit_scale_t):
            scale.data.clamp_(max=math.log(MAX_SCALE))
        running = 0.98 * running + 0.02 * loss.item() if step else loss.item()
        if step % 50 == 0:
            scale = network.logit_scale_a.exp().item()
            report(f"Step {step} of {recipe.steps}: contrastive loss {running:.3f}, logit scale {scale:.1f}.")


def _warm_cosine(step: int, recipe: Recipe) -> float:
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    return 0.5 + 0.5 * math.cos(math.pi * (step - recipe.warmup_steps) / (recipe.steps - recipe.warmup_steps))


def _augmented(mels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(batch, 1, frames, mels) at random levels, up to 12 dB either way; shape (batch, 1 window, 1, frames, mels)."""
    gain = torch.rand(len(mels), 1, 1, 1, generator=generator) * 24 - 12
    return (mels + gain)[:, None]


def _contrastive(network: ClapModel, cosines: torch.Tensor, captions: list[str]) -> torch.Tensor:
    """Symmetric cross-entropy; an equal caption in the batch is no negative."""
    same = torch.tensor([[a == b for b in captions] for a in captions]) & ~torch.eye(len(captions), dtype=torch.bool)
    place = torch.arange(len(captions))
    # Masked after scaling: the scale's gradient would be 0 times infinity.
    over_captions = (network.logit_scale_a.exp() * cosines).masked_fill(same, -math.inf)
    over_clips = (network.logit_scale_t.exp() * cosines.T).masked_fill(same, -math.inf)
    return (functional.cross_entropy(over_captions, place) + functional.cross_entropy(over_clips, place)) / 2
