"""What each command of `python -m modeling` does: options in, a JSON value and its text for people out."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from rich.console import Console

from modeling.audio import AudioError
from modeling.builtin_clap.build import build_builtin
from modeling.cache_place import open_cache
from modeling.config import load_config, override
from modeling.cross_fitting import PREDICTIONS
from modeling.cross_fitting import cross_fit as run_cross_fit
from modeling.ensemble import EnsembleScore, open_scorer, write_ensemble
from modeling.evaluate_command import evaluate
from modeling.human_clap_table import as_markdown, human_clap_table
from modeling.loading import ModelError
from modeling.pair_table import PairTableError, score_table
from modeling.results import Progress, TrainingRefused
from modeling.snapshot import SnapshotError, read_snapshot
from modeling.terminal import bar_shown, people_lines, table_lines
from modeling.training import report_json
from modeling.training import train as run_training

__all__ = ["EXPLAINED", "cross_fit", "ensemble", "evaluate", "make_model", "reproduce", "score", "train"]

EXPLAINED = (SnapshotError, TrainingRefused, ModelError, AudioError, PairTableError)
Answer = tuple[dict[str, Any], str]


def train(options: Namespace) -> Answer:
    config = load_config(options.config, options.preset)
    config = override(config, {"question": options.question}) if options.question else config
    with bar_shown() as bar:
        task = bar.add_task("reading", total=None)

        def show(progress: Progress) -> None:
            bar.update(task, description=_describe(progress), completed=progress.step, total=progress.total_steps)

        result = run_training(config, options.snapshot, options.out, on_progress=show, cache=open_cache(options.cache))
    report = report_json(result, read_snapshot(options.snapshot)) | {"model_dir": str(result.model_dir)}
    lines = [result.note] if result.note else []
    lines += [
        f"Question: {result.question}.",
        f"{result.model_name}, tuned on {result.n_train} pairs, judged on {result.n_heldout} held-out pairs "
        f"({result.n_dropped} dropped because they share a clip).",
        *table_lines({name: report[name] for name in ("base", "tuned", "difference")}),
        *people_lines(report),
        f"The tuned model is in {result.model_dir}.",
    ]
    return report, "\n".join(lines)


def cross_fit(options: Namespace) -> Answer:
    config = load_config(options.config, options.preset)
    config = override(config, {"question": options.question}) if options.question else config
    with bar_shown() as bar:
        task = bar.add_task("reading", total=None)

        def show(fold: int, progress: Progress) -> None:
            told = f"fold {fold} of {options.folds}: {_describe(progress)}"
            bar.update(task, description=told, completed=progress.step, total=progress.total_steps)

        found = run_cross_fit(
            config,
            options.snapshot,
            options.out,
            folds=options.folds,
            on_progress=show,
            cache=open_cache(options.cache),
        )
    table = options.out / PREDICTIONS
    text = f"{len(found)} pairs, each scored by a model that has not learned from its fold, are in {table}."
    return {"rows": len(found), "folds": options.folds, "predictions": str(table)}, text


def score(options: Namespace) -> Answer:
    one, table = options.audio is not None and options.text is not None, options.pairs and options.out
    if bool(one) == bool(table) or (table and (options.audio or options.text)):
        raise PairTableError(["Name either --audio FILE and --text TEXT, or --pairs CSV and --out CSV."])
    scorer = open_scorer(options.model, open_cache(options.cache))
    if table:
        with bar_shown() as bar:
            task = bar.add_task("scoring", total=None)
            rows = score_table(
                scorer, options.pairs, options.out, lambda done, of: bar.update(task, completed=done, total=of)
            )
        return {"rows": rows, "out": str(options.out)}, f"{rows} rows scored into {options.out}."
    value = scorer.score(options.audio, options.text)
    around = "" if value.score_sd is None else f" (SD {value.score_sd:.2f})"
    text = f"cosine {value.cosine:.6f}, score {value.score:.2f} of 10{around}"
    if isinstance(value, EnsembleScore):
        text += f", the members {value.spread:.2f} apart"
    return asdict(value), text


def reproduce(options: Namespace) -> Answer:
    config = load_config(options.config, options.preset)
    told = {"model": options.model, "question": options.question}
    config = override(config, {name: value for name, value in told.items() if value})
    with bar_shown() as bar:
        task = bar.add_task("reading", total=None)

        def show(variant: str, progress: Progress) -> None:
            told = f"{variant}: {_describe(progress)}"
            bar.update(task, description=told, completed=progress.step, total=progress.total_steps)

        table = human_clap_table(config, options.snapshot, options.out, show, open_cache(options.cache))
    return table, as_markdown(table).rstrip()


def ensemble(options: Namespace) -> Answer:
    write_ensemble(options.out, options.models)
    n = len(options.models)
    return {"out": str(options.out), "members": n}, f"The ensemble of {n} models is in {options.out}."


def make_model(options: Namespace) -> Answer:
    console = Console(stderr=True)
    build_builtin(options.out, report=console.print)
    return {"out": str(options.out)}, f"The model is in {options.out}."


def _describe(progress: Progress) -> str:
    words = [progress.phase]
    words += [f"loss {progress.loss:.3f}"] if progress.loss is not None else []
    words += [f"validation {progress.validation:.3f}"] if progress.validation is not None else []
    return ", ".join(words)
