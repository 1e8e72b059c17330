"""Worlds and models that several tests share; each is made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

from modeling.config import PRESETS, override
from modeling.loading import BUILTIN_DIR, BUILTIN_NAME, open_directory
from modeling.model import Clap
from modeling.training import TrainingResult
from tests.modeling.worlds import compared_world, few_pairs, train, world_snapshot


@pytest.fixture(scope="session", autouse=True)
def cache_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands keep what they make in a directory of this run, never among the user's caches.

    So does training: log-mels are made once.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EARMARK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def builtin() -> Clap:
    return open_directory(BUILTIN_DIR, BUILTIN_NAME)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of 56 captions by four systems."""
    folder = tmp_path_factory.mktemp("world")
    world_snapshot(folder, n_captions=56)
    return folder / "snapshot"


@pytest.fixture(scope="session")
def compared(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the sounds of `world` with paired comparisons and no ratings."""
    directory = tmp_path_factory.mktemp("compared") / "snapshot"
    compared_world(directory, world)
    return directory


@pytest.fixture(scope="session")
def trained(world: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """The built-in model tuned on `world` for two epochs."""
    config = override(PRESETS["small"], {"epochs": 2})
    return train(config, world, tmp_path_factory.mktemp("run") / "out")


@pytest.fixture(scope="session")
def few(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of pairs of `world` just enough to train on: 30 held out, 24 to learn from, 20 to choose by."""
    return few_pairs(world, tmp_path_factory.mktemp("few") / "snapshot", heldout=30, train=24, validation=20)


def random_clap(directory: Path, *, fused: bool) -> Path:
    """A local directory with a tiny random CLAP at LAION's settings of the front end."""
    text = {
        "vocab_size": 2000,
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
    }
    audio = {
        "hidden_size": 32, "patch_embeds_hidden_size": 16, "depths": [1, 1], "num_attention_heads": [2, 2],
        "num_hidden_layers": 2, "num_classes": 1, "enable_fusion": fused,
    }  # fmt: skip
    if fused:
        audio["aff_block_r"] = 2
    torch.manual_seed(3)
    text["max_position_embeddings"] = 130
    model = ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=16))
    extractor = ClapFeatureExtractor(
        frequency_min=50, frequency_max=14_000, truncation="fusion" if fused else "rand_trunc", padding="repeatpad"
    )
    Clap(model.eval(), open_directory(BUILTIN_DIR, "").tokenizer, extractor, "").save(directory)
    return directory


@pytest.fixture(scope="session", params=["unfused", "fused"])
def random_directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_clap(tmp_path_factory.mktemp(request.param), fused=request.param == "fused")
