"""The first two commands of docs/REPRODUCE.md on a small stand-in of RELATE; a benchmark walks all three."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from benchmarks.relate_stand_in import write_stand_in
from listening_tests.models import Exclusion
from modeling.snapshot import read_snapshot

pytestmark = pytest.mark.django_db


def test_relates_own_split_reaches_the_snapshot(tmp_path: Path) -> None:
    scores, sounds = write_stand_in(tmp_path, n_captions=2, ratings_per_pair=3)
    with scores.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    relate = ["--layout", "relate", "--test", "relate", "--create", "--audio", str(sounds)]
    call_command("import_ratings", str(scores), *relate, stdout=StringIO())
    call_command("write_snapshot", "relate", str(tmp_path / "snapshot"), stdout=StringIO())

    found = read_snapshot(tmp_path / "snapshot")

    kept = [row for row in rows if row["in RELATE dataset"] != "excluded"]
    assert len(found.ratings) == len(kept)
    assert Exclusion.objects.count() == len(rows) - len(kept) > 0
    assert len(found.audio) == 8, "every sound was found in the zip"
    split = {row["text"]: row["in RELATE dataset"] for row in kept if row["anchor label"] == "False"}
    named = {"train": "train", "validation": "validation", "test": "heldout"}
    for row in found.ratings:
        assert row.split == (named[split[row.caption]] if row.role == "study" else None)
    assert {row.system for row in found.ratings} == {"audiocaps", "audioldm2", "tango", "tango2"}
