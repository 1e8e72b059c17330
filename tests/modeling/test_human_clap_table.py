"""Human-CLAP's table: the base and its variants on the same pairs, made once, and gone on with where it stopped."""

import csv
import json
from pathlib import Path

import pytest

from modeling import human_clap_table as tables
from modeling.__main__ import main
from modeling.config import HUMAN_CLAP_VARIANTS
from modeling.snapshot import read_snapshot
from tests.modeling.worlds import write_rows

SETTINGS = ["--preset", "small", "--model", "builtin"]


@pytest.fixture(scope="module")
def few(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 held-out and 12 training pairs of the world."""
    snapshot = read_snapshot(world)
    pairs = {row.pair: row.split for row in snapshot.ratings}
    chosen = {
        name for part, n in (("heldout", 30), ("train", 12)) for name in [p for p in pairs if pairs[p] == part][:n]
    }
    out = tmp_path_factory.mktemp("few") / "snapshot"
    write_rows(out, [row for row in snapshot.ratings if row.pair in chosen], snapshot.audio)
    return out


@pytest.fixture(autouse=True)
def one_epoch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two of the variants, for one epoch; all six are walked by `python -m benchmarks reproduce`."""
    monkeypatch.setattr(
        tables, "HUMAN_CLAP_VARIANTS", {name: HUMAN_CLAP_VARIANTS[name] for name in ("mse", "wsce-mae")}
    )
    (tmp_path / "config.toml").write_text("epochs = 1\n")


def test_it_works(few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    command = ["reproduce", str(few), str(out), *SETTINGS, "--config", str(tmp_path / "config.toml")]
    assert main([*command, "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table == json.loads((out / "table.json").read_text())
    assert [row["variant"] for row in table["rows"]] == ["base", "mse", "wsce-mae"]
    base, mse, _ = table["rows"]
    assert base["difference"] is None
    gain = mse["difference"]["srcc"]["value"]
    assert gain == pytest.approx(mse["agreement"]["srcc"]["value"] - base["agreement"]["srcc"]["value"])
    assert json.loads((out / "mse" / "report.json").read_text())["tuned"] == mse["agreement"]
    with (out / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["variant"], row["metric"]) for row in rows][:5] == [
        *(("base", name) for name in ("srcc", "lcc", "ktau", "mse")),
        ("mse", "srcc"),
    ]
    assert float(rows[4]["difference"]) == gain
    assert rows[0]["difference"] == ""

    stamps = {path: path.stat().st_mtime_ns for path in out.glob("*/*.json")}
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/*.json")} == stamps, "nothing is run twice"
    told = capsys.readouterr().out
    assert told == (out / "table.md").read_text()
    assert told.startswith("| 30 held-out pairs | SRCC | LCC | Kendall tau-b | MSE (0 to 10) | gain in SRCC |\n")
    assert "Base: Earmark's built-in small CLAP." in told

    assert main(["reproduce", str(few), str(out), *SETTINGS]) == 1
    assert capsys.readouterr().err.lstrip() == (
        f"{out / 'mse'} holds a run of other settings or another snapshot; name another directory.\n"
    )
