"""The command line: `python -m modeling train | evaluate | score | make-model`.

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

from modeling.config import PRESETS, ConfigError


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

    loading.quieten_transformers()
    try:
        result, text = getattr(commands, options.command.replace("-", "_"))(options)
    except (ConfigError, *commands.EXPLAINED) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except Exception:
        logging.exception("This should not have happened; please report it with the lines above.")
        return 2
    sys.stdout.write(json.dumps(result, indent=1, allow_nan=False) + "\n" if options.json else text + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m modeling", description="Tune CLAP on human scores, and score clips against captions."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_train(commands)
    _add_evaluate(commands)
    _add_score(commands)
    _add_make_model(commands)
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _add_train(commands: Any) -> None:
    train = commands.add_parser("train", help="tune a model on a snapshot and report what it gained")
    train.add_argument("snapshot", type=Path, help="a snapshot directory")
    train.add_argument("out", type=Path, help="where the model and the report go")
    train.add_argument("--preset", default="human-clap", help=f"one of {', '.join(PRESETS)}")
    train.add_argument("--config", type=Path, help="settings in TOML or JSON, laid over the preset's")


def _add_evaluate(commands: Any) -> None:
    evaluate = commands.add_parser("evaluate", help="measure a model on a snapshot's held-out pairs")
    evaluate.add_argument("snapshot", type=Path, help="a snapshot directory")
    evaluate.add_argument("--model", required=True, help="a model directory, a hub name, or builtin")


def _add_score(commands: Any) -> None:
    score = commands.add_parser("score", help="score a clip against a text, or a table of pairs")
    score.add_argument("--model", required=True, help="a model directory, a hub name, or builtin")
    score.add_argument("--audio", type=Path, help="a clip")
    score.add_argument("--text", help="what the clip should sound like")
    score.add_argument("--pairs", type=Path, help="a CSV with the columns file,caption")
    score.add_argument("--out", type=Path, help="where the CSV with the scores goes")


def _add_make_model(commands: Any) -> None:
    make = commands.add_parser("make-model", help="make the built-in small CLAP from nothing (about 20 minutes)")
    make.add_argument("out", type=Path, help="where the model directory goes")


if __name__ == "__main__":
    sys.exit(main())
