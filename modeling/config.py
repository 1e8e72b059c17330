"""What one training run is told: the frozen `TrainingConfig`, the named presets, and the reader of config files."""

from __future__ import annotations

import dataclasses
import json
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOSS_NAMES = ("mse", "mae", "wsce", "clipped_mse", "pairwise", "listnet")
TARGET_NAMES = ("centred", "mean", "zscore", "weighted")
# What of the model is tuned. The last three leave it as it is and put a head on its embeddings.
WEIGHT_POLICIES = ("all", "last-stages", "lora")
HEAD_POLICIES = ("affine", "mlp", "svr")
PRECISIONS = ("float32", "bf16")
BUILTIN = "builtin"
LAION_UNFUSED = "laion/clap-htsat-unfused"


class ConfigError(ValueError):
    """A configuration that cannot be used; `mistakes` holds every mistake as a sentence, `str()` all of them."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))

    def by_setting(self) -> dict[str, list[str]]:
        """The mistakes by the setting with whose name each sentence begins, those of no setting under an empty name."""
        found: dict[str, list[str]] = {}
        for mistake in self.mistakes:
            name = mistake.split()[0].strip("':")
            known = name in TrainingConfig.__dataclass_fields__ or mistake.startswith("'")
            found.setdefault(name if known else "", []).append(mistake)
        return found


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """One run's settings. Raises `ConfigError` with every mistake at once when built with values that cannot be used.

    `model` is "builtin", a local directory, or a hub name. `question` is the one whose answers are trained on, blank
    where the snapshot has answers to one only. `losses` maps a loss of `modeling.losses` to its weight;
    `target` is how ratings become one target per pair, and says nothing of comparisons. `policy` is what is tuned:
    "all" weights, the "last-stages" of the towers with the projections, or "lora", low-rank steps of rank `lora_rank`
    in the towers' attention; "affine", "mlp" and "svr" are heads on frozen embeddings, for which losses, rates, batches
    and epochs say nothing.
    `learning_rate` is that of the projections and logit scales, `tower_learning_rate` that of everything below them.
    A batch goes through the towers at most `chunk_size` clips or captions at a time, 0 for all at once: the gradient is
    that of the whole batch either way. `precision` "bf16" is for the towers' products in training, on a GPU.
    `patience` is the number of epochs without a better validation score after which training ends. `cpu_threads` is for
    training on a CPU, 0 for torch's own choice. How much is held out, or kept for validation, is the snapshot's to say
    (`modeling.snapshot.write_snapshot`).
    """

    model: str = LAION_UNFUSED
    question: str = ""
    losses: Mapping[str, float] = field(default_factory=lambda: {"wsce": 1.0, "mae": 1.0})
    target: str = "centred"
    policy: str = "all"
    lora_rank: int = 8
    epochs: int = 10
    batch_size: int = 32
    chunk_size: int = 0
    precision: str = "float32"
    learning_rate: float = 1e-4
    tower_learning_rate: float = 1e-5
    weight_decay: float = 0.01
    warmup_fraction: float = 0.1
    patience: int = 4
    cpu_threads: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        mistakes = [mistake for check in _CHECKS for mistake in check(self)]
        if mistakes:
            raise ConfigError(mistakes)
        object.__setattr__(self, "losses", dict(self.losses))

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain values, ready for JSON."""
        return dataclasses.asdict(self)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_model(config: TrainingConfig) -> list[str]:
    if isinstance(config.model, str) and config.model.strip():
        return []
    return ["model must be 'builtin', a directory, or a hub name such as 'laion/clap-htsat-unfused'."]


def _check_question(config: TrainingConfig) -> list[str]:
    if isinstance(config.question, str):
        return []
    return [f"question must be the name of a question, not {config.question!r}."]


def _check_losses(config: TrainingConfig) -> list[str]:
    losses = config.losses
    if not isinstance(losses, Mapping) or not losses:
        return [f"losses must name at least one of {', '.join(LOSS_NAMES)} with its weight."]
    mistakes = [
        f"losses: '{name}' is not a loss; choose from {', '.join(LOSS_NAMES)}."
        for name in losses
        if name not in LOSS_NAMES
    ]
    mistakes += [
        f"losses: the weight of '{name}' must be a number above 0, not {weight!r}."
        for name, weight in losses.items()
        if not (_is_number(weight) and weight > 0)
    ]
    return mistakes


def _check_choices(config: TrainingConfig) -> list[str]:
    choices = {"target": TARGET_NAMES, "policy": WEIGHT_POLICIES + HEAD_POLICIES, "precision": PRECISIONS}
    return [
        f"{name} must be one of {', '.join(known)}, not {getattr(config, name)!r}."
        for name, known in choices.items()
        if getattr(config, name) not in known
    ]


def _check_whole_numbers(config: TrainingConfig) -> list[str]:
    limits = {
        "epochs": (1, 1000),
        "lora_rank": (1, 256),
        "batch_size": (2, 4096),
        "chunk_size": (0, 4096),
        "patience": (1, 1000),
        "cpu_threads": (0, 256),
        "seed": (0, 2**31 - 1),
    }
    mistakes = []
    for name, (low, high) in limits.items():
        value = getattr(config, name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            mistakes.append(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    return mistakes


def _check_rates(config: TrainingConfig) -> list[str]:
    limits = {
        "learning_rate": (0.0, 1.0),
        "tower_learning_rate": (0.0, 1.0),
        "weight_decay": (0.0, 1.0),
        "warmup_fraction": (0.0, 1.0),
    }
    mistakes = []
    for name, (low, high) in limits.items():
        value = getattr(config, name)
        if not _is_number(value) or not low <= value <= high:
            mistakes.append(f"{name} must be a number from {low:g} to {high:g}, not {value!r}.")
    return mistakes


_CHECKS: tuple[Callable[[TrainingConfig], list[str]], ...] = (
    _check_model,
    _check_question,
    _check_losses,
    _check_choices,
    _check_whole_numbers,
    _check_rates,
)

# The variants that Human-CLAP publishes (`sarulab-speech/human-clap-NAME`): the names are read, the formulas and
# weights are our reading.
HUMAN_CLAP_VARIANTS: dict[str, Mapping[str, float]] = {
    "mse": {"mse": 1.0},
    "wsce": {"wsce": 1.0},
    "wsce-mae": {"wsce": 1.0, "mae": 1.0},
    "wsce-mse": {"wsce": 1.0, "mse": 1.0},
    "mse-mae": {"mse": 1.0, "mae": 1.0},
    "wsce-mse-mae": {"wsce": 1.0, "mse": 1.0, "mae": 1.0},
}

# SPO trains mse + .5 pairwise on scores standardised by 3.008 points, read from its configuration. On 0..1, errors are
# 10 / 3.008 of what they are here, and squared errors the square of that: 11.05 mse + 1.66 pairwise.
_SPO_PAIRWISE = 0.15
# The baseline trains clipped mse + .5 pairwise on scores of -1..1, where errors are twice and squares four times as
# large.
_BASELINE_PAIRWISE = 0.25

PRESETS: dict[str, TrainingConfig] = {
    # Human-CLAP (arXiv 2506.23553). Read: a LAION CLAP is tuned, and wsce + mae is the best of its losses. Our reading:
    # the formulas and their equal weights, the rates, the batch, the epochs, the unfused base, the centred target.
    "human-clap": TrainingConfig(model=LAION_UNFUSED, losses=HUMAN_CLAP_VARIANTS["wsce-mae"]),
    # SPO-CLAPScore (arXiv 2601.02900, ttakano398/SPO-CLAPScore). Read: listener-standardised targets, mse + .5 pairwise
    # on them, everything tuned at a rate of 1e-4, batches of 32, 50 epochs at most, a patience of 20, half a cosine
    # without warm-up, no decay, the epoch chosen by validation SRCC. Our reading: the base (theirs is M2D-CLAP), AdamW
    # (without decay it is their Adam), the margin of the baseline (.05 on 0..1; theirs comes to .03), and no raters
    # left out (they screen theirs first).
    "spo": TrainingConfig(
        model=LAION_UNFUSED,
        losses={"mse": 1.0, "pairwise": _SPO_PAIRWISE},
        target="zscore",
        epochs=50,
        batch_size=32,
        learning_rate=1e-4,
        tower_learning_rate=1e-4,
        weight_decay=0.0,
        warmup_fraction=0.0,
        patience=20,
    ),
    # The baseline of the first XACLE challenge (XACLE-Challenge/the_first_XACLE_challenge_baseline_model). Read:
    # clipped mse + .5 pairwise with their tolerance and margin, plain means, a rate of 2e-5 throughout, batches of 12,
    # 20 epochs at most, a patience of 10, a decay of 1e-5, the epoch chosen by validation SRCC. Our reading: a CLAP and
    # its cosine (theirs puts an LSTM on BYOL-A and RoBERTa), no weights for rare scores, half a cosine (theirs halves
    # the rate on plateaus) and AdamW (theirs is Adam).
    "xacle-baseline": TrainingConfig(
        model=LAION_UNFUSED,
        losses={"clipped_mse": 1.0, "pairwise": _BASELINE_PAIRWISE},
        target="mean",
        epochs=20,
        batch_size=12,
        learning_rate=2e-5,
        tower_learning_rate=2e-5,
        weight_decay=1e-5,
        warmup_fraction=0.0,
        patience=10,
    ),
    # Support vector regression on frozen embeddings (Snehitc/EnsembleSVR-XACLE). Read: standardised embeddings of clip
    # and caption with measures of their distance, an RBF kernel, targets on -1..1, and the constants that the search
    # starts from. Our reading: one CLAP (theirs is an ensemble of several models) and what else is told of a pair
    # (`modeling.heads.examples`).
    "svr": TrainingConfig(model=LAION_UNFUSED, target="mean", policy="svr"),
    # Ours, for the built-in model. So small a model overfits the cross-entropy within a few epochs of a thousand pairs:
    # it is kept, at a tenth. One thread is as quick as two where a web server shares two cores, and several times
    # quicker when they are busy.
    "small": TrainingConfig(
        model=BUILTIN,
        losses={"wsce": 0.1, "mae": 1.0},
        epochs=10,
        learning_rate=1e-3,
        tower_learning_rate=2e-4,
        cpu_threads=1,
    ),
}


# What each preset is for, in a sentence for whoever chooses one.
PRESET_WORDS: dict[str, str] = {
    "human-clap": "Human-CLAP as published: all of LAION's CLAP learns from the scores. For a GPU; the usual choice.",
    "spo": "SPO-CLAPScore: scores standardised by rater, a loss that ranks pairs, more epochs. For a GPU.",
    "xacle-baseline": "The baseline of the first XACLE challenge: plain mean scores, small steps. For a GPU.",
    "svr": "A regression on the untuned CLAP's embeddings: quick on a CPU, and content with few pairs.",
    "small": "The small model that comes with Earmark, in minutes on a CPU: to try things out, not to publish.",
}


def load_config(
    path: Path | None = None, preset: str = "human-clap", values: Mapping[str, Any] | None = None
) -> TrainingConfig:
    """The preset's settings, with those of the file at `path` (TOML or JSON, by suffix) and then `values` over them.

    Raises `ConfigError` naming every unknown key and every value that cannot be used.
    """
    if preset not in PRESETS:
        raise ConfigError([f"There is no preset '{preset}'; choose from {', '.join(sorted(PRESETS))}."])
    return override(PRESETS[preset], {**(_read_file(path) if path is not None else {}), **(values or {})})


def override(config: TrainingConfig, values: Mapping[str, Any]) -> TrainingConfig:
    """`config` with `values` laid over it; raises `ConfigError` with all mistakes, unknown keys among them."""
    known = [item.name for item in dataclasses.fields(TrainingConfig)]
    mistakes = [f"'{key}' is not a setting; the settings are {', '.join(known)}." for key in values if key not in known]
    try:
        changed = dataclasses.replace(config, **{key: value for key, value in values.items() if key in known})
    except ConfigError as error:
        raise ConfigError(mistakes + error.mistakes) from None
    if mistakes:
        raise ConfigError(mistakes)
    return changed


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"The config file {path} cannot be read: {error}."]) from error
    if path.suffix.lower() not in (".toml", ".json"):
        raise ConfigError([f"The config file {path} must end in .toml or .json."])
    try:
        values = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except ValueError as error:
        raise ConfigError([f"The config file {path} is not valid {path.suffix[1:].upper()}: {error}."]) from error
    if not isinstance(values, dict):
        raise ConfigError([f"The config file {path} must hold a table of settings."])
    return values
