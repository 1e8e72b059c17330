"""What a policy tunes, and that kept outputs, chunks, bf16 and merged adapters change the work and not the model."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import ClapModel

from modeling.config import PRESETS, override
from modeling.dataset import PairSet
from modeling.kept_arrays import KeptArrays
from modeling.loading import open_directory
from modeling.model import Clap
from modeling.targets import flatten
from modeling.training.gradient import take_gradient
from modeling.training.material import Material
from modeling.training.policies import choose_tuned, merge_adapters, tuned_parameters
from modeling.training.towers import Towers, WholeTowers, towers_for
from tests.modeling.conftest import random_clap

LOSSES = {"wsce": 1.0, "mae": 1.0}
NOTHING_KEPT = KeptArrays(None, 0)
CAPTIONS = ("a dog barks", "rain, then a bell", "A dog  barks", "two cars", "wind", "a door shuts twice and a cat")


def material_for(clap: Clap, n_frames: int) -> Material:
    """Ten pairs of six clips, the last of them of two windows, and five captions; noise for log-mels."""
    generator = torch.Generator().manual_seed(1)
    shape = (4 if clap.log_mel.fused else 1, n_frames, 64)
    mels = [torch.randn(1 + (number == 5), *shape, generator=generator) * 20 - 40 for number in range(6)]
    number = np.arange(10)
    pairs = PairSet(
        question="relevance",
        pairs=tuple(map(str, number)),
        captions=tuple(CAPTIONS[n % 6] for n in number),
        systems=("",) * 10,
        clips=tuple(f"clip {n}" for n in range(6)),
        clip=np.array([0, 1, 2, 3, 4, 5, 5, 0, 1, 4]),
        split=np.full(10, "train"),
        target=number.astype(float),
        human_mean=number.astype(float),
        n_ratings=np.ones(10, dtype=np.int64),
        ratings=flatten([]),
    )
    return Material.of(clap, pairs, mels)


@pytest.fixture(scope="module", params=["builtin", "unfused", "fused"])
def untouched(
    request: pytest.FixtureRequest, builtin: Clap, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Clap, int]:
    """The built-in model, and a tiny CLAP at LAION's settings, fused or not; with the frames of its window."""
    if request.param == "builtin":
        return builtin, 251
    return open_directory(random_clap(tmp_path_factory.mktemp("random"), fused=request.param == "fused"), ""), 1001


@pytest.fixture
def prepared(untouched: tuple[Clap, int]) -> tuple[Clap, Material]:
    clap = copy.deepcopy(untouched[0])
    return clap, material_for(clap, untouched[1])


def gradients(
    clap: Clap, towers: Towers, material: Material, chunk_size: int = 0
) -> tuple[float, dict[str, torch.Tensor]]:
    clap.network.zero_grad()
    loss, _ = take_gradient(clap, towers, material, np.arange(10), LOSSES, chunk_size)
    return loss.item(), {name: item.grad.clone() for name, item in tuned_parameters(clap.network).items()}


def expect_equal(
    ours: tuple[float, dict[str, torch.Tensor]], theirs: tuple[float, dict[str, torch.Tensor]], within: float = 1e-5
) -> None:
    assert ours[0] == pytest.approx(theirs[0], abs=within)
    assert ours[1].keys() == theirs[1].keys()
    largest = max(item.abs().max().item() for item in theirs[1].values())
    assert all((ours[1][name] - theirs[1][name]).abs().max() <= within * max(1, largest) for name in theirs[1])


def test_it_works(builtin: Clap) -> None:
    counts = {}
    for policy in ("all", "last-stages", "lora"):
        network = copy.deepcopy(builtin.network)
        choose_tuned(network, override(PRESETS["small"], {"policy": policy}))
        counts[policy] = sum(item.numel() for item in tuned_parameters(network).values())
        assert "logit_scale_a" in tuned_parameters(network)
    assert counts["lora"] < counts["last-stages"] < counts["all"] == builtin.network.num_parameters()


def test_last_stages_leave_what_is_below_alone(builtin: Clap) -> None:
    network = copy.deepcopy(builtin.network)
    choose_tuned(network, override(PRESETS["small"], {"policy": "last-stages"}))
    tuned = tuned_parameters(network)
    frozen = dict(network.named_parameters()).keys() - tuned.keys()
    audio, text = "audio_model.audio_encoder.", "text_model."
    below = (
        *(audio + name for name in ("batch_norm", "patch_embed", "layers.0", "layers.1.blocks.0", "layers.1.blocks.1")),
        text + "embeddings",
    )
    assert all(name.startswith((*below, text + "encoder.layer.0")) for name in frozen)
    assert any("audio_encoder.layers.1.blocks.2" in name for name in tuned)
    assert any("text_model.encoder.layer.1" in name for name in tuned)


def test_kept_outputs_give_the_whole_towers_loss_and_gradient(prepared: tuple[Clap, Material], tmp_path: Path) -> None:
    clap, material = prepared
    config = override(PRESETS["small"], {"policy": "last-stages"})
    choose_tuned(clap.network, config)
    ticks: list[int] = []
    towers = towers_for(clap, material, config, KeptArrays(tmp_path, 10**9), lambda: ticks.append(1))
    assert len(ticks) == 6
    whole = gradients(clap, WholeTowers(clap, material), material)
    expect_equal(gradients(clap, towers, material), whole)
    expect_equal(gradients(clap, towers, material, chunk_size=2), whole)
    frozen = [item for item in clap.network.parameters() if not item.requires_grad]
    assert frozen
    assert all(item.grad is None for item in frozen)


def test_a_later_run_reads_what_an_earlier_one_kept_unless_the_frozen_weights_differ(
    builtin: Clap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = override(PRESETS["small"], {"policy": "last-stages"})
    clap = copy.deepcopy(builtin)
    choose_tuned(clap.network, config)
    material, cache = material_for(clap, 251), KeptArrays(tmp_path, 10**9)
    first = gradients(clap, towers_for(clap, material, config, cache, lambda: None), material)
    calls: list[int] = []
    embed = Clap.embed_clips
    monkeypatch.setattr(Clap, "embed_clips", lambda clap, mels: calls.append(1) or embed(clap, mels))
    again = gradients(clap, towers_for(clap, material, config, cache, lambda: None), material)
    assert (calls, again[0]) == ([], first[0])
    with torch.no_grad():
        clap.network.audio_model.audio_encoder.patch_embed.proj.weight.mul_(1.1)
    towers_for(clap, material, config, cache, lambda: None)
    assert len(calls) == 6


@pytest.mark.parametrize("chunk_size", [1, 4])
def test_chunks_give_the_whole_batchs_gradient(builtin: Clap, chunk_size: int) -> None:
    clap = copy.deepcopy(builtin)
    choose_tuned(clap.network, PRESETS["small"])
    material = material_for(clap, 251)
    towers = WholeTowers(clap, material)
    expect_equal(gradients(clap, towers, material, chunk_size), gradients(clap, towers, material))


def test_the_gradient_is_that_of_one_backward_pass(builtin: Clap) -> None:
    """The two parts together are what autograd finds in one go, each pair embedded for itself."""
    clap = copy.deepcopy(builtin)
    choose_tuned(clap.network, PRESETS["small"])
    material = material_for(clap, 251)
    ours = gradients(clap, WholeTowers(clap, material), material)
    clap.network.zero_grad()
    sounds = clap.embed_clips([material.mels[clip] for clip in material.pairs.clip])
    texts = clap.embed_captions([material.tokens[number] for number in material.caption])
    target = torch.as_tensor(material.pairs.target / 10, dtype=torch.float32)
    cosine, same_clip = sounds @ texts.T, torch.as_tensor(material.pairs.clip[:, None] == material.pairs.clip)
    same = (same_clip | torch.as_tensor(material.caption[:, None] == material.caption)) & ~torch.eye(10).bool()
    sides = [
        torch.nn.functional.cross_entropy(
            (scale.exp() * side).masked_fill(same, -torch.inf), torch.arange(10), reduction="none"
        )
        for scale, side in ((clap.network.logit_scale_a, cosine), (clap.network.logit_scale_t, cosine.T))
    ]
    loss = (cosine.diagonal() - target).abs().mean() + (target * sum(sides) / 2).sum() / target.sum()
    loss.backward()
    expect_equal(ours, (loss.item(), {name: item.grad for name, item in clap.network.named_parameters()}))


def test_bf16_is_near_float32_and_its_loss_is_float32(prepared: tuple[Clap, Material]) -> None:
    clap, material = prepared
    choose_tuned(clap.network, PRESETS["small"])
    plain = gradients(clap, WholeTowers(clap, material), material)
    rough, _ = take_gradient(clap, WholeTowers(clap, material, "bf16"), material, np.arange(10), LOSSES)
    assert rough.dtype == torch.float32
    assert rough.item() == pytest.approx(plain[0], rel=0.05)
    assert rough.item() != plain[0]
    assert all(item.grad.isfinite().all() for item in clap.network.parameters())


def test_merged_adapters_leave_a_plain_model(prepared: tuple[Clap, Material], tmp_path: Path) -> None:
    clap, material = prepared
    names = list(clap.network.state_dict())
    before = WholeTowers(clap, material).sounds(range(6)).detach()
    choose_tuned(clap.network, override(PRESETS["small"], {"policy": "lora", "lora_rank": 2}))
    towers = WholeTowers(clap, material)
    assert towers.sounds(range(6)).detach() == pytest.approx(before, abs=1e-6), "an untrained adapter changes nothing"
    gradients(clap, towers, material)
    with torch.no_grad():
        for item in tuned_parameters(clap.network).values():
            item -= 0.05 * item.grad.sign()
    sounds, texts = towers.sounds(range(6)).detach(), towers.texts(range(5)).detach()
    assert (sounds - before).abs().max() > 1e-3
    merge_adapters(clap.network)
    assert towers.sounds(range(6)).detach() == pytest.approx(sounds, abs=1e-5)
    assert list(clap.network.state_dict()) == names
    clap.save(tmp_path)
    opened = Clap(ClapModel.from_pretrained(tmp_path).eval(), clap.tokenizer, clap.extractor, "")
    assert WholeTowers(opened, material).texts(range(5)).detach() == pytest.approx(texts, abs=1e-5)


def test_lora_starts_from_the_runs_seed(builtin: Clap) -> None:
    drawn = []
    for seed in (0, 0, 1):
        network = copy.deepcopy(builtin.network)
        torch.manual_seed(seed + 17)
        choose_tuned(network, override(PRESETS["small"], {"policy": "lora", "seed": seed}))
        drawn.append(torch.cat([v.flatten() for k, v in tuned_parameters(network).items() if ".lora_A" in k]))
    assert drawn[0].equal(drawn[1])
    assert not drawn[0].equal(drawn[2])
