"""Exports: every answer with all that is known of it, in three formats that say the same."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import example, given
from hypothesis import strategies as st

from listening_tests.answer_files.cells import neutral, original
from listening_tests.answer_files.columns import COLUMNS, NAMES, Type, dictionary
from listening_tests.choices import TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import Comparison, ListeningTest, Rating, RuleOutcome
from listening_tests.services.exports import FORMATS, answer_rows, answers_export
from listening_tests.wanted_answers import answers_wanted
from tests.collection.answered import HOSTILE, make_answered
from tests.collection.shell import run_command
from tests.factories import make_test

KINDS = ("rating", "comparison", "side_by_side")
DOCS = Path(__file__).parents[2] / "docs" / "EXPORT.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where nothing else lies."""
    path = tmp_path / "out"
    path.mkdir()
    return path


def exported(test: ListeningTest, file_format: str, folder: Path) -> Path:
    path = folder / f"answers.{file_format}"
    answers_export(test=test, file_format=file_format, path=path)
    return path


def rows_of(path: Path) -> list[dict[str, Any]]:
    """A file read by other means than ours: values as texts, numbers and times as they are in each format."""
    if path.suffix == ".csv":
        return list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_bytes().decode().split("\n") if line]
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


@pytest.mark.django_db
def test_it_works(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    test = make_answered(TestKind.RATING)
    out = folder / "answers.csv"

    code, told, _ = run_command(monkeypatch, capsys, "export_ratings", test.slug, "--format", "csv", "--out", str(out))

    assert (code, told) == (0, f"Wrote 18 answers of the test {test.slug} to {out}.\n")
    assert os.listdir(folder) == ["answers.csv"]
    table = pd.read_csv(out)
    assert list(table.columns) == list(NAMES)
    assert sorted(table["answer_uuid"]) == sorted(map(str, Rating.objects.values_list("uuid", flat=True)))
    assert table["submitted_at"].is_monotonic_increasing
    first = Rating.objects.select_related("assignment__session", "rater", "pair__clip").order_by("submitted_at", "pk")[
        0
    ]
    row = table.iloc[0]
    assert row["rater"] == str(first.rater.uuid)
    assert row["session_uuid"] == str(first.assignment.session.uuid)
    assert (row["position"], row["propensity"]) == (first.assignment.position, first.assignment.propensity)
    assert row["clip_sha256"] == first.pair.clip.sha256
    assert (row["device"], row["consent_version"], row["session_status"]) == ("headphones", 1, "complete")
    assert json.loads(row["exclusions"]) == [
        {"rule": "anchors", "version": 1, "reason": "All high."},
        {"rule": "too-fast", "version": 2, "reason": '=cmd "said"; so\n(犬)'},
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_the_three_formats_say_the_same(kind: str, folder: Path) -> None:
    test = make_answered(kind)
    by_csv, by_json, by_parquet = (rows_of(exported(test, file_format, folder)) for file_format in FORMATS)

    assert len(by_csv) == len(by_json) == len(by_parquet) > 0
    for cells, said, typed in zip(by_csv, by_json, by_parquet, strict=True):
        assert list(cells) == list(said) == list(typed) == list(NAMES)
        for column in COLUMNS:
            assert_same(column.type, cells[column.name], said[column.name], typed[column.name])


def assert_same(kind: Type, cell: str, said: Any, typed: Any) -> None:
    if said is None:
        assert (cell, typed) == ("", None)
    elif kind in (Type.NUMBER, Type.INTEGER):
        assert float(cell) == said == typed
    elif kind == Type.TRUTH:
        assert (cell == "true") is said is typed
    elif kind == Type.TIME:
        assert cell == said
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00", said)
        assert datetime.fromisoformat(said) == typed
    else:
        assert original(cell) == said == typed


@pytest.mark.django_db
def test_what_screening_found_of_the_rater_stands_beside_each_answer(folder: Path) -> None:
    test = make_answered(TestKind.RATING)
    looked_at = Rating.objects.order_by("pk")[0].rater
    for rule, outcome in (("anchors", "failed"), ("too-fast", "unchecked")):
        RuleOutcome.objects.create(
            **{"test": test, "rater": looked_at, "rule": rule, "version": 1, "outcome": outcome, "limit": 5, "n": 3},
            **{"for_pay": False, "for_use": True, "computed_at": timezone.now()},
        )

    rows = rows_of(exported(test, "jsonl", folder))

    told = {row["rater"]: (row["check_anchors"], row["check_too_fast"], row["check_gold"]) for row in rows}
    assert told.pop(str(looked_at.uuid)) == ("failed", "unchecked", None)
    assert set(told.values()) == {(None, None, None)}


@pytest.mark.django_db
@pytest.mark.parametrize("file_format", FORMATS)
def test_captions_come_out_byte_for_byte(file_format: str, folder: Path) -> None:
    test = make_answered(TestKind.RATING, n_captions=len(HOSTILE), n_raters=1)

    rows = rows_of(exported(test, file_format, folder))

    captions = {row["caption"] for row in rows}
    assert (set(map(original, captions)) if file_format == "csv" else captions) == set(HOSTILE)


@pytest.mark.django_db
def test_no_cell_of_a_csv_runs_in_a_spreadsheet(folder: Path) -> None:
    test = make_answered(TestKind.SIDE_BY_SIDE, n_captions=len(HOSTILE), n_raters=1)
    numbers = {column.name for column in COLUMNS if column.type in (Type.NUMBER, Type.INTEGER)}

    for row in rows_of(exported(test, "csv", folder)):
        for name, cell in row.items():
            if name not in numbers:
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), name


@given(st.text())
@example("=1")
@example("'=1")
@example("''=1")
@example("'")
@example("''")
@example("'tis")
@example(" =1")
@example("\t1")
@example("＝1")
def test_an_apostrophe_is_put_and_taken_away_again(text: str) -> None:
    assert original(neutral(text)) == text
    assert not neutral(text).lstrip().startswith(("=", "+", "-", "@"))
    assert not neutral(text).startswith(("\t", "\r", "\n"))


@given(st.from_regex(r"'*[=+\-@\t'a ]*", fullmatch=True))
def test_texts_that_differ_stay_so(text: str) -> None:
    others = [text[1:], "'" + text, "=" + text]
    assert len({neutral(one) for one in {text, *others}}) == len({text, *others})


@pytest.mark.django_db
def test_numbers_come_out_to_the_bit(folder: Path) -> None:
    test = make_answered(TestKind.RATING)
    stored = sorted(Rating.objects.filter(question__name="order").values_list("score", flat=True))
    assert stored[0] != round(stored[0], 15)

    for file_format in FORMATS:
        rows = rows_of(exported(test, file_format, folder))
        assert sorted(float(row["score"]) for row in rows if row["question"] == "order") == stored
        assert {float(row["expected_min"]) for row in rows} == {0.1 + 0.2}


@pytest.mark.django_db
def test_a_test_without_answers_gives_a_file_without_rows(folder: Path) -> None:
    test = make_test()
    for file_format in FORMATS:
        assert rows_of(exported(test, file_format, folder)) == []
    assert (folder / "answers.csv").read_text().strip() == ",".join(NAMES)


@pytest.mark.django_db
def test_a_comparison_has_two_of_everything(folder: Path) -> None:
    test = make_answered(TestKind.COMPARISON)

    row = rows_of(exported(test, "jsonl", folder))[0]

    comparison = Comparison.objects.get(uuid=row["answer_uuid"])
    assert (row["choice"], row["score"], row["place"]) == (comparison.choice, None, None)
    assert (row["pair_uuid"], row["other_pair_uuid"]) == (str(comparison.first.uuid), str(comparison.second.uuid))
    assert (row["system"], row["other_system"]) == (comparison.first.system, comparison.second.system)
    assert (row["heard_s"], row["other_plays"]) == (comparison.first_heard_s, comparison.second_plays)


@pytest.mark.django_db
def test_one_query_reads_them_all(django_assert_max_num_queries: Any) -> None:
    test = make_answered(TestKind.SIDE_BY_SIDE)
    with django_assert_max_num_queries(3):
        assert len(list(answer_rows(answers=answers_wanted(test=test)))) == 24


@pytest.mark.django_db
def test_what_cannot_be_written_is_refused(folder: Path) -> None:
    test = make_answered(TestKind.RATING, n_raters=1)
    nowhere = folder / "nowhere" / "a.csv"
    for path, sentence in (
        (folder, f"{folder} is a folder. Give the path of a file."),
        (nowhere, f"{nowhere} cannot be written (No such file or directory). Choose a folder that is there."),
    ):
        with pytest.raises(Refused) as refused:
            answers_export(test=test, file_format="csv", path=path)
        assert str(refused.value) == sentence
    assert list(folder.iterdir()) == []
    with pytest.raises(Refused, match="There is no format xml. Choose from: csv, jsonl, parquet."):
        answers_export(test=test, file_format="xml", path=folder / "a")


@pytest.mark.django_db
def test_an_export_that_fails_leaves_the_file_that_was_there(folder: Path) -> None:
    test = make_answered(TestKind.RATING, n_raters=1)
    path = folder / "answers.csv"
    path.write_text("before")

    def fail(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers_export(test=test, file_format="csv", path=path, on_progress=fail)
    assert path.read_text() == "before"
    assert list(folder.iterdir()) == [path]


@pytest.mark.django_db
def test_there_is_no_such_test() -> None:
    with pytest.raises(Refused, match="There is no test nowhere. The dashboard lists the tests that there are."):
        call_command("export_ratings", "nowhere", "--format", "csv", "--out", "x.csv")


def test_the_data_dictionary_lists_every_column() -> None:
    assert dictionary() in DOCS.read_text(encoding="utf-8")


def test_the_web_server_does_not_load_pyarrow() -> None:
    program = (
        "import sys, django; django.setup(); import webapp.urls, listening_tests.services.exports, "
        "listening_tests.services.rating_imports; sys.exit('pyarrow' in sys.modules)"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "webapp.settings"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)  # noqa: S603 -- our own words
