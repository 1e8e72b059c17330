"""The card of a tuned model (README.md): what a stranger who finds the directory must know before using it.

Its front matter is that of Hugging Face's model cards, written and read back by `huggingface_hub`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import EvalResult, ModelCardData

from modeling.config import BUILTIN, HEAD_POLICIES, TrainingConfig
from modeling.licences import CARD, Licence, licence_of
from modeling.loading import HUB_NAME
from modeling.metrics import AGREEMENT, NAMES, MetricValue
from modeling.model import Clap
from modeling.plain_text import in_markdown, one_line
from modeling.results import COSINE, TrainingResult
from modeling.snapshot import Snapshot

# What the hub calls the measures; of the share of choices it knows nothing.
HUB_METRICS = {"srcc": "spearmanr", "lcc": "pearsonr", "ktau": "kendalltau", "mse": "mse", AGREEMENT: "accuracy"}
SIMULATED = (
    "**The raters behind these numbers are simulated.** They show that the loop of rating and training works; they "
    "say nothing of how the model agrees with people."
)
USE = """```python
import soundfile, torch
from transformers import ClapModel, ClapProcessor

model, processor = ClapModel.from_pretrained("."), ClapProcessor.from_pretrained(".")
sound, rate = soundfile.read("clip.wav", dtype="float32")  # mono, {rate:,} Hz, at most {window:g} s
inputs = processor(text=["A dog barks"], audio=sound, sampling_rate=rate, return_tensors="pt", padding=True)
with torch.inference_mode():
    found = model.eval()(**inputs)
print(float((found.audio_embeds * found.text_embeds).sum()))  # the cosine
```"""
SCORE = """```sh
python -m modeling score --model . --audio clip.wav --text "A dog barks"
```"""
LIMITS = (
    "It is for ranking and comparing how well clips match captions, over many pairs. A single score is off by about "
    "`score_sd` points; it is no verdict on a clip, and no measure of how good a clip sounds.",
    "It was judged on captions and clips of the test above that it had not been trained on. These numbers do not cover "
    "other sounds, systems, wording and languages than that test's; measure again there.",
    "One window is {window:g} s. Earmark covers a longer clip by fixed windows and takes their mean; plain "
    "transformers cuts it at random, so that its cosine changes from call to call.",
    "Whoever optimises a system against this score will find what the score does not hear: keep people in the loop.",
)


@dataclass(frozen=True)
class Window:
    """What the front end takes: `rate` in Hz, `seconds` at once."""

    rate: int
    seconds: float


def window_of(clap: Clap) -> Window:
    return Window(clap.log_mel.sample_rate, clap.log_mel.window_samples / clap.log_mel.sample_rate)


def base_of(model_name: str, config: TrainingConfig) -> str:
    """The model that a run started from, as a configuration names it: where one could not be had, the built-in one."""
    return config.model if model_name == config.model else BUILTIN


def model_card(result: TrainingResult, snapshot: Snapshot, config: TrainingConfig, window: Window) -> str:
    """The whole of README.md. Names from the snapshot and the configuration are hostile text and stay text."""
    licence = licence_of(base_of(result.model_name, config))
    sections = [
        f"---\n{_front_matter(result, snapshot, config, licence)}\n---",
        f"# {_title(result)}",
        *_opening(result, snapshot),
        "## How well it agrees with people",
        *_agreement(result),
        "## What it was tuned on",
        _data(result, snapshot),
        "## How",
        _recipe(result, config),
        "## Use",
        "With plain transformers, the cosine:",
        USE.format(rate=window.rate, window=window.seconds),
        "With Earmark, the cosine and the score on 0 to 10 with its spread:",
        SCORE,
        "## What it is for, and what not",
        "\n".join(f"- {limit.format(window=window.seconds)}" for limit in LIMITS),
        "## Licence",
        in_markdown(licence.said),
    ]
    return "\n\n".join(sections) + "\n"


def _title(result: TrainingResult) -> str:
    return f"{in_markdown(own_name(result.model_name))}, tuned on human scores"


def ensemble_card(members: Sequence[str], licences: Collection[str]) -> str:
    """README.md of an ensemble whose members, model directories by these names, have these licences."""
    licence = next(iter(licences)) if len(licences) == 1 else "other"
    front = ModelCardData(license=licence, tags=["clap", "audio", "human-clap", "earmark", "ensemble"]).to_yaml()
    told = "The members have one licence" if len(licences) == 1 else "The members have different licences"
    sections = [
        f"---\n{front}\n---",
        f"# {len(members)} tuned CLAPs as one",
        "Their mean is the score; how far they lie apart is part of its uncertainty. What each was tuned on, and how "
        "well it agrees with people, its own card says:",
        "\n".join(f"- [{name}]({name}/{CARD})" for name in members),
        "## Use",
        SCORE,
        "Each member opens by itself with plain transformers.",
        "## Licence",
        f"{told}; each card names its own.",
    ]
    return "\n\n".join(sections) + "\n"


def is_hub_name(model: str) -> bool:
    """Whether a model is named by the hub's owner/name, and not by a directory that happens to be called so."""
    return HUB_NAME.fullmatch(model) is not None and not Path(model).is_dir()


def own_name(model: str) -> str:
    """A model's name without the way to it: where a directory lay on somebody's disk is nobody's business."""
    return model if is_hub_name(model) else model.rstrip("/\\").replace("\\", "/").rpartition("/")[2] or model


def _front_matter(result: TrainingResult, snapshot: Snapshot, config: TrainingConfig, licence: Licence) -> str:
    tags = ["clap", "audio", "human-clap", "earmark", *(["simulated"] if snapshot.is_simulated else [])]
    return ModelCardData(
        base_model=result.model_name if is_hub_name(result.model_name) else None,
        license=licence.name,
        library_name="transformers",
        pipeline_tag="feature-extraction",
        tags=tags,
        metrics=[HUB_METRICS[name] for name in result.tuned],
        model_name=one_line(f"{own_name(result.model_name)}, tuned on human scores"),
        eval_results=_eval_results(result, snapshot),
    ).to_yaml()


def _eval_results(result: TrainingResult, snapshot: Snapshot) -> list[EvalResult] | None:
    found = [
        EvalResult(
            task_type="feature-extraction",
            task_name="Relevance of a caption to a clip",
            dataset_type="earmark-snapshot",
            dataset_name=one_line(snapshot.test) or "a test",
            dataset_split="test",
            dataset_revision=snapshot.info.sha256,
            metric_type=HUB_METRICS[name],
            metric_name=f"{NAMES[name]} of the {result.judged} on held-out pairs",
            metric_value=value.value,
            metric_args={"low": value.low, "high": value.high, "confidence": 0.95, "n": value.n},
        )
        for name, value in result.tuned.items()
        if value.value is not None
    ]
    return found or None


def _opening(result: TrainingResult, snapshot: Snapshot) -> list[str]:
    told = [
        "CLAP, tuned on what people said of how well a clip matches a caption. It takes a clip and a text, and gives "
        "their cosine and a score on 0 to 10."
    ]
    told += [SIMULATED] if snapshot.is_simulated else []
    return told + ([f"Note: {in_markdown(result.note)}"] if result.note else [])


def _agreement(result: TrainingResult) -> list[str]:
    judged = "cosine" if result.judged == COSINE else "head's score"
    columns: dict[str, Mapping[str, MetricValue]] = {
        "base": result.base,
        "tuned": result.tuned,
        "difference": result.difference,
    }
    if result.tuned_score and result.judged == COSINE:
        columns["calibrated score"] = result.tuned_score
    lines = [
        f"| on {result.n_heldout:,} held-out pairs | {' | '.join(columns)} |",
        "|---" * (len(columns) + 1) + "|",
        *(
            f"| {NAMES[name]} | {' | '.join(interval(values.get(name)) for values in columns.values())} |"
            for name in result.tuned
        ),
    ]
    told = [
        "\n".join(lines),
        f"Base: the cosine of the untuned model. Tuned: the {judged}. In brackets 95 % intervals over captions; those "
        "of differences are paired.",
    ]
    if result.n_heldout_comparisons:
        return told
    return [
        *told,
        f"One rating against the mean of the others: SRCC {interval(result.one_vs_rest_srcc)}. What a perfect model "
        f"would reach against these ratings: SRCC {interval(result.ceiling_srcc)}.",
    ]


def _data(result: TrainingResult, snapshot: Snapshot) -> str:
    info = snapshot.info
    answers = f"{info.n_comparisons:,} comparisons" if result.n_train_comparisons else f"{info.n_ratings:,} ratings"
    rows = {
        "test": in_markdown(snapshot.test),
        "question": in_markdown(result.question),
        "answers": f"{answers} of {info.n_pairs:,} pairs by {info.n_raters:,} raters",
        "pairs": (
            f"{result.n_train:,} trained on, {result.n_validation:,} to choose the epoch and to calibrate, "
            f"{result.n_heldout:,} held out, {result.n_dropped:,} dropped because they share a clip with those"
        ),
        "frozen": f"{snapshot.created:%Y-%m-%d}",
        "snapshot": f"sha256 `{info.sha256}`",
    }
    return _table(rows)


def _recipe(result: TrainingResult, config: TrainingConfig) -> str:
    rows = {"base model": in_markdown(own_name(result.model_name)), "tuned": config.policy}
    if config.policy not in HEAD_POLICIES:
        losses = " + ".join(f"{weight:g} {name}" for name, weight in config.losses.items())
        rows |= {
            "losses": in_markdown(losses),
            "epochs": f"{result.epochs_run:,} run of at most {config.epochs:,}; the best on the validation pairs kept",
            "batches": f"{config.batch_size:,} pairs",
            "rates": f"{config.learning_rate:g} for projections, {config.tower_learning_rate:g} below",
        }
    return _table(rows | {"target": in_markdown(config.target), "seed": f"{config.seed}"})


def _table(rows: Mapping[str, str]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())])


def interval(value: MetricValue | None, spec: str = ".3f") -> str:
    """A value with its interval, as tables show it."""
    if value is None or value.value is None:
        return "undefined"
    if value.low is None or value.high is None:
        return f"{value.value:{spec}}"
    return f"{value.value:{spec}} [{value.low:{spec}}, {value.high:{spec}}]"
