"""How a shell is told that a command was typed wrongly: 1, since 2 is a fault of Earmark."""

import pytest

from tests.collection.shell import run_command


def test_it_works(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run_command(monkeypatch, capsys, "train")

    assert (code, out) == (1, "")
    assert err.startswith("usage: manage.py train ")
    assert err.endswith("\nmanage.py train: the following arguments are required: slug.\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "demo", "--colour"], "manage.py train: unrecognized arguments: --colour."),
        (["study_report"], "manage.py study_report: the following arguments are required: slug."),
        (["demo", "--captions", "many"], "manage.py demo: argument --captions: invalid int value: 'many'."),
        (["import_clips", "a.csv"], "manage.py import_clips: the following arguments are required: --test."),
        (["open_test"], "manage.py open_test: the following arguments are required: slug."),
    ],
)
def test_each_command_ends_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    code, _, err = run_command(monkeypatch, capsys, *words)

    assert code == 1
    assert sentence in err


def test_asking_for_help_is_no_mistake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run_command(monkeypatch, capsys, "train", "--help")

    assert code == 0
    assert "--preset" in out
