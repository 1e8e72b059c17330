"""The tables of recipes on the generated world, three seeds each, and the learning curve.

    python -m benchmarks.recipe_table [--out FILE] [--seeds 11 12 13] [--captions 300] [--share 0/2] [--tables]

A run is a line of the file as soon as it is over, and is not run again; shares may run at the same time. `--tables`
runs nothing and prints the tables. Fails where a recipe agrees better with people than the preset, in all seeds
together, beyond what chance explains: then the default is not the one that the table supports.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.recipe_table import tables
from benchmarks.recipe_table.recipes import RECIPES, Recipe
from benchmarks.recipe_table.worlds import TRUTH, make_world, with_fewer
from modeling import metrics
from modeling.config import PRESETS, override
from modeling.kept_arrays import KeptArrays
from modeling.loading import quieten_transformers
from modeling.snapshot import read_snapshot
from modeling.splits import HELDOUT
from modeling.training import train

# The curve goes to 4,000 ratings beside those held out, which a world of the demo's size lacks.
CURVE_CAPTIONS = 340
KEPT_BYTES = 4 * 2**30


def run(recipe: Recipe, seed: int, n_captions: int, home: Path) -> dict[str, Any]:
    """Train by the recipe; what it came to on the held-out pairs, and its predictions there."""
    wanted = CURVE_CAPTIONS if recipe.ratings else n_captions
    world = home / f"world-{seed}-{wanted}"
    whole = snapshot = make_world(world, seed=seed, n_captions=wanted)
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        if recipe.ratings:
            snapshot = with_fewer(whole, Path(scratch) / "snapshot", n_ratings=recipe.ratings, seed=seed)
        started = time.perf_counter()
        config = override(PRESETS["small"], {"seed": seed, **recipe.changes})
        result = train(config, snapshot, Path(scratch) / "out", cache=KeptArrays(home / "kept", KEPT_BYTES))
        seconds = time.perf_counter() - started
    truth = json.loads((world / TRUTH).read_text())
    captions = {row.pair: row.caption for row in read_snapshot(whole).ratings}
    heldout = [item for item in result.predictions if item.split == HELDOUT]
    found = {
        "caption": [captions[item.pair] for item in heldout],
        "human": [item.human_mean for item in heldout],
        "truth": [truth[item.pair] for item in heldout],
        "base": [round(item.base_cosine, 7) for item in heldout],
        "tuned": [round(item.tuned_cosine, 7) for item in heldout],
    }
    return {
        "table": recipe.table,
        "name": recipe.name,
        "seed": seed,
        "srcc": result.tuned["srcc"].as_dict(),
        "mse": result.tuned["mse"].as_dict(),
        "base_srcc": result.base["srcc"].as_dict(),
        "true_srcc": metrics.srcc(found["tuned"], found["truth"]),
        "ceiling": result.ceiling_srcc.value,
        "n_train": result.n_train,
        "epochs": result.epochs_run,
        "seconds": round(seconds, 1),
        "heldout": found,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="a file of JSON lines; a temporary one unless named")
    parser.add_argument("--home", type=Path, help="where the worlds are kept; a temporary directory unless named")
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    parser.add_argument("--captions", type=int, default=300)
    parser.add_argument("--share", default="0/1", help="which of how many equal shares of the runs to do")
    parser.add_argument("--only", nargs="+", help="the tables or recipes to run")
    parser.add_argument("--tables", action="store_true", help="print the tables of what the file holds")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out or Path(scratch) / "runs.jsonl"
        if not options.tables:
            _run_all(options, out, options.home or Path(scratch))
        return tables.write(out)


def _run_all(options: argparse.Namespace, out: Path, home: Path) -> None:
    torch.set_num_threads(1)
    quieten_transformers()
    home.mkdir(parents=True, exist_ok=True)
    share, of = map(int, options.share.split("/"))
    chosen = [recipe for recipe in RECIPES if not options.only or {recipe.table, recipe.name} & set(options.only)]
    wanted = [(recipe, seed) for recipe in chosen for seed in options.seeds]
    for recipe, seed in wanted[share::of]:
        if any(
            (row["table"], row["name"], row["seed"]) == (recipe.table, recipe.name, seed) for row in tables.read(out)
        ):
            continue
        row = run(recipe, seed, options.captions, home)
        # One write of a whole line: two shares may append at the same time.
        with out.open("ab", buffering=0) as file:
            file.write(json.dumps(row).encode() + b"\n")
            os.fsync(file.fileno())
        sys.stdout.write(f"{recipe.table}, {recipe.name}, seed {seed}: {row['srcc']['value']} ({row['seconds']} s)\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
