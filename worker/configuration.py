"""Which configuration a run uses: a preset by name, with the settings of a file, and those of a form, laid over it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from modeling.config import (
    HEAD_POLICIES,
    HUMAN_CLAP_VARIANTS,
    PRESET_WORDS,
    PRESETS,
    WEIGHT_POLICIES,
    ConfigError,
    TrainingConfig,
    load_config,
    override,
)
from worker.models import TrainingPlan

# What may be set from afar. The others are the host's: which model is read from which directory, how many cores.
KNOBS = (
    *("policy", "losses", "target", "epochs", "batch_size", "learning_rate", "tower_learning_rate", "seed"),
    *("weight_decay", "warmup_fraction", "patience", "lora_rank", "chunk_size", "precision"),
)
POLICIES = WEIGHT_POLICIES + HEAD_POLICIES
# Losses by a name, for who chooses and does not weigh.
LOSSES: dict[str, Mapping[str, float]] = {
    **HUMAN_CLAP_VARIANTS,
    "mae": {"mae": 1.0},
    "mse-pairwise": {"mse": 1.0, "pairwise": 0.15},
}


class SettingsRefused(Refused):
    """Settings that cannot be used. `faults` holds a sentence by setting, "" for what is about none of them."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = dict(faults)
        super().__init__("\n".join(self.faults.values()))


@dataclass(frozen=True)
class PresetChoice:
    """A preset with what it is for, and what it sets of what a form can change."""

    name: str
    sentence: str
    config: TrainingConfig
    losses: str


def preset_choices() -> list[PresetChoice]:
    return [
        PresetChoice(name, PRESET_WORDS[name], config, _losses_in_words(config)) for name, config in PRESETS.items()
    ]


def preset_of_request(*, test: ListeningTest, preset: str = "") -> str:
    """The preset asked for, else the test's own, else the installation's (EARMARK_PRESET)."""
    plan = TrainingPlan.objects.filter(test=test).first()
    return preset or (plan.preset if plan else "") or str(settings.EARMARK_PRESET)


def config_of_request(
    *, preset: str, config_file: Path | None = None, knobs: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The whole configuration, ready to be stored. Raises `SettingsRefused` with every mistake."""
    knobs = knobs or {}
    faults = {
        name: f"{name} cannot be set here. What can be set is: {', '.join(KNOBS)}."
        for name in knobs
        if name not in KNOBS
    }
    try:
        config = load_config(config_file, preset, {name: value for name, value in knobs.items() if name in KNOBS})
    except ConfigError as error:
        faults |= {name: " ".join(mistakes) for name, mistakes in error.by_setting().items()}
        if preset not in PRESETS:
            faults["preset"] = faults.pop("")
    if faults:
        raise SettingsRefused(faults)
    return config.as_dict()


def config_of_run(config: Mapping[str, Any]) -> TrainingConfig:
    """The stored configuration as modeling takes it. Raises `ConfigError` for a setting that is known no more."""
    return override(TrainingConfig(), config)


def _losses_in_words(config: TrainingConfig) -> str:
    """Empty for a head, to which losses say nothing."""
    if config.policy in HEAD_POLICIES:
        return ""
    return " + ".join(f"{weight:g} {name}" for name, weight in config.losses.items())
