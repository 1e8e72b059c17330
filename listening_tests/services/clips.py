"""Clips: sound files taken in once, addressed by what they hold, with the rendition that raters hear."""

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction

from listening_tests.audio import AudioRefused, decode, render
from listening_tests.audio.loudness import SILENCE_DBFS
from listening_tests.audio.rendition import ENDING
from listening_tests.models import Clip
from listening_tests.models.stimuli import original_path, rendition_path

# A minute of stereo at 192 kHz and 32 bit lies below it.
LARGEST_FILE_BYTES = 100 * 1024**2


@dataclass(frozen=True)
class PreparedClip:
    """A clip that is measured and rendered, but stored nowhere yet."""

    clip: Clip
    rendition: bytes


def content_read(*, path: Path, name: str) -> bytes:
    """A file's bytes, read once so that what is hashed, decoded and stored is the same. Raises AudioRefused."""
    try:
        if path.is_dir():
            raise AudioRefused(f"{name} is a folder. Write the path of a sound file.")
        if not path.is_file():
            raise AudioRefused(f"{name} is not there. Check the name, and that the file is in the manifest's folder.")
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise AudioRefused(f"{name} cannot be read ({error.strerror}). Check its name and its permissions.") from error
    if len(content) > LARGEST_FILE_BYTES:
        raise AudioRefused(f"{name} is larger than {LARGEST_FILE_BYTES // 1024**2} MB. Store it as flac, or cut it.")
    if not content:
        raise AudioRefused(f"{name} is empty: it has 0 bytes. Copy or export it again.")
    return content


def content_digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def clip_prepare(*, content: bytes, name: str) -> PreparedClip:
    """Decodes, measures and renders, without touching the database or the storage. Raises AudioRefused."""
    decoded = decode(content, name=name)
    rendition = render(decoded.samples, decoded.rate_hz)
    loudness = rendition.loudness
    clip = Clip(
        sha256=content_digest(content),
        name=name[-500:],
        duration_s=decoded.duration_s,
        sample_rate_hz=decoded.rate_hz,
        channels=decoded.channels,
        loudness_lufs=loudness.lufs,
        true_peak_dbtp=loudness.true_peak_dbtp if math.isfinite(loudness.true_peak_dbtp) else None,
        gain_db=rendition.gain_db,
        is_silent=loudness.is_silent,
    )
    clip.original.name = original_path(clip, f"clip{decoded.ending}")
    clip.rendition.name = rendition_path(clip, f"clip{ENDING}")
    return PreparedClip(clip, rendition.content)


def refuse_silent(*, clip: Clip, name: str, allow_silent: bool) -> None:
    if clip.is_silent and not allow_silent:
        raise AudioRefused(
            f"{name} is silent: its peak lies below {SILENCE_DBFS:g} dBFS. Take it out, or allow silent clips "
            "(--allow-silent) where silence is a result."
        )


def clip_files_store(*, clip: Clip, original: bytes, rendition: bytes) -> None:
    """Puts both files of a clip where its row will say. Repeatable, and safe beside other processes."""
    with transaction.atomic():
        _lock_content(clip)
        _file_store(str(clip.original.name), original)
        _file_store(str(clip.rendition.name), rendition)


def _lock_content(clip: Clip) -> None:
    """Until the transaction ends, nobody else writes the files of this content."""
    key = int.from_bytes(bytes.fromhex(str(clip.sha256))[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _file_store(name: str, content: bytes) -> None:
    if default_storage.exists(name):
        with default_storage.open(name) as stream:
            if stream.read() == content:
                return
        # Left half-written by a process that died: no row names it, for rows come after their files.
        default_storage.delete(name)
    default_storage.save(name, ContentFile(content))
