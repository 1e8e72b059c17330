"""Zip archives that a person uploads: looked at before anything is unpacked, and unpacked within bounds."""

import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from listening_tests.exceptions import Refused

# 10,000 clips of 10 s in stereo at 48 kHz and 16 bit are 19 GB, and half of that as flac.
MOST_FILES = 20_000
LARGEST_ARCHIVE_BYTES = 12 * 1024**3
LARGEST_UNPACKED_BYTES = 24 * 1024**3
# Plain wav files with long pauses reach some dozens; a bomb needs thousands.
HIGHEST_RATIO = 100
LONGEST_NAME_BYTES = 255  # of any file system in use
LONGEST_PATH_BYTES = 2_000  # Linux takes 4,096 with the folder that the archive is unpacked into.
_RATIO_COUNTS_FROM_BYTES = 1024**2
# What desktop systems add to an archive unasked.
_BYSTANDERS = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")
# The directory of an archive is read into memory as a whole: longest names that any file system takes, and some room.
_LARGEST_DIRECTORY_BYTES = 16 * 1024**2
_END_OF_DIRECTORY = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR = struct.Struct("<4sLQL")
_ZIP64_END_OF_DIRECTORY = struct.Struct("<4sQ2H2L4Q")
# Told how many files are unpacked, and how many there are. What it raises ends the work.
OnFile = Callable[[int, int], None]
_NO_ZIP = "The file is no zip, or is cut off. Pack the sounds and the manifest anew."
_ELSEWHERE = "Upload it in parts, or use manage.py import_clips on the server."


def archive_unpack(*, archive: IO[bytes], folder: Path, on_file: OnFile | None = None) -> None:
    """Unpacks into `folder`. Archives in it stay as they are.

    Raises Refused before anything is written: too many files, too large, packed too tightly, encrypted, a link, a path
    that leaves the folder, or no zip at all.
    """
    _refuse_large(archive)
    _refuse_endless_directory(archive)
    with _opened(archive) as opened:
        members = [info for info in opened.infolist() if not info.is_dir() and not _is_bystander(info)]
        _refuse_bad(members)
        for done, info in enumerate(members):
            if on_file:
                on_file(done, len(members))
            _unpack_one(opened, info, folder)


def manifest_in(folder: Path) -> Path:
    """The one CSV file of an unpacked archive. Raises Refused where there is none, or more than one."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".csv" and path.is_file())
    if not found:
        raise Refused("The zip holds no manifest. Put a CSV file into it, or choose one beside it.")
    if len(found) > 1:
        names = ", ".join(str(path.relative_to(folder)) for path in found[:5])
        raise Refused(f"The zip holds {len(found)} CSV files ({names}). Leave one, or choose the manifest beside it.")
    return found[0]


def _refuse_large(archive: IO[bytes]) -> None:
    if _size(archive) > LARGEST_ARCHIVE_BYTES:
        raise Refused(f"The zip is larger than {size_in_words(LARGEST_ARCHIVE_BYTES)}. {_ELSEWHERE}")


def _size(archive: IO[bytes]) -> int:
    return archive.seek(0, 2)


def _refuse_endless_directory(archive: IO[bytes]) -> None:
    """Reads the records at the end of a zip (APPNOTE 4.3.14 to 4.3.16), which tell how long the directory is."""
    size = _size(archive)
    archive.seek(max(0, size - _END_OF_DIRECTORY.size - _ZIP64_LOCATOR.size - 65_535))
    tail = archive.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END_OF_DIRECTORY.size > len(tail):
        raise Refused(_NO_ZIP)
    _, _, _, _, count, directory_bytes, _, _ = _END_OF_DIRECTORY.unpack_from(tail, at)
    locator = tail[max(0, at - _ZIP64_LOCATOR.size) : at]
    if locator.startswith(b"PK\x06\x07") and len(locator) == _ZIP64_LOCATOR.size:
        count, directory_bytes = _zip64_directory(archive, locator)
    if directory_bytes > _LARGEST_DIRECTORY_BYTES or count > 10 * MOST_FILES:
        raise Refused(f"The zip holds more than {MOST_FILES:,} files. {_ELSEWHERE}")


def _zip64_directory(archive: IO[bytes], locator: bytes) -> tuple[int, int]:
    """How many files the directory of a zip of more than 4 GB names, and its bytes."""
    _, _, offset, _ = _ZIP64_LOCATOR.unpack(locator)
    archive.seek(min(offset, _size(archive)))
    record = archive.read(_ZIP64_END_OF_DIRECTORY.size)
    if len(record) < _ZIP64_END_OF_DIRECTORY.size or not record.startswith(b"PK\x06\x06"):
        raise Refused(_NO_ZIP)
    values = _ZIP64_END_OF_DIRECTORY.unpack(record)
    return values[7], values[8]


@contextmanager
def _opened(archive: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as opened:
            yield opened
    # zipfile tells of damage by all of these.
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        EOFError,
        ValueError,
        RuntimeError,
        OSError,
        struct.error,
        zlib.error,
        lzma.LZMAError,
    ) as error:
        # Without the path on this server, which an error of the system would tell.
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise Refused(f"The zip cannot be unpacked ({reason}). Pack the sounds and the manifest anew.") from error


def _is_bystander(info: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(info.filename).parts
    return bool(parts) and (parts[0] in _BYSTANDERS or parts[-1] in _BYSTANDERS)


def _refuse_bad(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MOST_FILES:
        raise Refused(f"The zip holds {len(members):,} files; the limit is {MOST_FILES:,}. {_ELSEWHERE}")
    if sum(info.file_size for info in members) > LARGEST_UNPACKED_BYTES:
        raise Refused(f"The zip unpacks to more than {size_in_words(LARGEST_UNPACKED_BYTES)}. {_ELSEWHERE}")
    files: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    for info in members:
        path = PurePosixPath(info.filename)
        reason = _badness(info) or _badness_of_name(path) or _clash(path, files, folders)
        if reason:
            raise Refused(f"The zip was not unpacked: {info.filename!r} {reason}. Pack it anew without.")
        files.add(path)
        folders.update(path.parents)


def _badness(info: zipfile.ZipInfo) -> str:
    path = PurePosixPath(info.filename)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in path.parts[0]:
        return "leaves the archive's folder"
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is a link or another special file"
    if info.flag_bits & 0x1:
        return "is encrypted"
    if info.file_size > _RATIO_COUNTS_FROM_BYTES and info.file_size > HIGHEST_RATIO * info.compress_size:
        return f"is packed more than {HIGHEST_RATIO} times smaller than it is"
    return ""


def _badness_of_name(path: PurePosixPath) -> str:
    longest = max(len(part.encode()) for part in path.parts)
    if longest > LONGEST_NAME_BYTES:
        return f"has a name of {longest:,} bytes; the limit is {LONGEST_NAME_BYTES}"
    if len(str(path).encode()) > LONGEST_PATH_BYTES:
        return f"has a path of more than {LONGEST_PATH_BYTES:,} bytes"
    return ""


def _clash(path: PurePosixPath, files: set[PurePosixPath], folders: set[PurePosixPath]) -> str:
    if path in files:
        return "is there twice"
    if path in folders or not files.isdisjoint(path.parents):
        return "needs a file and a folder of one name"
    return ""


def _unpack_one(opened: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / info.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(info) as source, target.open("xb") as sink:
        # The size that the directory declares was counted; what lies behind it is not written.
        left = info.file_size
        while left > 0 and (chunk := source.read(min(left, 1024**2))):
            sink.write(chunk)
            left -= len(chunk)


def size_in_words(count: int) -> str:
    return f"{count // 1024**3:,} GB" if count >= 1024**3 else f"{count // 1024**2:,} MB"
