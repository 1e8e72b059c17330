"""Worlds and models that several tests share; each is made once."""

from pathlib import Path

import pytest
import torch
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

from modeling.config import PRESETS, override
from modeling.loading import BUILTIN_DIR, BUILTIN_NAME, open_directory
from modeling.model import Clap
from modeling.training import TrainingResult, train
from tests.modeling.worlds import world_snapshot


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
def trained(world: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """The built-in model tuned on `world` for two epochs."""
    return train(override(PRESETS["small"], {"epochs": 2}), world, tmp_path_factory.mktemp("run") / "out")


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
