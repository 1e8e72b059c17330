"""Uploading a zip of sounds with its manifest, and the zips that are refused."""

import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from listening_tests.choices import TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import Clip, ListeningTest
from listening_tests.services import archives
from listening_tests.services.archives import archive_unpack
from tests.collection.sounds import encoded, noise
from tests.factories import make_test

SOUND = encoded(noise(0.3, rate=16_000), rate=16_000)
ANEW = "Pack it anew without."
ELSEWHERE = "Upload it in parts, or use manage.py import_clips on the server."


def zipped(members: dict[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    # Without a password, whose hashing would take longer than the rest of a test.
    client.force_login(User.objects.create(username="researcher", is_staff=True, is_superuser=True))
    return client


def upload(staff: Client, test: ListeningTest, archive: bytes, manifest: bytes | None = None) -> HttpResponse:
    data = {"archive": SimpleUploadedFile("sounds.zip", archive)}
    if manifest is not None:
        data["manifest"] = SimpleUploadedFile("m.csv", manifest)
    address = reverse("admin:listening_tests_listeningtest_upload", args=[test.pk])
    return staff.post(address, data, follow=True)  # type: ignore[return-value]


@pytest.mark.django_db
@pytest.mark.parametrize("folder", ["", "sounds/"])
def test_it_works(staff: Client, folder: str) -> None:
    """The manifest lies in the zip, beside desktop's litter; its paths begin where it lies."""
    test = make_test(slug="trial", status=TestStatus.DRAFT)
    assert b"Check and import" in staff.get(f"/admin/listening_tests/listeningtest/{test.pk}/upload/").content
    members = {f"{folder}m.csv": b"file,caption\na.wav,Rain.\n", f"{folder}a.wav": SOUND}
    response = upload(staff, test, zipped(members | {"__MACOSX/._m.csv": b"x", f"{folder}.DS_Store": b"x"}))
    told = "Imported 1 pair (1 clip, 0 of them stored before; 1 caption) into the test trial."
    assert told in response.content.decode()
    assert test.pairs.get().clip.name == "a.wav"


@pytest.mark.django_db
def test_the_breadcrumb_leads_back_to_the_test(staff: Client) -> None:
    test = make_test()
    shown = staff.get(reverse("admin:listening_tests_listeningtest_upload", args=[test.pk])).content.decode()
    address = reverse("admin:listening_tests_listeningtest_change", args=[test.pk])
    assert f'<a href="{address}" class="align-middle' in shown


@pytest.mark.django_db
def test_the_manifest_may_lie_beside_the_zip(staff: Client) -> None:
    test = make_test()
    upload(staff, test, zipped({"x/a.wav": SOUND, "old.csv": b"other"}), b"file,caption\nx/a.wav,Rain.\n")
    assert test.pairs.count() == 1


@pytest.mark.django_db
def test_every_bad_row_is_shown_in_a_table(staff: Client) -> None:
    test = make_test()
    rows = b"file,caption\na.wav,Rain.\nb.wav,Rain.\n../a.wav,Rain.\n<script>alert(1)</script>.wav,Rain.\n"
    response = upload(staff, test, zipped({"a.wav": SOUND}), rows)
    shown = response.content.decode()
    assert response.status_code == 422
    assert "Nothing was imported, because 3 rows of manifest.csv cannot be used." in shown
    assert "b.wav is not there." in shown
    assert "../a.wav lies outside of the manifest&#x27;s folder." in shown
    assert "&lt;script&gt;alert(1)" in shown and "<script>alert" not in shown
    assert not test.pairs.exists()
    assert not Clip.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("archive", "sentence"),
    [
        (b"no zip", "The file is no zip, or is cut off. Pack the sounds and the manifest anew."),
        (zipped({"a.wav": SOUND}), "The zip holds no manifest. Put a CSV file into it, or choose one beside it."),
        (zipped({"a.csv": b"", "b.csv": b""}), "The zip holds 2 CSV files (a.csv, b.csv). Leave one, or choose"),
    ],
)
def test_a_zip_that_cannot_be_used(staff: Client, archive: bytes, sentence: str) -> None:
    test = make_test()
    response = upload(staff, test, archive)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not test.pairs.exists()


@pytest.mark.django_db
def test_a_closed_test_takes_no_upload(staff: Client) -> None:
    test = make_test(slug="done", status=TestStatus.CLOSED)
    response = upload(staff, test, zipped({"m.csv": b"file,caption\na.wav,Rain.\n", "a.wav": SOUND}))
    assert "The test done is closed, and takes no more pairs." in response.content.decode()
    assert not test.pairs.exists()


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


def test_too_many_files(tmp_path: Path) -> None:
    many = zipped({f"{number}.wav": b"" for number in range(1_001)})
    assert refusal(many, tmp_path) == f"The zip holds 1,001 files; the limit is 1,000. {ELSEWHERE}"


def test_an_endless_directory_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = bytearray(zipped({"a.wav": SOUND}))
    monkeypatch.setattr(zipfile, "ZipFile", None)
    struct.pack_into("<I", content, content.rindex(b"PK\x05\x06") + 12, 5 * 1024**2)
    assert refusal(bytes(content), tmp_path) == f"The zip holds more than 1,000 files. {ELSEWHERE}"


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
