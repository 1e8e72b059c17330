"""Config files and presets: all mistakes at once, unknown keys named."""

import dataclasses
import json
from pathlib import Path

import pytest

from modeling.config import HUMAN_CLAP_VARIANTS, PRESET_WORDS, PRESETS, ConfigError, TrainingConfig, load_config


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
        '{"epoch": 3, "batch_size": 1, "losses": {"mea": 1, "mse": -1}, "target": "median", "learning_rate": "x",'
        '"question": 7}'
    )
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    assert [mistake.split(";")[0] for mistake in refusal.value.mistakes] == [
        "'epoch' is not a setting",
        "question must be the name of a question, not 7.",
        "losses: 'mea' is not a loss",
        "losses: the weight of 'mse' must be a number above 0, not -1.",
        "target must be one of centred, mean, zscore, weighted, not 'median'.",
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
        (
            "c.json",
            '{"losses": 3}',
            "losses must name at least one of mse, mae, wsce, clipped_mse, pairwise, listnet with its weight",
        ),
    ],
)
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(tmp_path / name)


def test_a_missing_file_and_an_unknown_preset_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "no.toml")
    with pytest.raises(
        ConfigError, match="^There is no preset 'big'; choose from human-clap, small, spo, svr, xacle-baseline.$"
    ):
        load_config(None, "big")


def test_presets_have_the_weights_of_their_sources() -> None:
    """A loss's weight there, by what 1 on 0..1 is on the scale of their scores, squared where the error is squared.

    SPO: mse + .5 pairwise on scores in standard deviations of 3.008 points; the baseline: on scores of -1..1.
    """
    for preset, squared, unit in (("spo", "mse", 10 / 3.0082278564578324), ("xacle-baseline", "clipped_mse", 2.0)):
        losses = PRESETS[preset].losses
        assert losses[squared] == 1
        assert losses["pairwise"] == pytest.approx(0.5 * unit / unit**2, abs=0.001), preset


def test_human_claps_variants_are_sums_of_losses_that_are_there() -> None:
    assert list(HUMAN_CLAP_VARIANTS) == ["mse", "wsce", "wsce-mae", "wsce-mse", "mse-mae", "wsce-mse-mae"]
    for name, losses in HUMAN_CLAP_VARIANTS.items():
        assert dict(TrainingConfig(losses=losses).losses) == dict.fromkeys(name.split("-"), 1.0)


def test_mistakes_are_told_by_setting(tmp_path: Path) -> None:
    wrong = {field.name: object() for field in dataclasses.fields(TrainingConfig)}
    with pytest.raises(ConfigError) as refusal:
        TrainingConfig(**wrong)
    found = refusal.value.by_setting()
    assert set(found) == set(wrong)
    assert [mistake for mistakes in found.values() for mistake in mistakes] == refusal.value.mistakes
    with pytest.raises(ConfigError) as refusal:
        load_config(None, "small", {"epoch": 3, "epochs": 0})
    assert list(refusal.value.by_setting()) == ["epoch", "epochs"]
    with pytest.raises(ConfigError) as refusal:
        load_config(tmp_path / "none.toml")
    assert list(refusal.value.by_setting()) == [""]


def test_values_lie_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("epochs = 3\nseed = 4")
    config = load_config(path, "small", {"epochs": 5})
    assert (config.epochs, config.seed, config.model) == (5, 4, "builtin")


def test_every_preset_says_what_it_is_for() -> None:
    assert set(PRESET_WORDS) == set(PRESETS)
    assert all(words.endswith(".") for words in PRESET_WORDS.values())
