"""docs/REPRODUCE.md, its three commands, walked on generated sounds and simulated ratings in RELATE's layout.

Fails where a command does, or where the data's own test part is not what is measured on.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.relate_stand_in import write_stand_in
from modeling.config import HUMAN_CLAP_VARIANTS

# Of the small built-in model, which stands in for LAION's: three epochs are enough to see the variants part.
SETTINGS = "epochs = 3\n"


def timed(*words: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)  # noqa: S603 -- our own words
    return time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--captions", type=int, default=60, help="each with four sounds (default: 60)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="emr-") as folder:
        return walk(Path(folder), options.captions)


def walk(folder: Path, n_captions: int) -> int:
    scores, sounds = write_stand_in(folder, n_captions=n_captions)
    (folder / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    snapshot, out = str(folder / "snapshot"), folder / "table"
    os.environ["EARMARK_HOME"] = str(folder / "h")
    timed("manage.py", "prepare", "--no-demo")
    relate = ("--layout", "relate", "--test", "relate", "--create", "--audio", str(sounds))
    table = ("--preset", "small", "--config", str(folder / "settings.toml"))
    commands = {
        "manage.py import_ratings": ("manage.py", "import_ratings", str(scores), *relate),
        "manage.py write_snapshot": ("manage.py", "write_snapshot", "relate", snapshot),
        "python -m modeling reproduce": ("-m", "modeling", "reproduce", snapshot, str(out), *table),
        "  again": ("-m", "modeling", "reproduce", snapshot, str(out), *table),
    }
    for name, words in commands.items():
        sys.stdout.write(f"{name}: {timed(*words):.0f} s\n")
        sys.stdout.flush()
    sys.stdout.write(f"\nSimulated raters, generated sounds, the built-in model:\n\n{(out / 'table.md').read_text()}")
    return check(scores, json.loads((out / "table.json").read_text(encoding="utf-8")))


def check(scores: Path, table: dict[str, object]) -> int:
    with scores.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["anchor label"] == "False"]
    tested = {(row["wavname"], row["text"]) for row in rows if row["in RELATE dataset"] == "test"}
    wrong = []
    if table["n_heldout"] != len(tested):
        wrong.append(f"{table['n_heldout']} pairs were measured on, and {len(tested)} are in the test part.")
    variants = [row["variant"] for row in table["rows"]]  # type: ignore[attr-defined]
    if variants != ["base", *HUMAN_CLAP_VARIANTS]:
        wrong.append(f"The table has the rows {', '.join(variants)}.")
    sys.stderr.writelines(f"{sentence}\n" for sentence in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
