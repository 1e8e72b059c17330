"""`manage.py write_snapshot`: a test's answers in a directory of the researcher's own."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from listening_tests.exceptions import Refused
from modeling.snapshot import read_snapshot
from tests.factories import make_test
from tests.worker.studies import make_study
from worker.models import DatasetSnapshot

pytestmark = pytest.mark.django_db


def written(slug: str, out: Path, *options: str) -> str:
    told = StringIO()
    call_command("write_snapshot", slug, str(out), *options, stdout=told)
    return told.getvalue()


def test_it_works(tmp_path: Path) -> None:
    test = make_study(n_heldout=3, n_train=3, ratings_per_pair=2)
    out = tmp_path / "new" / "snapshot"

    told = json.loads(written(test.slug, out, "--json"))

    found, row = read_snapshot(out), DatasetSnapshot.objects.get()
    assert told == {
        "out": str(out),
        "question": "relevance",
        "n_ratings": 12,
        "n_comparisons": 0,
        "n_pairs": 6,
        "n_raters": row.n_raters,
        "sha256": found.info.sha256,
    }
    assert row.sha256 == found.info.sha256, "a withdrawal marks what its ratings are in"
    assert all(path.stat().st_nlink == 1 for path in found.audio.values())
    assert [path.name for path in out.parent.iterdir()] == ["snapshot"]
    assert written(test.slug, tmp_path / "again").startswith("12 ratings of 6 pairs by ")


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    test = make_study(n_heldout=1, n_train=1)
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="is there already. A snapshot is written once; name another directory"):
        written(test.slug, tmp_path)
    with pytest.raises(Refused, match="cannot be written: File exists. Name a directory that can"):
        written(test.slug, tmp_path / "file" / "snapshot")
    with pytest.raises(Refused, match="asks no question named 'x'"):
        written(test.slug, tmp_path / "new", "--question", "x")
    with pytest.raises(Refused, match="There is no test with the address"):
        written("no-such", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert not DatasetSnapshot.objects.exists()


def test_a_test_without_answers_gives_an_empty_snapshot(tmp_path: Path) -> None:
    assert written(make_test().slug, tmp_path / "new").startswith("0 ratings of 0 pairs by 0 raters")
