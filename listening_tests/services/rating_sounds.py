"""The sounds of imported ratings: known by their sha256, found in a folder, or not here at all.

A clip whose sound is not here is a row without files, under a uuid that its sha256 or, within a test, its name gives.
So the same file finds it again, and it gets its sound when that comes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db.models import Exists, OuterRef

from listening_tests.audio import AudioRefused
from listening_tests.exceptions import Refused
from listening_tests.models import Clip, ListeningTest, Pair
from listening_tests.services.batches import BATCH, batches
from listening_tests.services.clips import clip_files_store, clip_prepare, content_digest, content_read, files_kept
from listening_tests.services.imported_answers import ClipKey, ImportedClip
from listening_tests.services.rating_rows import RatingsRefused
from listening_tests.services.sound_folders import Progress

_MUTE_CLIPS = uuid5(NAMESPACE_URL, "earmark:clips-without-sound")
_OF_SOUND = (
    *("sha256", "original", "rendition", "duration_s", "sample_rate_hz", "channels"),
    *("loudness_lufs", "true_peak_dbtp", "gain_db", "is_silent"),
)


@dataclass(frozen=True)
class FoundSounds:
    """By clip the sha256 of its sound, and by sha256 the clips that are to be made, with their files."""

    digests: dict[ClipKey, str]
    new: dict[str, Clip]
    sources: dict[str, Path]


@dataclass(frozen=True)
class StoredClips:
    """The keys of the rows by clip; how many have no sound, and how many that had none have got theirs."""

    ids: dict[ClipKey, int]
    mute: int
    sounded: int


def sounds_find(
    *, clips: Iterable[ImportedClip], folder: Path | None, called: str, staged: Path, on_progress: Progress
) -> FoundSounds:
    """Looks in `folder` for the clips' files, by name and then by content, and renders new ones into `staged`.

    A file that has the name of a clip but another sha256 is not its sound. `called` is what a refusal calls the folder.
    Raises RatingsRefused where a file that was found is no sound, Refused where there is no such folder.
    """
    wanted = list(clips)
    found = FoundSounds({clip.key: clip.sha256 for clip in wanted if clip.sha256}, {}, {})
    if folder is None:
        return found
    if not folder.is_dir():
        raise Refused(f"The folder {folder} is not there. Give the folder, or the zip, that the sounds lie in.")
    lost = [clip for clip in wanted if not _is_known(clip)]
    paths = _paths(lost, folder.resolve(), on_progress)
    problems = []
    for done, clip in enumerate(lost):
        on_progress("Checking sounds", done, len(lost))
        if clip.key in paths:
            try:
                _take(clip, paths[clip.key], found, staged)
            except AudioRefused as refusal:
                problems.append(str(refusal))
    if problems:
        raise RatingsRefused(problems, file=called)
    return found


def _is_known(clip: ImportedClip) -> bool:
    return bool(clip.sha256) and Clip.objects.filter(sha256=clip.sha256).exists()


def _paths(clips: list[ImportedClip], folder: Path, on_progress: Progress) -> dict[ClipKey, Path]:
    paths: dict[ClipKey, Path] = {}
    for clip in clips:
        path = _named(clip, folder)
        if path is not None and clip.sha256 in ("", _digest(path)):
            paths[clip.key] = path
    sought = {clip.sha256: clip.key for clip in clips if clip.sha256 and clip.key not in paths}
    if sought:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        for done, path in enumerate(files):
            on_progress("Looking for sounds", done, len(files))
            key = sought.get(_digest(path))
            if key is not None:
                paths.setdefault(key, path)
    return paths


def _named(clip: ImportedClip, folder: Path) -> Path | None:
    """The file that a clip's name leads to, never outside of the folder."""
    try:
        path = (folder / clip.name.lstrip("/\\")).resolve()
        is_there = path.is_relative_to(folder) and path.is_file()
    except (OSError, ValueError, RuntimeError):
        return None
    return path if is_there else None


def _digest(path: Path) -> str:
    """Empty where the file is no clip that could be taken in."""
    try:
        return content_digest(content_read(path=path, name=path.name))
    except AudioRefused:
        return ""


def _take(clip: ImportedClip, path: Path, found: FoundSounds, staged: Path) -> None:
    content = content_read(path=path, name=clip.name)
    digest = content_digest(content)
    found.digests[clip.key] = digest
    if digest in found.new or Clip.objects.filter(sha256=digest).exists():
        return
    prepared = clip_prepare(content=content, name=clip.name)
    (staged / digest).write_bytes(prepared.rendition)
    found.new[digest] = prepared.clip
    found.sources[digest] = path


def sounds_store(*, found: FoundSounds, staged: Path, on_progress: Progress) -> None:
    """Puts the files of new sounds where their rows will say. A crash leaves files that no row names."""
    for done, (digest, clip) in enumerate(found.new.items()):
        on_progress("Storing sounds", done, len(found.new))
        original = content_read(path=found.sources[digest], name=clip.name)
        if content_digest(original) != digest:
            raise Refused(f"{clip.name} was changed while it was imported. Nothing was imported; start again.")
        clip_files_store(clip=clip, original=original, rendition=(staged / digest).read_bytes())


def clips_store(*, test: ListeningTest, clips: Mapping[ClipKey, ImportedClip], found: FoundSounds) -> StoredClips:
    """The rows of the clips, made where they are not there; a row without a sound gets it where it was found."""
    with files_kept(clips=found.new.values()) as missing:
        if missing:
            raise Refused(
                f"The files of {missing[0].name} were cleared away, for another import of the same sound was given up. "
                "Nothing was imported; start again."
            )
    rows = _rows_there(test, clips, found)
    digests = {key: found.digests.get(key) or _digest_of(rows.get(key)) for key in clips}
    sounded = _give_sounds({key: row for key, row in rows.items() if row.sha256 is None}, digests, found)
    _make_with_sound(found)
    with_sound = _with_sound(set(digests.values()) - {""})
    ids: dict[ClipKey, int] = {key: with_sound[digest] for key, digest in digests.items() if digest in with_sound}
    for key, row in rows.items():
        if key in ids and row.pk != ids[key] and row.sha256 is None:
            sounded += _repoint(test, row, ids[key], digests[key])
    mute = {key: clip for key, clip in clips.items() if key not in ids}
    ids |= {key: rows[key].pk for key in mute if key in rows}
    ids |= _make_mute(test, {key: clip for key, clip in mute.items() if key not in rows})
    return StoredClips(ids, mute=len(mute), sounded=sounded)


def _mute_uuid(test: ListeningTest, clip: ImportedClip) -> UUID:
    return uuid5(_MUTE_CLIPS, clip.sha256) if clip.sha256 else uuid5(test.uuid, f"clip {clip.name}")


def _digest_of(row: Clip | None) -> str:
    return (row.sha256 or row.named_sha256) if row is not None else ""


def _rows_there(test: ListeningTest, clips: Mapping[ClipKey, ImportedClip], found: FoundSounds) -> dict[ClipKey, Clip]:
    """Rows that earlier imports made; of clips that only a name is known of also those of the test by that name."""
    keys = {_mute_uuid(test, clip): key for key, clip in clips.items()}
    rows: dict[ClipKey, Clip] = {}
    for batch in batches(sorted(keys)):
        rows |= {keys[row.uuid]: row for row in Clip.objects.filter(uuid__in=batch)}
    unknown = {clip.name.lstrip("/"): key for key, clip in clips.items() if key not in rows | found.digests}
    if unknown:
        named: dict[ClipKey, list[Clip]] = {}
        for row in Clip.objects.filter(pairs__test=test).distinct().iterator(chunk_size=BATCH):
            if row.name.lstrip("/") in unknown:
                named.setdefault(unknown[row.name.lstrip("/")], []).append(row)
        rows |= {key: same[0] for key, same in named.items() if len(same) == 1}
    return rows


def _give_sounds(mute: Mapping[ClipKey, Clip], digests: Mapping[ClipKey, str], found: FoundSounds) -> int:
    """Turns rows without a sound into rows with one, where no other row has it; returns how many."""
    given: set[str] = set()
    for key, row in sorted(mute.items()):
        sound = found.new.get(digests[key])
        if sound is None or digests[key] in given or Clip.objects.filter(sha256=sound.sha256).exists():
            continue
        for column in _OF_SOUND:
            setattr(row, column, getattr(sound, column))
        row.save(update_fields=_OF_SOUND)
        given.add(digests[key])
    return len(given)


def _make_with_sound(found: FoundSounds) -> None:
    # In one order everywhere, so that two imports at once cannot wait for each other; who comes second finds the rows.
    there = _with_sound(set(found.new))
    clips = [found.new[digest] for digest in sorted(found.new) if digest not in there]
    Clip.objects.bulk_create(clips, batch_size=BATCH, ignore_conflicts=True)


def _with_sound(digests: set[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for batch in batches(sorted(digests)):
        ids |= {str(digest): pk for pk, digest in Clip.objects.filter(sha256__in=batch).values_list("pk", "sha256")}
    return ids


def _repoint(test: ListeningTest, mute: Clip, clip_id: int, digest: str) -> int:
    """Gives the test's pairs of a clip without sound the clip that has it, and tells the next import so."""
    Clip.objects.filter(pk=mute.pk).update(named_sha256=digest)
    there = Pair.objects.filter(test=test, clip_id=clip_id, caption=OuterRef("caption"))
    return min(1, Pair.objects.filter(~Exists(there), test=test, clip=mute).update(clip_id=clip_id))


def _make_mute(test: ListeningTest, clips: Mapping[ClipKey, ImportedClip]) -> dict[ClipKey, int]:
    keys = {_mute_uuid(test, clip): key for key, clip in clips.items()}
    rows = [
        Clip(uuid=uuid, name=clips[key].name, duration_s=clips[key].duration_s, named_sha256=clips[key].sha256)
        for uuid, key in sorted(keys.items())
    ]
    Clip.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    ids: dict[ClipKey, int] = {}
    for batch in batches(sorted(keys)):
        ids |= {keys[uuid]: pk for pk, uuid in Clip.objects.filter(uuid__in=batch).values_list("pk", "uuid")}
    return ids
