"""Static files are collected once, and again as soon as one has changed."""

from pathlib import Path

import pytest
from pytest_django import Settings

from webapp.static_files import static_files_collect


@pytest.fixture
def source(settings: Settings, tmp_path: Path) -> Path:
    """The one static file there is."""
    folder = tmp_path / "source"
    folder.mkdir()
    settings.STATIC_ROOT = tmp_path / "home" / "static"
    settings.STATICFILES_DIRS = [folder]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "webapp.static_storage.StaticFiles"}}
    file = folder / "page.css"
    file.write_text("a { color: red }")
    return file


def collected(settings: Settings) -> list[str]:
    static_files_collect(settings.STATIC_ROOT)
    return sorted(path.name for path in Path(settings.STATIC_ROOT).iterdir() if path.suffix == ".css")


def test_it_works(settings: Settings, source: Path) -> None:
    first = collected(settings)
    assert len(first) == 2

    source.write_text("a { color: darkred }")
    assert len(collected(settings)) == 3


def test_what_has_not_changed_is_left_alone(settings: Settings, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = collected(settings)
    monkeypatch.setattr("webapp.static_files.call_command", lambda *_, **__: pytest.fail("collected again"))
    assert collected(settings) == first


def test_an_interrupted_collection_begins_again(
    settings: Settings, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = collected(settings)
    source.write_text("a { color: darkred }")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("webapp.static_files.call_command", interrupt)
        static_files_collect(settings.STATIC_ROOT)
    source.write_text("a { color: red }")
    assert set(collected(settings)) == set(first)


def test_a_folder_that_was_emptied_is_filled_again(settings: Settings, source: Path) -> None:
    first = collected(settings)
    for path in Path(settings.STATIC_ROOT).iterdir():
        path.unlink()
    assert collected(settings) == first


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
