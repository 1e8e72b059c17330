"""The sounds of a manifest: each file looked at once, new ones measured and rendered into a folder beside."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from listening_tests.audio import AudioRefused
from listening_tests.models import Clip
from listening_tests.services.clips import clip_prepare, content_digest, content_read, refuse_silent
from listening_tests.services.manifest_rows import NamedFile

# Told what is being done, how many files are done, and how many there are. What it raises ends the work.
Progress = Callable[[str, int, int], None]
_MEASURED = (
    *("sha256", "duration_s", "sample_rate_hz", "channels"),
    *("loudness_lufs", "true_peak_dbtp", "gain_db", "is_silent"),
)
_FILES = ("original", "rendition")


@dataclass
class CheckedFiles:
    """What is known of each path: its sha256, or why it is refused; of each new content its clip and where it lies.

    `reused` are the contents that were stored before, each with the name of its clip. A refusal is kept without the
    name that it begins with, for rows may name one file in several ways.
    """

    digests: dict[Path, str] = field(default_factory=dict)
    refusals: dict[Path, str] = field(default_factory=dict)
    new_clips: dict[str, Clip] = field(default_factory=dict)
    sources: dict[str, Path] = field(default_factory=dict)
    reused: dict[str, str] = field(default_factory=dict)


def files_check(
    *, named: list[NamedFile], staged: Path, allow_silent: bool, on_progress: Progress, files: CheckedFiles
) -> CheckedFiles:
    """Reads each file once or, where its content is new, decodes and renders it into `staged`.

    One after the other: raters may want the other processor.
    """
    names: dict[Path, str] = {}
    for file in named:
        names.setdefault(file.path, file.name)
    for done, (path, name) in enumerate(names.items()):
        on_progress("Checking sounds", done, len(names))
        try:
            _check_file(path, name, files, staged, allow_silent)
        except AudioRefused as refusal:
            files.refusals[path] = str(refusal).removeprefix(name)
    on_progress("Checking sounds", len(names), len(names))
    return files


def _check_file(path: Path, name: str, files: CheckedFiles, staged: Path, allow_silent: bool) -> None:
    content = content_read(path=path, name=name)
    digest = content_digest(content)
    clip = files.new_clips.get(digest) or Clip.objects.filter(sha256=digest).first()
    if clip is None:
        clip = _prepared_before(staged, digest, name) or _prepare(staged, digest, content, name)
    refuse_silent(clip=clip, name=name, allow_silent=allow_silent)
    files.digests[path] = digest
    if clip.pk is None:
        files.new_clips[digest] = clip
        files.sources[digest] = path
    else:
        files.reused[digest] = clip.name


def _prepare(staged: Path, digest: str, content: bytes, name: str) -> Clip:
    prepared = clip_prepare(content=content, name=name)
    (staged / digest).write_bytes(prepared.rendition)
    measured = {column: getattr(prepared.clip, column) for column in _MEASURED}
    measured |= {column: str(getattr(prepared.clip, column).name) for column in _FILES}
    # Last and at once: where it is there, the rendition is whole.
    half = staged / f"{digest}.half"
    half.write_text(json.dumps(measured))
    half.rename(staged / f"{digest}.json")
    return prepared.clip


def _prepared_before(staged: Path, digest: str, name: str) -> Clip | None:
    """The clip that an earlier look at this content has left in `staged`."""
    measured = staged / f"{digest}.json"
    return Clip(name=name[-500:], **json.loads(measured.read_text())) if measured.exists() else None


def clips_prepared(*, staged: Path) -> list[Clip]:
    """The clips, not saved, that `staged` holds renditions of."""
    digests = [path.stem for path in sorted(staged.glob("*.json"))]
    return [clip for digest in digests if (clip := _prepared_before(staged, digest, ""))]
