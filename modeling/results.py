"""What a training run tells its caller: progress on the way, the result at the end, and the two ways it stops early."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modeling.metrics import MetricValue

COSINE, SCORE = "cosine", "score"

# What a run says whose weights ran away.
DIVERGED = "The loss is no longer a number; lower learning_rate and tower_learning_rate."


class TrainingRefused(Exception):
    """The run cannot be done with this snapshot, config or model; the message is a sentence for the researcher."""


class TrainingCancelled(Exception):
    """The caller's `should_stop` said yes; nothing was published, and the checkpoint has every step that was taken."""


@dataclass(frozen=True)
class Progress:
    """One sign of life. `phase` is one of "reading", "base", "training", "tuned", "reporting".

    `step` of `total_steps` counts over the whole run and never falls; `loss` is the last batch's; `validation` what the
    last epoch is chosen by, an SRCC with scores or an agreement with choices; `seconds_left` an estimate, None until
    there is something to estimate from.
    """

    phase: str
    step: int
    total_steps: int
    loss: float | None = None
    validation: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class MeasuredPoint:
    """What was measured after `step` of at most `total_steps` steps of training, `epoch` of them whole epochs.

    `loss` is that of the step's batch, None before the first step. `validation` is there where an epoch has ended, and
    for the untuned model: as in `Progress`. A run that goes on tells no step twice that its checkpoint holds.
    """

    step: int
    total_steps: int
    epoch: int
    epochs: int
    loss: float | None = None
    validation: float | None = None


@dataclass(frozen=True)
class PairPrediction:
    """One pair beside what people and the models say. `human_mean` and `tuned_score` are on 0..10.

    Where a head was fitted on the untuned model, `tuned_cosine` is a tenth of its score, which is what is judged. Where
    people compared, `human_mean` is `modeling.comparisons.pair_scores` and `n_ratings` counts comparisons. `rating_sd`
    is the standard deviation of the pair's ratings on 0..10 (n - 1), None where it has one or people compared.
    """

    pair: str
    split: str
    human_mean: float
    n_ratings: int
    base_cosine: float
    tuned_cosine: float
    tuned_score: float
    rating_sd: float | None = None


@dataclass(frozen=True)
class TrainingResult:
    """A finished run. `base`, `tuned` and `difference` map srcc, lcc, ktau and mse to values on the held-out pairs.

    `judged` says what `tuned` measures, the "cosine" or the "score"; `tuned_score` measures the calibrated score, which
    stands beside the cosine and never instead; `breakdown` is that of `modeling.breakdown`, None where people compared.
    `question` is the one that was trained on. `note` holds what a reader of the report must know, in sentences. Where
    people compared, there is `agreement` as well, with decided held-out comparisons for its n; the three numbers at the
    end count comparisons, `n_heldout_ties` those held out in which nobody was preferred; and one against the rest and
    ceiling are undefined. `seen_known` is whether the base model says what it was trained on, `seen_note` which
    held-out pairs it has seen, in a sentence, blank where it is not known to have seen any.
    """

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
    question: str = ""
    judged: str = COSINE
    tuned_score: dict[str, MetricValue] = field(default_factory=dict)
    breakdown: dict[str, Any] | None = None
    seen_known: bool = False
    seen_note: str = ""
    n_train_comparisons: int = 0
    n_heldout_comparisons: int = 0
    n_heldout_ties: int = 0
