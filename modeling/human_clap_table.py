"""The table of Human-CLAP (arXiv 2506.23553) on a snapshot: the untuned model beside each published choice of losses.

All are tuned on the same training pairs with the same settings but for the losses, and measured on the same held-out
pairs. What is finished is not run again, so that a table that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from modeling.config import HUMAN_CLAP_VARIANTS, TrainingConfig, override
from modeling.evaluation import write_json
from modeling.kept_arrays import KeptArrays
from modeling.metrics import NAMES, MetricValue
from modeling.model_card import interval
from modeling.plain_text import in_markdown
from modeling.results import Progress, TrainingRefused
from modeling.snapshot import SnapshotError, read_snapshot
from modeling.training import train
from modeling.training.run import CONFIG, REPORT
from modeling.training.team import assemble

TABLE = "table"
BASE = "base"
COLUMNS = ("variant", "metric", "value", "low", "high", "n", "difference", "difference_low", "difference_high")
# Told which variant is trained, and how far its run is.
OnVariant = Callable[[str, Progress], None]


def human_clap_table(
    config: TrainingConfig,
    snapshot_dir: Path,
    out: Path,
    on_progress: OnVariant | None = None,
    cache: KeptArrays | None = None,
) -> dict[str, Any]:
    """Tune each variant into a directory of its own in `out`, and write `out/table.json`, `.csv` and `.md`.

    `config` gives all but the losses; `cache` is that of `training.train`. Returns what `table.json` holds: `rows`, one
    for the base and one a variant, each with `variant`, `agreement` and, but for the base, `difference` to the base
    with paired intervals. Raises `TrainingRefused` where a run is refused, or a directory holds one of other settings.
    """
    if assemble().size > 1:
        raise TrainingRefused("The table is made by one process; start it without accelerate launch.")
    reports = {}
    for name, losses in HUMAN_CLAP_VARIANTS.items():
        variant = override(config, {"losses": losses})
        told = partial(on_progress, name) if on_progress else None
        reports[name] = _report(variant, snapshot_dir, out / name, told, cache)
    table = _table(reports)
    write_json(out / f"{TABLE}.json", table)
    _write_csv(out / f"{TABLE}.csv", table)
    (out / f"{TABLE}.md").write_text(as_markdown(table), encoding="utf-8")
    return table


def _report(
    config: TrainingConfig,
    snapshot_dir: Path,
    out: Path,
    on_progress: Callable[[Progress], None] | None,
    cache: KeptArrays | None,
) -> dict[str, Any]:
    if (out / REPORT).exists():
        _refuse_other(config, snapshot_dir, out)
    else:
        train(config, snapshot_dir, out, on_progress=on_progress, cache=cache)
    report: dict[str, Any] = json.loads((out / REPORT).read_text(encoding="utf-8"))
    return report


def _refuse_other(config: TrainingConfig, snapshot_dir: Path, out: Path) -> None:
    try:
        settings = json.loads((out / CONFIG).read_text(encoding="utf-8"))
        sha256 = json.loads((out / REPORT).read_text(encoding="utf-8"))["snapshot_sha256"]
        same = settings == config.as_dict() and sha256 == read_snapshot(snapshot_dir).info.sha256
    except (OSError, ValueError, KeyError, TypeError):
        same = False
    except SnapshotError as error:
        raise TrainingRefused(str(error)) from error
    if not same:
        raise TrainingRefused(f"{out} holds a run of other settings or another snapshot; name another directory.")


def _table(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    first = next(iter(reports.values()))
    same = ("model", "question", "n_train", "n_heldout", "one_vs_rest_srcc", "ceiling_srcc", "snapshot_sha256")
    rows = [{"variant": BASE, "agreement": first["base"], "difference": None}]
    rows += [
        {"variant": name, "agreement": report["tuned"], "difference": report["difference"]}
        for name, report in reports.items()
    ]
    notes = dict.fromkeys(report["note"] for report in reports.values() if report["note"])
    return {name: first[name] for name in same} | {"note": " ".join(notes), "rows": rows}


def as_markdown(table: Mapping[str, Any]) -> str:
    """The table for people: each measure with its 95 % interval, and what each variant gains on the base in SRCC."""
    measures = [name for name in table["rows"][0]["agreement"] if name in NAMES]
    lines = [
        f"| {table['n_heldout']:,} held-out pairs | {' | '.join(NAMES[name] for name in measures)} | gain in SRCC |",
        "|---" * (len(measures) + 2) + "|",
        *(_row(row, measures) for row in table["rows"]),
    ]
    told = [
        "\n".join(lines),
        f"Base: {in_markdown(table['model'])}. In brackets 95 % intervals over captions, paired for the gain.",
        f"One rating against the mean of the others: SRCC {_shown(table['one_vs_rest_srcc'])}. What a perfect model "
        f"would reach against these ratings: SRCC {_shown(table['ceiling_srcc'])}.",
    ]
    told += [f"Note: {in_markdown(table['note'])}"] if table["note"] else []
    return "\n\n".join(told) + "\n"


def _row(row: Mapping[str, Any], measures: list[str]) -> str:
    gain = "" if row["difference"] is None else _shown(row["difference"]["srcc"], "+.3f")
    return f"| {row['variant']} | {' | '.join(_shown(row['agreement'][name]) for name in measures)} | {gain} |"


def _shown(value: Mapping[str, Any], spec: str = ".3f") -> str:
    return interval(MetricValue(**value), spec)


def _write_csv(path: Path, table: Mapping[str, Any]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in table["rows"]:
            for name, value in row["agreement"].items():
                gain = (row["difference"] or {}).get(name, {})
                measured = [value[key] for key in ("value", "low", "high", "n")]
                writer.writerow([row["variant"], name, *measured, *(gain.get(key) for key in ("value", "low", "high"))])
