"""Config files and presets: all mistakes at once, unknown keys named."""

import dataclasses
import json
from pathlib import Path

import pytest

from modeling.config import PRESETS, ConfigError, TrainingConfig, load_config


def test_it_works(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("epochs = 3\n[losses]\nmse = 0.5\n")
    config = load_config(path, "small")
    assert config == dataclasses.replace(PRESETS["small"], epochs=3, losses={"mse": 0.5})


def test_the_defaults_are_human_clap() -> None:
    config = load_config(None)
    assert config == TrainingConfig() == PRESETS["human-clap"]
    assert (config.model, config.losses, config.target) == (
        "laion/clap-htsat-unfused",
        {"wsce": 1, "mae": 1},
        "centred",
    )
    assert load_config(None, "small").model == "builtin"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(PRESETS["small"].as_dict()))
    assert load_config(path) == PRESETS["small"]


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(
        '{"epoch": 3, "batch_size": 1, "losses": {"mea": 1, "mse": -1}, "target": "median", "learning_rate": "x"}'
    )
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    assert [mistake.split(";")[0] for mistake in refusal.value.mistakes] == [
        "'epoch' is not a setting",
        "losses: 'mea' is not a loss",
        "losses: the weight of 'mse' must be a number above 0, not -1.",
        "target must be one of centred, mean, not 'median'.",
        "batch_size must be a whole number from 2 to 4096, not 1.",
        "learning_rate must be a number from 0 to 1, not 'x'.",
    ]


@pytest.mark.parametrize("value", [True, None, float("nan"), 1e9, -1])
def test_values_that_only_look_like_numbers_are_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="learning_rate must be a number from 0 to 1"):
        TrainingConfig(learning_rate=value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.toml", "epochs = ", "is not valid TOML"),
        ("c.json", "[1]", "must hold a table of settings"),
        ("c.yaml", "epochs: 3", "must end in .toml or .json"),
        ("c.json", '{"losses": 3}', "losses must name at least one of mse, mae, wsce with its weight"),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(tmp_path / name)


def test_a_missing_file_and_an_unknown_preset_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "no.toml")
    with pytest.raises(ConfigError, match="^There is no preset 'big'; choose from human-clap, small.$"):
        load_config(None, "big")
