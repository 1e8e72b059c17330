"""`manage.py import_clips`: what comes in, and how."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from listening_tests.choices import TestKind, TestStatus
from listening_tests.models import Caption, Clip, ListeningTest, Pair, Trial
from listening_tests.services.manifests import manifest_import
from listening_tests.standard_questions import USUAL_INSTRUCTIONS
from tests.collection.shell import run_command
from tests.collection.sounds import write_manifest, write_sound
from tests.collection.test_audio_clips import stored_files
from tests.factories import make_caption, make_test

pytestmark = pytest.mark.django_db


def import_clips(manifest: Path, *, test: str = "trial", create: bool = True, **options: Any) -> str:
    out = io.StringIO()
    call_command("import_clips", str(manifest), test=test, create=create, stdout=out, **options)
    return out.getvalue()


def test_it_works(tmp_path: Path) -> None:
    write_sound(tmp_path, "dog.wav", seed=1)
    write_sound(tmp_path, "birds/wren.wav", seed=2)
    manifest = write_manifest(
        tmp_path, ["dog.wav,A dog barks.", "dog.wav,A wren sings.", "birds/wren.wav,A wren sings."]
    )
    assert import_clips(manifest) == (
        "Imported 3 pairs (2 clips, 0 of them stored before; 2 captions) into the test trial.\n"
        "The test is a draft. Let raters in with: manage.py open_test trial\n"
    )
    test = ListeningTest.objects.get(slug="trial")
    assert (test.status, test.title, test.ratings_per_pair, test.pairs_per_session) == ("draft", "Trial", 4, 20)
    question = test.questions.get()
    assert (question.scale_min, question.scale_max, question.scale_step) == (0, 10, 1)
    assert set(test.pairs.values_list("clip__name", "caption__text", "role", "caption__language")) == {
        ("dog.wav", "A dog barks.", "study", "en"),
        ("dog.wav", "A wren sings.", "study", "en"),
        ("birds/wren.wav", "A wren sings.", "study", "en"),
    }
    assert len(stored_files()) == 4


def test_every_column_is_kept(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    manifest = write_manifest(
        tmp_path,
        ["Ein Hund bellt,a.wav,2,8.5,gold,de,tango,yt-1"],
        header="caption,file,expected_min,expected_max,role,language,system,source_id",
    )
    import_clips(manifest)
    pair = Pair.objects.get()
    assert (pair.role, pair.system, pair.source_id) == ("gold", "tango", "yt-1")
    assert (pair.expected_min, pair.expected_max) == (2, 8.5)
    assert (pair.caption.text, pair.caption.language) == ("Ein Hund bellt", "de")


@pytest.mark.parametrize(
    "caption",
    [
        "Äöü 犬が吠える 🐕",
        'She says: "no"',
        "two\nlines",
        "a,  b",
        " spaces at both ends ",
        "x" * 5_000,
        "=SUM(A1)",
        "<b>bold</b>",
        "e\u0301",
    ],
)
def test_captions_come_in_letter_by_letter(tmp_path: Path, caption: str) -> None:
    write_sound(tmp_path, "a.wav")
    quoted = caption.replace('"', '""')
    import_clips(write_manifest(tmp_path, [f'a.wav,"{quoted}"']))
    assert Caption.objects.get().text == caption


def test_white_space_around_a_cell_is_dropped_but_of_a_caption(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    import_clips(write_manifest(tmp_path, [" a.wav , A dog  barks. , mine "], header=" file , caption , system "))
    assert Caption.objects.get().text == " A dog  barks. "
    assert Pair.objects.get().system == "mine"


def test_a_byte_order_mark_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    manifest = tmp_path / "m.csv"
    manifest.write_bytes("\ufefffile,caption\r\n\r\na.wav,Ä\r\n\r\n".encode())
    import_clips(manifest)
    assert Caption.objects.get().text == "Ä"


@pytest.mark.parametrize("status", [TestStatus.DRAFT, TestStatus.OPEN, TestStatus.PAUSED])
def test_pairs_can_be_added_while_a_test_runs(tmp_path: Path, status: str) -> None:
    test = make_test(status=status)
    caption = make_caption("A dog barks.")
    write_sound(tmp_path, "a.wav")
    import_clips(write_manifest(tmp_path, ["a.wav,A dog barks."]), test=test.slug, create=False)
    write_sound(tmp_path, "b.wav")
    import_clips(write_manifest(tmp_path, ["b.wav,Rain."]), test=test.slug, create=True)
    test.refresh_from_db()
    assert (test.status, test.questions.count(), test.pairs.count(), Clip.objects.count()) == (status, 1, 2, 1)
    assert test.pairs.filter(caption=caption).exists()


def test_the_same_pair_may_stand_in_two_tests_and_two_languages(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    manifest = write_manifest(tmp_path, ["a.wav,Taxi,en", "a.wav,Taxi,de"], header="file,caption,language")
    import_clips(manifest)
    assert "1 clip, 1 of them stored before" in import_clips(manifest, test="other")
    assert Pair.objects.count() == 4
    assert (Clip.objects.count(), Caption.objects.count()) == (1, 2)


def test_a_dry_run_checks_and_stores_nothing(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    told = import_clips(write_manifest(tmp_path, ["a.wav,Rain."]), dry_run=True)
    assert told == (
        "Nothing is wrong: 1 pair (1 clip, 0 of them stored before; 1 caption) would come into the test trial. "
        "Nothing was stored.\n"
    )
    assert not ListeningTest.objects.exists()
    assert not Clip.objects.exists()
    assert not Caption.objects.exists()
    assert not stored_files()


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    import_clips(write_manifest(tmp_path, ["link.wav,Rain."]))
    assert Pair.objects.count() == 1


def test_progress_is_told(tmp_path: Path) -> None:
    for number in range(3):
        write_sound(tmp_path, f"{number}.wav", seed=number)
    manifest = write_manifest(tmp_path, [f"{number}.wav,Rain." for number in range(3)])
    told: list[tuple[str, int, int]] = []
    manifest_import(manifest=manifest, slug="trial", create=True, on_progress=lambda *step: told.append(step))
    assert told == [(stage, done, 3) for stage in ("Checking sounds", "Storing sounds") for done in range(4)]


def two_systems(folder: Path) -> Path:
    for number in range(4):
        write_sound(folder, f"{number}.wav", seed=number)
    rows = ["0.wav,A dog barks.,mine", "1.wav,A dog barks.,other", "2.wav,Rain.,mine", "3.wav,Rain.,other"]
    return write_manifest(folder, rows, header="file,caption,system")


@pytest.mark.parametrize(
    ("kind", "prompt", "told"),
    [
        (TestKind.RATING, "How well does the caption match the sound?", ""),
        (TestKind.COMPARISON, "Which sound matches the caption better?", " 2 comparisons were made of them."),
        (TestKind.SIDE_BY_SIDE, "How well does the caption match the sound?", " 2 trials were made of them."),
    ],
)
def test_a_test_of_each_kind_is_made(tmp_path: Path, kind: str, prompt: str, told: str) -> None:
    summary = import_clips(two_systems(tmp_path), kind=kind).splitlines()[0]
    assert summary == (f"Imported 4 pairs (4 clips, 0 of them stored before; 2 captions) into the test trial.{told}")
    test = ListeningTest.objects.get()
    assert (test.kind, test.questions.get().prompt) == (kind, prompt)
    assert test.instructions == USUAL_INSTRUCTIONS[kind]
    assert Trial.objects.count() == (0 if kind == TestKind.RATING else 2)


def test_the_trials_of_each_import_are_counted(tmp_path: Path) -> None:
    import_clips(two_systems(tmp_path), kind=TestKind.COMPARISON)
    write_sound(tmp_path, "third.wav", seed=9)
    write_sound(tmp_path, "alone.wav", seed=10)
    third = write_manifest(tmp_path, ["third.wav,Rain."])
    assert "2 comparisons were made of them." in import_clips(third, kind=TestKind.COMPARISON)
    alone = write_manifest(tmp_path, ["alone.wav,A wren sings."])
    assert "No comparison was made of them." in import_clips(alone)


def test_the_questions_are_named(tmp_path: Path) -> None:
    write_sound(tmp_path, "a.wav")
    names = ["quality", "inclusion", "quality"]
    manifest = write_manifest(tmp_path, ["a.wav,Rain.,4.5"], header="file,caption,expected_max")
    import_clips(manifest, question=names)
    quality, inclusion = ListeningTest.objects.get().questions.order_by("pk")
    assert (quality.name, quality.scale_min, quality.scale_max, inclusion.name) == ("quality", 1, 5, "inclusion")
    assert list(quality.labels.values_list("value", "text")) == [(2, "Poor"), (3, "Fair"), (4, "Good")]
    # The same command with more rows.
    write_sound(tmp_path, "b.wav", seed=2)
    import_clips(write_manifest(tmp_path, ["b.wav,Rain."]), question=names, kind=TestKind.RATING)
    assert ListeningTest.objects.get().questions.count() == 2


def test_the_shell_takes_kind_and_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--test", "trial", "--create", "--kind", "side_by_side", "--question", "relevance", "quality-100"]
    code, out, _ = run_command(monkeypatch, capsys, "import_clips", str(two_systems(tmp_path)), *words)
    assert code == 0 and "2 trials were made of them." in out
    assert list(ListeningTest.objects.get().questions.order_by("pk").values_list("name", flat=True)) == words[-2:]
