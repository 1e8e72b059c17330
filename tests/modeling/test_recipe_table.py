"""The tables of recipes: what they say of finished runs, and the worlds that the runs are on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.recipe_table import tables
from benchmarks.recipe_table.recipes import RECIPES
from benchmarks.recipe_table.worlds import make_world, with_fewer
from modeling.config import TrainingConfig, override
from modeling.snapshot import read_snapshot


def run(name: str, seed: int, noise: float, table: str = "losses") -> dict[str, Any]:
    """A run on 80 pairs of 20 captions whose predictions are the truth with this much noise."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=80)
    seen = {key: (truth + rng.normal(size=80) * sd).tolist() for key, sd in (("base", 9), ("tuned", noise))}
    captions = [f"caption {place // 4}" for place in range(80)]
    heldout = {"caption": captions, "human": truth.tolist(), "truth": truth.tolist(), **seen}
    return {"table": table, "name": name, "seed": seed, "heldout": heldout}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_it_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [run("default", seed, 0.5) for seed in (1, 2)] + [run("mse", seed, 2.0) for seed in (1, 2)]
    assert tables.write(write(tmp_path / "runs", [*rows, run("250 ratings", 1, 3.0, "curve")])) == 0
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [line[0] for line in lines] == [
        "| ",
        "| ---",
        "| untuned",
        "| default",
        "| mse",
        "| ",
        "| ---",
        "| 250 ratings",
    ]
    untuned, default, mse = lines[2:5]
    assert default[1] == mse[1] == "2"
    assert float(untuned[2].split()[0]) < float(mse[2].split()[0]) < float(default[2].split()[0])
    assert mse[3].startswith("-0.")
    assert default[3] == ""


def test_a_default_that_is_beaten_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [run("default", seed, 2.0) for seed in (1, 2)] + [run("mse", seed, 0.2) for seed in (1, 2)]
    assert tables.write(write(tmp_path / "runs", rows)) == 1
    assert capsys.readouterr().out.endswith("Better than the default: losses, mse.\n")


def test_every_recipe_is_a_configuration() -> None:
    assert all(override(TrainingConfig(), recipe.changes) for recipe in RECIPES)
    assert len({(recipe.table, recipe.name) for recipe in RECIPES}) == len(RECIPES)


def test_with_fewer_ratings_the_same_pairs_are_held_out(tmp_path: Path) -> None:
    whole = read_snapshot(make_world(tmp_path / "world", seed=1, n_captions=8))
    fewer = read_snapshot(with_fewer(tmp_path / "world" / "snapshot", tmp_path / "fewer", n_ratings=40, seed=1))
    of_whole, of_fewer = ([(r.rating, r.score) for r in s.ratings if r.split == "heldout"] for s in (whole, fewer))
    assert of_whole == of_fewer
    assert len(fewer.ratings) - len(of_fewer) == 40
    with pytest.raises(ValueError, match=r"ratings that are not held out, fewer than 9000\.$"):
        with_fewer(tmp_path / "world" / "snapshot", tmp_path / "more", n_ratings=9_000, seed=1)
