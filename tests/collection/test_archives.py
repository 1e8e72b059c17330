"""Zips of sounds that are unpacked, and those that are refused."""

import io
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest

from listening_tests.exceptions import Refused
from listening_tests.services import archives
from listening_tests.services.archives import archive_unpack
from tests.collection.sounds import encoded, noise

SOUND = encoded(noise(0.3, rate=16_000), rate=16_000)
ANEW = "Pack it anew without."
ELSEWHERE = "Upload it in parts, or use manage.py import_clips on the server."


def zipped(members: dict[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def test_it_works(tmp_path: Path) -> None:
    """Desktop's litter stays out, and what is unpacked is counted on the way."""
    told: list[tuple[int, int]] = []
    members = {"x/m.csv": b"file,caption", "x/a.wav": SOUND, "__MACOSX/._m.csv": b"x", "x/.DS_Store": b"x"}
    archive_unpack(
        archive=io.BytesIO(zipped(members)), folder=tmp_path, on_file=lambda done, total: told.append((done, total))
    )
    files = {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {"x/m.csv": b"file,caption", "x/a.wav": SOUND}
    assert told == [(0, 2), (1, 2)]


def test_no_zip_at_all(tmp_path: Path) -> None:
    message = refusal(b"no zip", tmp_path)
    assert message == "The file is no zip, or is cut off. Pack the sounds and the manifest anew."


def refusal(archive: bytes, folder: Path) -> str:
    """Why a zip is refused; nothing of it was written."""
    target = folder / "target"
    target.mkdir()
    with pytest.raises(Refused) as refused:
        archive_unpack(archive=io.BytesIO(archive), folder=target)
    assert not list(target.rglob("*"))
    assert [path.name for path in folder.iterdir()] == ["target"]
    return str(refused.value)


@pytest.mark.parametrize("name", ["../evil.wav", "a/../../evil.wav", "/evil.wav", "..\\evil.wav", "C:/evil.wav"])
def test_a_path_that_leaves_the_folder(tmp_path: Path, name: str) -> None:
    message = refusal(zipped({"a.wav": SOUND, name: SOUND}), tmp_path)
    assert message == f"The zip was not unpacked: {name!r} leaves the archive's folder. {ANEW}"


def test_a_link(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        link = zipfile.ZipInfo("link.wav")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    message = refusal(stream.getvalue(), tmp_path)
    assert message == f"The zip was not unpacked: 'link.wav' is a link or another special file. {ANEW}"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.wav", SOUND)
        archive.writestr("a.wav", SOUND)
    assert refusal(stream.getvalue(), tmp_path) == f"The zip was not unpacked: 'a.wav' is there twice. {ANEW}"


@pytest.mark.parametrize(("first", "second"), [("a", "a/b.wav"), ("a/b.wav", "a"), ("a/b/c.wav", "./a/b")])
def test_a_file_and_a_folder_of_one_name(tmp_path: Path, first: str, second: str) -> None:
    message = refusal(zipped({first: SOUND, second: SOUND}), tmp_path)
    assert message == f"The zip was not unpacked: {second!r} needs a file and a folder of one name. {ANEW}"


def test_names_that_are_too_long(tmp_path: Path) -> None:
    name = f"{'ä' * 126}.wav"
    message = refusal(zipped({"a.wav": SOUND, f"x/{name}": SOUND}), tmp_path)
    assert message == f"The zip was not unpacked: 'x/{name}' has a name of 256 bytes; the limit is 255. {ANEW}"
    (tmp_path / "target").rmdir()
    path = "folder/" * 300 + "a.wav"
    message = refusal(zipped({path: SOUND}), tmp_path)
    assert message == f"The zip was not unpacked: {path!r} has a path of more than 2,000 bytes. {ANEW}"


def test_an_error_of_the_system_does_not_tell_its_paths(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(Refused) as refused:
        archive_unpack(archive=io.BytesIO(zipped({"a.wav": SOUND})), folder=tmp_path)
    assert str(refused.value) == ("The zip cannot be unpacked (File exists). Pack the sounds and the manifest anew.")


def test_an_encrypted_file(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.wav": SOUND}))
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    assert refusal(bytes(content), tmp_path) == f"The zip was not unpacked: 'a.wav' is encrypted. {ANEW}"


def test_a_bomb(tmp_path: Path) -> None:
    bomb = zipped({"a.wav": bytes(20 * 1024**2)}, compression=zipfile.ZIP_DEFLATED)
    message = refusal(bomb, tmp_path)
    assert message == f"The zip was not unpacked: 'a.wav' is packed more than 100 times smaller than it is. {ANEW}"


def test_a_file_larger_than_it_says(tmp_path: Path) -> None:
    """The directory tells 10 bytes for 5 MB: what lies behind them is never written."""
    content = bytearray(zipped({"a.wav": bytes(5 * 1024**2)}, compression=zipfile.ZIP_DEFLATED))
    struct.pack_into("<I", content, content.rindex(b"PK\x01\x02") + 24, 10)
    with pytest.raises(Refused, match="The zip cannot be unpacked"):
        archive_unpack(archive=io.BytesIO(bytes(content)), folder=tmp_path)
    assert all(path.stat().st_size <= 10 for path in tmp_path.rglob("*"))


def test_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 1_000)
    many = zipped({f"{number}.wav": b"" for number in range(1_001)})
    assert refusal(many, tmp_path) == f"The zip holds 1,001 files; the limit is 1,000. {ELSEWHERE}"


def test_an_endless_directory_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(zipped({"a.wav": SOUND}))
    monkeypatch.setattr(zipfile, "ZipFile", None)
    struct.pack_into("<I", content, content.rindex(b"PK\x05\x06") + 12, 17 * 1024**2)
    assert refusal(bytes(content), tmp_path) == f"The zip holds more than 20,000 files. {ELSEWHERE}"


def as_zip64(content: bytes, *, count: int, signature: bytes = b"PK\x06\x06") -> bytes:
    """The zip with the records of one of more than 4 GB, which name `count` files."""
    at = content.rindex(b"PK\x05\x06")
    directory_bytes, directory_at = struct.unpack_from("<LL", content, at + 12)
    record = struct.pack("<4sQ2H2L4Q", signature, 44, 45, 45, 0, 0, count, count, directory_bytes, directory_at)
    end = bytearray(content[at:])
    struct.pack_into("<2H2L", end, 8, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    return content[:at] + record + struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1) + bytes(end)


def test_a_zip_of_more_than_4_gb(tmp_path: Path) -> None:
    archive_unpack(archive=io.BytesIO(as_zip64(zipped({"a.wav": SOUND}), count=1)), folder=tmp_path)
    assert (tmp_path / "a.wav").read_bytes() == SOUND


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"count": 2**40}, f"The zip holds more than 20,000 files. {ELSEWHERE}"),
        ({"count": 1, "signature": b"PK00"}, archives._NO_ZIP),
    ],
)
def test_a_zip64_that_is_refused(
    tmp_path: Path, options: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = as_zip64(zipped({"a.wav": SOUND}), **options)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert refusal(content, tmp_path) == sentence


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST_UNPACKED_BYTES", 1024**2)
    content = zipped({"a.wav": bytes(1024**2), "b.wav": b"x"})
    assert refusal(content, tmp_path) == f"The zip unpacks to more than 1 MB. {ELSEWHERE}"
    (tmp_path / "target").rmdir()
    monkeypatch.setattr(archives, "LARGEST_ARCHIVE_BYTES", 1024**2)
    assert refusal(content, tmp_path) == f"The zip is larger than 1 MB. {ELSEWHERE}"


def test_an_archive_in_the_archive_stays_closed(tmp_path: Path) -> None:
    archive_unpack(archive=io.BytesIO(zipped({"inner.zip": zipped({"a.wav": SOUND})})), folder=tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["inner.zip"]


def test_a_damaged_zip(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.wav": SOUND}))
    content[100] ^= 0xFF
    with pytest.raises(Refused, match="The zip cannot be unpacked"):
        archive_unpack(archive=io.BytesIO(bytes(content)), folder=tmp_path)
