"""The command line: `python -m modeling train | cross-fit | evaluate | score | ensemble | reproduce | make-model`.

Exit 0 done, 1 failed and explained, 2 errored (a fault of ours, with its traceback). Results go to standard output,
everything else to standard error.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from modeling.cache_place import cache_place
from modeling.config import PRESETS, ConfigError

MODELS = "a model directory, a hub name, builtin, or module:factory for an encoder of your own, whose code is run"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    # torch takes seconds to load: usage mistakes are answered before that.
    from modeling import commands, loading
    from modeling.training.team import leads

    loading.quieten_transformers()
    try:
        result, text = getattr(commands, options.command.replace("-", "_"))(options)
    except (ConfigError, *commands.EXPLAINED) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Exception:
        logging.exception("This should not have happened; please report it with the lines above.")
        return 2
    if leads():
        sys.stdout.write(json.dumps(result, indent=1, allow_nan=False) + "\n" if options.json else text + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m modeling", description="Tune CLAP on human scores, and score clips against captions."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_train(commands)
    _add_cross_fit(commands)
    _add_evaluate(commands)
    _add_score(commands)
    _add_ensemble(commands)
    _add_reproduce(commands)
    _add_make_model(commands)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _add_train(commands: Any) -> None:
    train = commands.add_parser("train", help="tune a model on a snapshot and report what it gained")
    train.add_argument("snapshot", type=Path, help="a snapshot directory")
    train.add_argument("out", type=Path, help="where the model and the report go")
    _add_recipe(train)


def _add_cross_fit(commands: Any) -> None:
    cross = commands.add_parser(
        "cross-fit", help="score a snapshot's training pairs, each by a model that has not learned from it"
    )
    cross.add_argument("snapshot", type=Path, help="a snapshot directory")
    cross.add_argument("out", type=Path, help="where predictions.csv goes")
    cross.add_argument("--folds", type=int, default=5, help="how many models are trained (default: %(default)s)")
    _add_recipe(cross)


def _add_recipe(command: argparse.ArgumentParser) -> None:
    command.add_argument("--preset", default="human-clap", help=f"one of {', '.join(PRESETS)}")
    command.add_argument("--config", type=Path, help="settings in TOML or JSON, laid over the preset's")
    command.add_argument("--question", default="", help="the question to train on, where the snapshot has several")
    _add_cache(command)


def _add_evaluate(commands: Any) -> None:
    evaluate = commands.add_parser("evaluate", help="measure models or predictions on a snapshot's held-out pairs")
    evaluate.add_argument("snapshot", type=Path, help="a snapshot directory")
    evaluate.add_argument("--question", default="", help="the question to measure on, where the snapshot has several")
    judged: dict[str, Any] = {"action": "append", "dest": "judged", "default": []}
    evaluate.add_argument("--model", type=lambda named: ("model", named), help=f"{MODELS}; may be repeated", **judged)
    evaluate.add_argument(
        "--predictions",
        type=lambda named: ("predictions", named),
        metavar="[NAME=]FILE",
        help="a CSV of pair,score or file,caption,score (or cosine), or XACLE's wav_file_name,pred_score; may be "
        "repeated. All stand in one table, with differences to what is named first",
        **judged,
    )
    evaluate.add_argument("--audio", type=Path, help="the folder of the files that --predictions names")
    _add_cache(evaluate)


def _add_score(commands: Any) -> None:
    score = commands.add_parser("score", help="score a clip against a text, or a table of pairs")
    score.add_argument("--model", required=True, help=MODELS)
    score.add_argument("--audio", type=Path, help="a clip")
    score.add_argument("--text", help="what the clip should sound like")
    score.add_argument("--pairs", type=Path, help="a CSV with the columns file,caption")
    score.add_argument("--out", type=Path, help="where the CSV with the scores goes")
    _add_cache(score)


def _add_cache(command: argparse.ArgumentParser) -> None:
    where = command.add_mutually_exclusive_group()
    where.add_argument(
        "--cache",
        type=Path,
        default=cache_place(),
        help="where log-mels and embeddings are kept between runs (default: EARMARK_CACHE, else %(default)s)",
    )
    where.add_argument("--no-cache", dest="cache", action="store_const", const=None, help="keep nothing between runs")


def _add_ensemble(commands: Any) -> None:
    ensemble = commands.add_parser("ensemble", help="make one model of several tuned ones")
    ensemble.add_argument("out", type=Path, help="where the ensemble goes")
    ensemble.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="the directory of a tuned model")


def _add_reproduce(commands: Any) -> None:
    reproduce = commands.add_parser("reproduce", help="make Human-CLAP's table: its variants and their base")
    reproduce.add_argument("snapshot", type=Path, help="a snapshot directory")
    reproduce.add_argument("out", type=Path, help="where the models and the table go; what is finished there is kept")
    reproduce.add_argument("--model", default="", help="the base, in place of the preset's")
    reproduce.add_argument("--preset", default="human-clap", help=f"one of {', '.join(PRESETS)}")
    reproduce.add_argument("--config", type=Path, help="settings in TOML or JSON, laid over the preset's")
    reproduce.add_argument("--question", default="", help="the question to train on, where the snapshot has several")
    _add_cache(reproduce)


def _add_make_model(commands: Any) -> None:
    make = commands.add_parser("make-model", help="make the built-in small CLAP from nothing (about 12 minutes)")
    make.add_argument("out", type=Path, help="where the model directory goes")


if __name__ == "__main__":
    sys.exit(main())
