"""`manage.py import_clips`: everything that is refused, each with its sentence, and that nothing came in."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from listening_tests.choices import TestKind, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import Caption, Clip, ListeningTest, Pair
from listening_tests.services import manifests
from listening_tests.services.manifest_rows import ManifestRefused
from listening_tests.services.manifests import manifest_import
from tests.collection.shell import run_command
from tests.collection.sounds import encoded, write_manifest, write_sound
from tests.collection.test_audio_clips import stored_files
from tests.factories import make_test

pytestmark = pytest.mark.django_db
QUOTE_IT = "Put quotation marks around a cell that holds a comma."
ALL_COLUMNS = "file,caption,role,language,expected_min,expected_max"


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (ListeningTest, Pair, Clip, Caption))


def refusal(manifest: Path, *, slug: str = "trial", create: bool = True, **options: Any) -> str:
    before = counts(), stored_files()
    with pytest.raises(Refused) as refused:
        manifest_import(manifest=manifest, slug=slug, create=create, **options)
    assert (counts(), stored_files()) == before
    return str(refused.value)


def row_problems(folder: Path, rows: list[str], *, header: str = "file,caption", slug: str = "trial") -> list[str]:
    """What is said of the rows of a manifest, beside a good sound a.wav."""
    write_sound(folder, "a.wav")
    manifest = write_manifest(folder, rows, header=header)
    before = counts(), stored_files()
    with pytest.raises(ManifestRefused) as refused:
        manifest_import(manifest=manifest, slug=slug, create=True)
    assert (counts(), stored_files()) == before
    return [str(problem) for problem in refused.value.problems]


def test_every_bad_row_is_listed_with_its_line_and_none_comes_in(tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"no sound")
    (tmp_path / "silent.wav").write_bytes(encoded(np.zeros((48_000, 1), np.float32)))
    write_sound(tmp_path, "short.wav", seconds=0.05)
    rows = ["a.wav,Good", "b.wav,Rain", 'a.wav,"two\nlines"', "noise.wav,x", "silent.wav,x", "short.wav,x", "a.wav,"]
    problems = row_problems(tmp_path, rows)
    assert [problem.partition(":")[0] for problem in problems] == [f"line {line}" for line in (3, 6, 7, 8, 9)]
    assert problems[0] == ("line 3: b.wav is not there. Check the name, and that the file is in the manifest's folder.")
    assert problems[1].startswith("line 6: noise.wav cannot be decoded as wav, flac, ogg, mp3 or m4a (")
    assert problems[2].startswith("line 7: silent.wav is silent: its peak lies below -60 dBFS.")
    assert problems[3] == "line 8: short.wav lasts 0.050 s. A clip lasts between 0.1 and 60 s."
    assert problems[4] == "line 9: The caption is empty. Write what the rater shall compare the sound with."


def test_all_mistakes_of_one_row_are_told(tmp_path: Path) -> None:
    assert row_problems(tmp_path, ["b.wav,,star,english!,11,x"], header=ALL_COLUMNS) == [
        "line 2: expected_min 11 is not on the scale from 0 to 10.",
        "line 2: expected_max 'x' is not a number. Write one such as 7 or 7.5.",
        "line 2: The caption is empty. Write what the rater shall compare the sound with.",
        "line 2: The role 'star' is unknown. Write one of: study, anchor, gold, practice.",
        "line 2: The language 'english!' is no language tag. Write one such as en, de or pt-BR.",
        "line 2: b.wav is not there. Check the name, and that the file is in the manifest's folder.",
    ]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("a.wav,x,,,8,2", "expected_min 8 lies above expected_max 2. Swap them."),
        ("a.wav,x,,,nan,", "expected_min nan is not on the scale from 0 to 10."),
        ("a.wav,x,,,,inf", "expected_max inf is not on the scale from 0 to 10."),
        (",x,,,,", "The file is empty. Write the path of a sound file."),
        (f"a.wav,{'x' * 5_001},,,,", "The caption has 5,001 characters; the limit is 5,000. Shorten it."),
        ("a.wav,x\0y,,,,", "The row holds a NUL character. Remove it."),
        (
            "a.wav,Rain, then thunder,,,,",
            "The row has 7 cells, but the header names 6 columns. " + QUOTE_IT,
        ),
        (
            "a.wav,x",
            "The row has 2 cells, but the header names 6 columns. " + QUOTE_IT,
        ),
    ],
)
def test_bad_cells(tmp_path: Path, cells: str, reason: str) -> None:
    assert row_problems(tmp_path, [cells], header=ALL_COLUMNS) == [f"line 2: {reason}"]


def outside_by_dots(inside: Path, outside: Path) -> str:
    return f"../{outside.name}"


def outside_by_link(inside: Path, outside: Path) -> str:
    (inside / "link.wav").symlink_to(outside)
    return "link.wav"


def outside_by_linked_folder(inside: Path, outside: Path) -> str:
    (inside / "folder").symlink_to(outside.parent)
    return f"folder/{outside.name}"


@pytest.mark.parametrize("way", [outside_by_dots, outside_by_link, outside_by_linked_folder])
def test_a_path_outside_of_the_folder(tmp_path: Path, way: Callable[[Path, Path], str]) -> None:
    outside = write_sound(tmp_path, "secret.wav")
    inside = tmp_path / "inside"
    inside.mkdir()
    name = way(inside, outside)
    assert row_problems(inside, [f"{name},x"]) == [
        f"line 2: {name} lies outside of the manifest's folder. Put the file into the folder or below it."
    ]


@pytest.mark.parametrize("name", ["/etc/passwd", "C:\\a.wav", "\\\\server\\a.wav"])
def test_an_absolute_path(tmp_path: Path, name: str) -> None:
    assert row_problems(tmp_path, [f"{name},x"]) == [
        f"line 2: {name} is an absolute path. Write it relative to the manifest's folder."
    ]


def test_an_absolute_path_into_the_folder(tmp_path: Path) -> None:
    assert row_problems(tmp_path, [f"{tmp_path}/a.wav,x"])[0].endswith(
        "is an absolute path. Write it relative to the manifest's folder."
    )


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    assert "pipe.wav is not there." in row_problems(tmp_path, ["pipe.wav,x"])[0]
    assert row_problems(tmp_path, ["birds\\wren.wav,x"]) == [
        "line 2: birds\\wren.wav is not there. Write / between folders, not \\."
    ]


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    """Pythons differ in how they tell of these."""
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    problems = row_problems(tmp_path, ["loop.wav,x", f"{'n' * 300}.wav,x"])
    assert [problem.partition(".wav ")[0] for problem in problems] == ["line 2: loop", f"line 3: {'n' * 300}"]
    assert all("cannot be followed" in problem or "is not there" in problem for problem in problems)


def test_each_row_names_the_file_as_it_does(tmp_path: Path) -> None:
    (tmp_path / "link_dead.wav").symlink_to("nowhere.wav")
    (tmp_path / "bad.wav").touch()
    assert row_problems(tmp_path, ["link_dead.wav,x", "nowhere.wav,x", "./bad.wav,x", "bad.wav,y"]) == [
        "line 2: link_dead.wav is not there. Check the name, and that the file is in the manifest's folder.",
        "line 3: nowhere.wav is not there. Check the name, and that the file is in the manifest's folder.",
        "line 4: ./bad.wav is empty: it has 0 bytes. Copy or export it again.",
        "line 5: bad.wav is empty: it has 0 bytes. Copy or export it again.",
    ]


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "birds").mkdir()
    assert row_problems(tmp_path, ["birds,x"]) == ["line 2: birds is a folder. Write the path of a sound file."]


@pytest.mark.parametrize("caption", ["\u200b", "\u200b \u00ad\u2060", "\u2800", "\u3164", "\ufe0f", "\u202e"])
def test_an_invisible_caption(tmp_path: Path, caption: str) -> None:
    assert row_problems(tmp_path, [f"a.wav,{caption}"]) == [
        "line 2: The caption holds no visible character. Write what the rater shall compare the sound with."
    ]


def test_control_characters_in_a_caption(tmp_path: Path) -> None:
    rows = ["a.wav,a\x07b\x1bc\x07", 'a.wav,"tabs\tand\nlines"', "a.wav,\u202eabc", "a.wav,雨", "a.wav,?"]
    assert row_problems(tmp_path, rows) == [
        "line 2: The caption holds control characters (U+0007, U+001B). Remove them."
    ]


def test_a_pair_twice_in_the_file(tmp_path: Path) -> None:
    write_sound(tmp_path, "copy.wav")
    assert row_problems(tmp_path, ["a.wav,x", "a.wav,y", "a.wav,x", "copy.wav, y "]) == [
        "line 4: Line 2 has this sound with this caption already. Remove one.",
        "line 5: Line 3 has this sound with this caption already. a.wav holds the same sound. Remove one.",
    ]


def test_a_pair_that_the_test_has(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    manifest_import(manifest=write_manifest(tmp_path, ["a.wav,x"]), slug="trial", create=True)
    assert row_problems(tmp_path, ["a.wav,y", "a.wav,x"]) == [
        "line 3: The test trial has this sound with this caption already. Remove the row."
    ]


def test_a_pair_that_came_in_between_the_check_and_the_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = make_test(slug="trial")
    write_sound(tmp_path, "a.wav")
    manifest = write_manifest(tmp_path, ["a.wav,x"])
    store_files = manifests._store_files

    def another_import_comes_first(*args: object) -> None:
        monkeypatch.setattr(manifests, "_store_files", store_files)
        manifest_import(manifest=manifest, slug="trial")
        store_files(*args)

    monkeypatch.setattr(manifests, "_store_files", another_import_comes_first)
    with pytest.raises(ManifestRefused, match="line 2: The test trial has this sound with this caption already."):
        manifest_import(manifest=manifest, slug="trial")
    assert test.pairs.count() == 1


def test_a_file_that_changes_while_it_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sound(tmp_path, "a.wav")
    manifest = write_manifest(tmp_path, ["a.wav,x"])
    pairs_in_test = manifests._pairs_in_test

    def change_it(*args: object) -> object:
        write_sound(tmp_path, "a.wav", seed=9)
        return pairs_in_test(*args)

    monkeypatch.setattr(manifests, "_pairs_in_test", change_it)
    assert refusal(manifest) == "a.wav was changed while it was imported. Nothing was imported; start again."


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ("file", "lacks the column caption"),
        ("file;caption", "lacks the column file, caption and has the unknown column 'file;caption'"),
        ("file,caption,mood", "has the unknown column 'mood'"),
        ("file,caption,file", "has the column file twice"),
    ],
)
def test_bad_columns(tmp_path: Path, header: str, complaint: str) -> None:
    assert refusal(write_manifest(tmp_path, ["a.wav,x"], header=header)) == (
        f"manifest.csv {complaint}. Columns are separated by commas; they are: file, caption, system, source_id, role, "
        "language, expected_min, expected_max."
    )


def test_what_is_no_manifest(tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    assert refusal(manifest) == f"The manifest {manifest} is not there. Give the path of a CSV file."
    manifest.touch()
    assert refusal(manifest).startswith("m.csv is empty. Its first line names the columns: file, caption, ")
    manifest.write_text("file,caption\n")
    assert refusal(manifest) == "m.csv holds no rows below its header. Write one line for each pair."
    manifest.write_bytes("file,caption\na.wav,x\nb.wav,ä\n".encode("latin-1"))
    assert refusal(manifest) == "m.csv is not UTF-8: see line 3. Save it as CSV in UTF-8."
    manifest.write_text('file,caption\na.wav,x\nb.wav,"x\n')
    assert refusal(manifest) == (
        "m.csv cannot be read as CSV from line 3 on (unexpected end of data). "
        "Look for a quotation mark that is not closed."
    )


def test_the_test(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    manifest = write_manifest(tmp_path, ["a.wav,x"])
    assert refusal(manifest, slug="other", create=False) == (
        "There is no test other. Check its name, or make it as a draft with --create."
    )
    assert refusal(manifest, slug="a b") == (
        "'a b' cannot be the address of a test. Use up to 80 letters a to z, digits, - and _."
    )
    make_test(slug="done", status=TestStatus.CLOSED)
    assert refusal(manifest, slug="done") == (
        "The test done is closed, and takes no more pairs. Import into another test."
    )


def test_an_expected_range_without_a_question(tmp_path: Path) -> None:
    test = make_test()
    test.questions.all().delete()
    problems = row_problems(tmp_path, ["a.wav,x,1"], header="file,caption,expected_min", slug=test.slug)
    assert problems == ["line 2: expected_min needs a scale, but the test has no question yet. Add its question first."]


def test_exit_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run = partial(run_command, monkeypatch, capsys)
    write_sound(tmp_path, "a.wav")
    bad = write_manifest(tmp_path, ["a.wav,x", "b.wav,x"], name="bad.csv")
    good = write_manifest(tmp_path, ["a.wav,x"], name="good.csv")
    assert run("import_clips", str(bad), "--test", "trial", "--create") == (
        1,
        "",
        "Nothing was imported, because 1 row of bad.csv cannot be used. Mend every line named here.\n"
        "line 3: b.wav is not there. Check the name, and that the file is in the manifest's folder.\n",
    )
    code, out, err = run("import_clips", str(good), "--test", "trial", "--create")
    assert (code, out.partition(" (")[0], err) == (0, "Imported 1 pair", "")
    monkeypatch.setattr(manifests, "manifest_rows_read", lambda **_: 1 / 0)
    code, out, err = run("import_clips", str(good), "--test", "trial")
    assert (code, out) == (2, "")
    assert "import_clips ended with a fault of Earmark, told above." in err


def test_another_kind_than_the_tests_is_refused(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    test = make_test(slug="trial")
    assert refusal(write_manifest(tmp_path, ["a.wav,Rain."]), kind=TestKind.COMPARISON) == (
        "The test trial is of the kind rating, and an import does not make it comparison. "
        "Import into another test, or leave out --kind."
    )
    test.refresh_from_db()
    assert test.kind == TestKind.RATING


def test_other_questions_than_the_tests_are_refused(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    test = make_test(slug="trial")
    assert refusal(write_manifest(tmp_path, ["a.wav,Rain."]), questions=["relevance", "order"]) == (
        "The test trial asks relevance, and an import does not make it ask order. "
        "Add questions on its page, or leave out --question."
    )
    assert test.questions.count() == 1


def test_an_unknown_question_is_refused_with_the_list(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    assert refusal(write_manifest(tmp_path, ["a.wav,Rain."]), questions=["beauty"]) == (
        "There is no question 'beauty'. Choose among relevance, inclusion, order, quality, quality-100."
    )


def test_in_a_comparison_nothing_is_expected(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    manifest = write_manifest(tmp_path, ["a.wav,Rain.,,,2,8"], header=ALL_COLUMNS)
    told = refusal(manifest, kind=TestKind.COMPARISON).splitlines()[1:]
    assert told == [
        f"line 2: {column} says nothing here, for a comparison is a choice and no score. Leave the cell empty."
        for column in ("expected_min", "expected_max")
    ]


def test_what_is_expected_lies_on_the_scale_of_the_first_question(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    manifest = write_manifest(tmp_path, ["a.wav,Rain.,,,0,5"], header=ALL_COLUMNS)
    told = refusal(manifest, questions=["quality", "relevance"]).splitlines()[1:]
    assert told == ["line 2: expected_min 0 is not on the scale from 1 to 5."]
