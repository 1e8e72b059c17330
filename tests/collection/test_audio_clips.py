"""Clips: stored once, whole, whoever else stores them at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from listening_tests.models import Clip, ListeningTest
from listening_tests.services import clips
from listening_tests.services.manifest_rows import ManifestRefused
from listening_tests.services.manifests import manifest_import
from tests.collection.sounds import encoded, noise, write_sound


def ingest(folder: Path, name: str, *, allow_silent: bool = False) -> Clip:
    """The clip of a file in `folder`, taken in by a manifest and a test of its own."""
    slug = f"test-{uuid4().hex}"
    manifest = folder / f"{slug}.csv"
    manifest.write_text(f"file,caption\n{name},A sound\n")
    return manifest_import(manifest=manifest, slug=slug, create=True, allow_silent=allow_silent).test.pairs.get().clip


def stored_files() -> list[Path]:
    return sorted(path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())


@pytest.mark.django_db
def test_it_works(tmp_path: Path) -> None:
    path = tmp_path / "dogs" / "dog.mp3"
    path.parent.mkdir()
    path.write_bytes(encoded(noise(1, rate=44_100, channels=2), rate=44_100, kind="flac"))
    clip = ingest(tmp_path, "dogs/dog.mp3")
    assert clip.name == "dogs/dog.mp3"
    assert clip.duration_s == 1
    assert (clip.sample_rate_hz, clip.channels, clip.is_silent) == (44_100, 2, False)
    assert clip.loudness_lufs is not None and clip.true_peak_dbtp is not None
    assert clip.gain_db == pytest.approx(-23 - clip.loudness_lufs, abs=0.1)
    assert clip.original.name == f"clips/{clip.sha256[:2]}/{clip.sha256}.flac"
    assert clip.rendition.name == f"renditions/{clip.sha256[:2]}/{clip.sha256}.flac"
    assert clip.original.read() == path.read_bytes()
    assert clip.rendition.read(4) == b"fLaC"


@pytest.mark.django_db
def test_the_same_content_is_stored_once(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write_sound(tmp_path, name)
    first, again = ingest(tmp_path, "a.wav"), ingest(tmp_path, "b.wav")
    assert again == first
    assert again.name == "a.wav"
    assert len(stored_files()) == 2


@pytest.mark.django_db(transaction=True)
def test_many_at_once_store_it_once(tmp_path: Path) -> None:
    path = write_sound(tmp_path, "a.wav")

    def take_in(_: int) -> int:
        try:
            return ingest(tmp_path, "a.wav").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(take_in, range(6)))
    clip = Clip.objects.get()
    assert found == {clip.pk}
    assert [path.name for path in stored_files()] == [f"{clip.sha256}.wav", f"{clip.sha256}.flac"]
    assert clip.original.read() == path.read_bytes()


@pytest.mark.django_db
def test_a_file_that_a_crash_left_half_written_is_made_whole(tmp_path: Path) -> None:
    path = write_sound(tmp_path, "a.wav")
    digest = clips.content_digest(path.read_bytes())
    default_storage.save(f"clips/{digest[:2]}/{digest}.wav", ContentFile(path.read_bytes()[:100]))
    clip = ingest(tmp_path, "a.wav")
    assert clip.original.read() == path.read_bytes()
    assert len(stored_files()) == 2


@pytest.mark.django_db
def test_no_row_without_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_at_rendition(name: str, content: bytes) -> None:
        if name.startswith("renditions/"):
            raise OSError("No space left on device")
        default_storage.save(name, ContentFile(content))

    write_sound(tmp_path, "a.wav")
    monkeypatch.setattr(clips, "_file_store", fail_at_rendition)
    with pytest.raises(OSError, match="No space left"):
        ingest(tmp_path, "a.wav")
    assert not Clip.objects.exists()


def assert_refused(path: Path, message: str) -> None:
    with pytest.raises(ManifestRefused) as refused:
        ingest(path.parent, path.name)
    assert [problem.reason for problem in refused.value.problems] == [message]
    assert not Clip.objects.exists()
    assert not ListeningTest.objects.exists()
    assert not stored_files()


@pytest.mark.django_db
def test_silence_is_refused_unless_it_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(encoded(np.zeros((48_000, 1), np.float32)))
    assert_refused(
        path,
        "a.wav is silent: its peak lies below -60 dBFS. Take it out, or allow silent clips (--allow-silent) where "
        "silence is a result.",
    )
    clip = ingest(tmp_path, "a.wav", allow_silent=True)
    assert clip.is_silent
    assert (clip.loudness_lufs, clip.true_peak_dbtp, clip.gain_db) == (None, None, 0)
    with pytest.raises(ManifestRefused):
        ingest(tmp_path, "a.wav")


@pytest.mark.django_db
def test_what_is_no_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_refused(
        tmp_path / "a.wav", "a.wav is not there. Check the name, and that the file is in the manifest's folder."
    )
    (tmp_path / "a.wav").mkdir()
    assert_refused(tmp_path / "a.wav", "a.wav is a folder. Write the path of a sound file.")
    (tmp_path / "b.wav").touch()
    assert_refused(tmp_path / "b.wav", "b.wav is empty: it has 0 bytes. Copy or export it again.")
    monkeypatch.setattr(clips, "LARGEST_FILE_BYTES", 1024**2)
    (tmp_path / "c.wav").write_bytes(b"0" * (1024**2 + 1))
    assert_refused(tmp_path / "c.wav", "c.wav is larger than 1 MB. Store it as flac, or cut it.")
