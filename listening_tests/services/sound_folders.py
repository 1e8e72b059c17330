"""Where the sounds of imported ratings lie: a folder as it is, or a zip, unpacked for the time of the import."""

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from listening_tests.exceptions import Refused
from listening_tests.services.archives import archive_unpack

# Told what is being done, how many are done, and how many there are.
Progress = Callable[[str, int, int], None]


@contextmanager
def sound_folder(*, audio: Path | None, names: Sequence[str], on_progress: Progress) -> Iterator[Path | None]:
    """The folder to look for the sounds `names` in; None where `audio` is None.

    Raises Refused where a zip is not one that may be unpacked (`services.archives`); then nothing of it is left.
    """
    if audio is None or not audio.is_file():
        yield audio
        return
    with tempfile.TemporaryDirectory(prefix="earmark-sounds-") as unpacked:
        _unpack(audio, Path(unpacked), on_progress)
        yield _start_of_names(Path(unpacked), names)


def _unpack(audio: Path, folder: Path, on_progress: Progress) -> None:
    if not zipfile.is_zipfile(audio):
        raise Refused(f"{audio} is neither a folder nor a zip. Give the folder or the zip that the sounds lie in.")
    try:
        with audio.open("rb") as archive:
            archive_unpack(
                archive=archive, folder=folder, on_file=lambda done, total: on_progress("Unpacking", done, total)
            )
    except Refused as refused:
        raise Refused(f"{audio}: {refused} Or unpack it yourself and give its folder with --audio.") from refused


def _start_of_names(folder: Path, names: Sequence[str]) -> Path:
    """The folder itself, or the one in it that holds all, as archives often do; the one that more names lead from."""
    inside = list(folder.iterdir())
    if len(inside) != 1 or not inside[0].is_dir():
        return folder
    return max(folder, inside[0], key=lambda start: sum(_is_there(start, name) for name in names))


def _is_there(folder: Path, name: str) -> bool:
    try:
        return (folder / name.lstrip("/\\")).is_file()
    except (OSError, ValueError):
        return False
