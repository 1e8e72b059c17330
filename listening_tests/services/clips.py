"""Clips: sound files taken in once, addressed by what they hold, with the rendition that raters hear."""

import hashlib
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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
from listening_tests.services.batches import batches

# A minute of stereo at 192 kHz and 32 bit lies below it.
LARGEST_FILE_BYTES = 100 * 1024**2
# Of an advisory lock, held shared by who stores rows and alone by who discards files without one.
_DISCARDING = 0x656172_636C6970


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


@contextmanager
def files_kept(*, clips: Iterable[Clip]) -> Iterator[list[Clip]]:
    """Within a transaction that is about to store these rows: gives those of them whose files are not there, to be
    stored again. Until the transaction ends nobody's files are discarded.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_DISCARDING])
    yield [
        clip
        for clip in clips
        if not (default_storage.exists(str(clip.original.name)) and default_storage.exists(str(clip.rendition.name)))
    ]


def clip_files_discard(*, clips: Iterable[Clip]) -> int:
    """Deletes the files of clips that no row came of; returns of how many. Other imports of the same sounds that are
    on their way store them again.
    """
    by_digest = {str(clip.sha256): clip for clip in clips}
    return sum(_discard([by_digest[digest] for digest in batch]) for batch in batches(sorted(by_digest)))


@transaction.atomic
def _discard(clips: list[Clip]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_DISCARDING])
    used = set(Clip.objects.filter(sha256__in=[clip.sha256 for clip in clips]).values_list("sha256", flat=True))
    unused = [clip for clip in clips if clip.sha256 not in used]
    for clip in unused:
        _lock_content(clip)
        default_storage.delete(str(clip.original.name))
        default_storage.delete(str(clip.rendition.name))
    return len(unused)


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
