"""What a training run tells its caller: progress on the way, the result at the end, and the two ways it stops early."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modeling.metrics import MetricValue


class TrainingRefused(Exception):
    """The run cannot be done with this snapshot, config or model; the message is a sentence for the researcher."""


class TrainingCancelled(Exception):
    """The caller's `should_stop` said yes; nothing was published in the output directory."""


@dataclass(frozen=True)
class Progress:
    """One sign of life. `phase` is one of "reading", "base", "training", "tuned", "reporting".

    `step` of `total_steps` counts over the whole run and never falls; `loss` is the last batch's; `validation_srcc`
    that of the last epoch; `seconds_left` an estimate, None until there is something to estimate from.
    """

    phase: str
    step: int
    total_steps: int
    loss: float | None = None
    validation_srcc: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class PairPrediction:
    """One pair beside what people and the models say. `human_mean` and `tuned_score` are on 0..10."""

    pair: str
    split: str
    human_mean: float
    n_ratings: int
    base_cosine: float
    tuned_cosine: float
    tuned_score: float


@dataclass(frozen=True)
class TrainingResult:
    """A finished run. `base`, `tuned` and `difference` map srcc, lcc, ktau and mse to values on the held-out pairs."""

    n_heldout: int
    n_train: int
    n_validation: int
    n_dropped: int
    base: dict[str, MetricValue]
    tuned: dict[str, MetricValue]
    difference: dict[str, MetricValue]
    one_vs_rest_srcc: MetricValue
    ceiling_srcc: MetricValue
    predictions: tuple[PairPrediction, ...]
    model_dir: Path
    model_name: str
    note: str
    epochs_run: int
    seconds: float
