"""What each command of `python -m modeling` does: options in, a JSON value and its text for people out."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from modeling import splits
from modeling.audio import AudioError
from modeling.builtin_clap.build import build_builtin
from modeling.config import load_config
from modeling.dataset import pair_set
from modeling.evaluation import pair_cosines, people, read_mels, values_as_json
from modeling.loading import ModelError, open_model
from modeling.metrics import METRICS, measure
from modeling.pair_table import PairTableError, score_table
from modeling.results import Progress, TrainingRefused
from modeling.scoring import Scorer
from modeling.snapshot import SnapshotError, read_snapshot
from modeling.training import report_json
from modeling.training import train as run_training

EXPLAINED = (SnapshotError, TrainingRefused, ModelError, AudioError, PairTableError)
NAMES = {"srcc": "SRCC", "lcc": "LCC", "ktau": "Kendall tau-b", "mse": "MSE (0 to 10)"}

Answer = tuple[dict[str, Any], str]


def train(options: Namespace) -> Answer:
    config = load_config(options.config, options.preset)
    with _bar() as bar:
        task = bar.add_task("reading", total=None)

        def show(progress: Progress) -> None:
            bar.update(task, description=_describe(progress), completed=progress.step, total=progress.total_steps)

        result = run_training(config, options.snapshot, options.out, on_progress=show)
    report = report_json(result, read_snapshot(options.snapshot)) | {"model_dir": str(result.model_dir)}
    lines = [result.note] if result.note else []
    lines += [
        f"{result.model_name}, tuned on {result.n_train} pairs, judged on {result.n_heldout} held-out pairs "
        f"({result.n_dropped} dropped because they share a clip).",
        *_table({name: report[name] for name in ("base", "tuned", "difference")}),
        *_people_lines(report),
        f"The tuned model is in {result.model_dir}.",
    ]
    return report, "\n".join(lines)


def evaluate(options: Namespace) -> Answer:
    snapshot = read_snapshot(options.snapshot)
    pairs = pair_set(snapshot)
    heldout = pairs.where(splits.HELDOUT)
    if len(heldout) < 2:
        raise TrainingRefused(
            f"The snapshot holds out {len(heldout)} pairs; at least 2 are needed to measure agreement."
        )
    clap = open_model(options.model)
    captions = [pairs.captions[number] for number in heldout]
    used, clip = np.unique(pairs.clip[heldout], return_inverse=True)
    with _bar() as bar:
        task = bar.add_task("scoring", total=2 * len(used))
        mels = read_mels(clap, snapshot, [pairs.clips[number] for number in used], lambda: bar.advance(task))
        cosines = pair_cosines(clap, clip, captions, mels, lambda: bar.advance(task))
    values = measure(cosines, pairs.human_mean[heldout], [splits.fold_caption(caption) for caption in captions])
    one_vs_rest, ceiling = people(pairs)
    agreement = values_as_json(values)
    report = {
        "n_heldout": len(heldout),
        "model": clap.name,
        "note": clap.note,
        "agreement": agreement,
        "one_vs_rest_srcc": one_vs_rest.as_dict(),
        "ceiling_srcc": ceiling.as_dict(),
        "snapshot_sha256": snapshot.info.sha256,
    }
    lines = [clap.note] if clap.note else []
    lines += [
        f"{clap.name} on {len(heldout)} held-out pairs:",
        *_table({"agreement": agreement}),
        *_people_lines(report),
    ]
    return report, "\n".join(lines)


def score(options: Namespace) -> Answer:
    one, table = options.audio is not None and options.text is not None, options.pairs and options.out
    if bool(one) == bool(table) or (table and (options.audio or options.text)):
        raise PairTableError(["Name either --audio FILE and --text TEXT, or --pairs CSV and --out CSV."])
    scorer = Scorer.open(options.model)
    if table:
        with _bar() as bar:
            task = bar.add_task("scoring", total=None)
            rows = score_table(scorer, options.pairs, options.out, lambda: bar.advance(task))
        return {"rows": rows, "out": str(options.out)}, f"{rows} rows scored into {options.out}."
    value = scorer.score(options.audio, options.text)
    spread = "" if value.score_sd is None else f" (SD {value.score_sd:.2f})"
    text = f"cosine {value.cosine:.6f}, score {value.score:.2f} of 10{spread}"
    return {"cosine": value.cosine, "score": value.score, "score_sd": value.score_sd}, text


def make_model(options: Namespace) -> Answer:
    console = Console(stderr=True)
    build_builtin(options.out, report=console.print)
    return {"out": str(options.out)}, f"The model is in {options.out}."


def _bar() -> Bar:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Bar(*columns, console=Console(stderr=True), transient=True)


def _describe(progress: Progress) -> str:
    words = [progress.phase]
    words += [f"loss {progress.loss:.3f}"] if progress.loss is not None else []
    words += [f"validation SRCC {progress.validation_srcc:.3f}"] if progress.validation_srcc is not None else []
    return ", ".join(words)


def _table(columns: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> list[str]:
    lines = []
    for metric in METRICS:
        cells = [f"{name} {_interval(values[metric])}" for name, values in columns.items()]
        lines.append(f"  {NAMES[metric]:14} " + "   ".join(cells))
    return lines


def _people_lines(report: Mapping[str, Any]) -> list[str]:
    return [
        f"  One rating against the rest: SRCC {_interval(report['one_vs_rest_srcc'])}.",
        f"  Ceiling of these ratings:    SRCC {_interval(report['ceiling_srcc'])}.",
    ]


def _interval(value: Mapping[str, float | None]) -> str:
    if value["value"] is None:
        return "undefined"
    if value["low"] is None:
        return f"{value['value']:.3f}"
    return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
