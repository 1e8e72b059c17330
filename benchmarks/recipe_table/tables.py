"""Tables from the lines of finished runs: means over the seeds, with intervals over captions."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.recipe_table.recipes import DEFAULT, RECIPES
from modeling import metrics, resampling
from modeling.splits import fold_caption

Row = dict[str, Any]
Floats = npt.NDArray[np.float64]
CURVE = "curve"


@dataclass(frozen=True)
class Line:
    """A recipe over its seeds: SRCC, the default's subtracted on the same pairs, and SRCC with the truth."""

    name: str
    seeds: tuple[int, ...]
    srcc: str
    difference: str
    true_srcc: str
    is_better: bool = False


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def write(path: Path) -> int:
    """Print the tables; 1 where a recipe is better than the default."""
    rows = read(path)
    default = {row["seed"]: row for row in rows if row["name"] == DEFAULT}
    better = []
    for table in dict.fromkeys(recipe.table for recipe in RECIPES):
        names = [recipe.name for recipe in RECIPES if recipe.table == table]
        found = {name: [row for row in rows if (row["table"], row["name"]) == (table, name)] for name in names}
        lines = [_line(name, of_name, default) for name, of_name in found.items() if of_name]
        if table == "losses" and default:
            lines = [_line("untuned", list(default.values()), default, "base"), *lines]
        better += [f"{table}, {line.name}" for line in lines if line.is_better]
        sys.stdout.write(_shown(table, lines))
    sys.stdout.writelines(f"Better than the default: {name}.\n" for name in better)
    return 1 if better else 0


def _line(name: str, rows: Sequence[Row], default: dict[int, Row], model: str = "tuned") -> Line:
    comparable = [row for row in rows if row["seed"] in default and row["table"] != CURVE]
    drawn = [_resampled(row["heldout"], row["heldout"][model], row["seed"]) for row in rows]
    apart = [
        _resampled(row["heldout"], row["heldout"][model], row["seed"])
        - _resampled(row["heldout"], default[row["seed"]]["heldout"]["tuned"], row["seed"])
        for row in comparable
    ]
    true = [metrics.srcc(row["heldout"][model], row["heldout"]["truth"]) or 0.0 for row in rows]
    is_itself = name == DEFAULT or not apart
    return Line(
        name=name,
        seeds=tuple(row["seed"] for row in rows),
        srcc=_interval(np.mean(drawn, axis=0)),
        difference="" if is_itself else _interval(np.mean(apart, axis=0), "+.3f"),
        true_srcc=f"{np.mean(true):.3f}",
        is_better=not is_itself and bool(np.percentile(np.mean(apart, axis=0)[1:], 2.5) > 0),
    )


def _resampled(heldout: dict[str, list[Any]], predicted: list[float], seed: int) -> Floats:
    """SRCC of all pairs, then of 2,000 resamples of captions. Seeds are worlds of their own, and drawn on their own."""
    captions, human = [fold_caption(caption) for caption in heldout["caption"]], np.array(heldout["human"])
    draws = resampling.draw_captions(captions, n_resamples=metrics.N_RESAMPLES, seed=seed)
    resampled = resampling.srcc([np.array(predicted)], human, draws)[0]
    return np.concatenate([[metrics.srcc(predicted, human) or 0.0], resampled])


def _interval(values: Floats, spec: str = ".3f") -> str:
    """The first value, with the percentile interval of the others."""
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return f"{values[0]:{spec}} [{low:{spec}}, {high:{spec}}]"


def _shown(table: str, lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    apart = table != CURVE
    head = ["", "seeds", "SRCC", *(["less the default's"] if apart else []), "SRCC with the truth"]
    body = [
        [line.name, str(len(line.seeds)), line.srcc, *([line.difference] if apart else []), line.true_srcc]
        for line in lines
    ]
    shown = [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *body)]
    return f"\n{table}\n\n" + "\n".join(shown) + "\n"
