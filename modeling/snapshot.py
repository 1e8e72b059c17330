"""The file contract between the platform and the model: a directory that is complete or does not exist.

`manifest.json` (schema version, test, created, counts, sha256 of every file, split salt and rule, scale),
`ratings.jsonl` (one rating a line, single ratings, never means, raters pseudonymous) and `audio/<sha256>.<ext>` (links
or copies of the originals).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modeling import splits

SCHEMA_VERSION = 1
ROLES = ("study", "anchor", "gold", "practice")
STUDY = "study"
MANIFEST, RATINGS, AUDIO = "manifest.json", "ratings.jsonl", "audio"


class SnapshotError(Exception):
    """A snapshot that cannot be written or must not be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class RatingRow:
    """One line of `ratings.jsonl`.

    `clip_sha256` is None only for ratings imported without audio. `split` is the data set's own split or None when
    given to `write_snapshot`; in a snapshot it is "train", "validation", "heldout" or "dropped", and None for pairs
    that never train nor count (another role than study, or no audio).
    """

    rating: str
    rater: str
    pair: str
    clip_sha256: str | None
    caption: str
    source_id: str | None
    system: str | None
    role: str
    question: str
    score: float
    scale_min: float
    scale_max: float
    split: str | None = None


_FIELDS = tuple(item.name for item in dataclasses.fields(RatingRow))
_PAIR_FIELDS = ("clip_sha256", "caption", "source_id", "system", "role")


@dataclass(frozen=True)
class SnapshotInfo:
    """What the platform keeps of a snapshot. `sha256` is that of `manifest.json`, which names every other file's.

    Counts of pairs: `n_pairs` all; `n_train`, `n_validation`, `n_heldout`, `n_dropped` partition the study pairs with
    audio.
    """

    sha256: str
    n_ratings: int
    n_raters: int
    n_pairs: int
    n_train: int
    n_validation: int
    n_heldout: int
    n_dropped: int


@dataclass(frozen=True)
class Snapshot:
    """A verified snapshot. `audio` maps each clip's sha256 to its file."""

    directory: Path
    info: SnapshotInfo
    test: str
    created: datetime
    scale_min: float
    scale_max: float
    salt: str
    ratings: tuple[RatingRow, ...]
    audio: dict[str, Path]


def write_snapshot(
    directory: Path,
    *,
    test: str,
    ratings: Iterable[RatingRow],
    audio: Mapping[str, Path],
    scale_min: float,
    scale_max: float,
    salt: str,
    created: datetime,
    heldout_fraction: float = splits.HELDOUT_FRACTION,
    validation_fraction: float = splits.VALIDATION_FRACTION,
) -> SnapshotInfo:
    """Write the snapshot beside its place, sync it, and rename it there; the same input gives the same bytes.

    `audio` maps a clip's sha256 to its original file; clips that no rating names are left out. Raises `SnapshotError`
    where the directory exists, a rating or a file is not what it says it is, or a clip has no file; then nothing is
    left behind.
    """
    if directory.exists():
        raise SnapshotError(f"The snapshot {directory} already exists; a snapshot is written once.")
    rows = _with_splits(_checked(ratings), salt, heldout_fraction, validation_fraction)
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        files = _write_audio(draft, rows, audio)
        files[RATINGS] = _write_synced(draft / RATINGS, "".join(map(_to_line, rows)))
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "test": test,
            "created": _utc(created).isoformat(),
            "counts": _counts(rows),
            "scale": {"min": float(scale_min), "max": float(scale_max)},
            "split": {
                "salt": salt,
                "rule": splits.RULE,
                "heldout_fraction": heldout_fraction,
                "validation_fraction": validation_fraction,
            },
            "files": dict(sorted(files.items())),
        }
        sha256 = _write_synced(draft / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
        draft.chmod(0o755)
        _sync_directory(draft)
        draft.rename(directory)
        _sync_directory(directory.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return SnapshotInfo(sha256=sha256, **_counts(rows))


def read_snapshot(directory: Path) -> Snapshot:
    """Read and verify a snapshot. Raises `SnapshotError` naming the file that is missing, extra or changed."""
    manifest_bytes = _read_bytes(directory, MANIFEST)
    manifest = _parse_manifest(directory, manifest_bytes)
    _verify_files(directory, manifest["files"])
    rows = _parse_ratings(directory)
    counts = _counts(rows)
    if counts != manifest["counts"]:
        raise SnapshotError(f"{directory / MANIFEST} counts {manifest['counts']}, but {RATINGS} holds {counts}.")
    audio = {Path(name).stem: directory / name for name in manifest["files"] if name.startswith(f"{AUDIO}/")}
    _require_audio(rows, audio)
    return Snapshot(
        directory=directory,
        info=SnapshotInfo(sha256=hashlib.sha256(manifest_bytes).hexdigest(), **counts),
        test=manifest["test"],
        created=datetime.fromisoformat(manifest["created"]),
        scale_min=manifest["scale"]["min"],
        scale_max=manifest["scale"]["max"],
        salt=manifest["split"]["salt"],
        ratings=tuple(rows),
        audio=audio,
    )


def _checked(ratings: Iterable[RatingRow]) -> list[RatingRow]:
    """The rows in the snapshot's order: by pair, then rater, then rating; each checked, and each pair one pair."""
    rows = sorted(ratings, key=lambda row: (row.pair, row.rater, row.rating))
    repeated = [name for name, n in Counter(row.rating for row in rows).items() if n > 1]
    if repeated:
        raise SnapshotError(f"Rating {repeated[0]} is given twice.")
    first: dict[str, RatingRow] = {}
    for row in rows:
        _check_row(row)
        other = first.setdefault(row.pair, row)
        for name in (*_PAIR_FIELDS, "split"):
            if getattr(other, name) != getattr(row, name):
                raise SnapshotError(
                    f"Pair {row.pair} has two values of {name}: {getattr(other, name)!r} and {getattr(row, name)!r}."
                )
    return rows


def _check_row(row: RatingRow) -> None:
    if row.role not in ROLES:
        raise SnapshotError(f"Rating {row.rating}: the role must be one of {', '.join(ROLES)}, not {row.role!r}.")
    if not row.scale_min < row.scale_max:
        raise SnapshotError(f"Rating {row.rating}: the scale {row.scale_min} to {row.scale_max} is empty.")
    if not (math.isfinite(row.score) and row.scale_min <= row.score <= row.scale_max):
        raise SnapshotError(
            f"Rating {row.rating}: the score {row.score} is outside its scale {row.scale_min} to {row.scale_max}."
        )
    if row.split is not None and row.split not in splits.SPLITS:
        raise SnapshotError(f"Rating {row.rating}: the split must be one of {', '.join(splits.SPLITS)}.")


def _with_splits(
    rows: list[RatingRow], salt: str, heldout_fraction: float, validation_fraction: float
) -> list[RatingRow]:
    """The rows with the split of each study pair that has audio, and None on the others."""
    pairs = {row.pair: row for row in rows if row.role == STUDY and row.clip_sha256}
    keys = [
        splits.PairKey(row.caption, row.clip_sha256 or "", row.source_id, own_split=row.split) for row in pairs.values()
    ]
    try:
        assigned = splits.assign_splits(
            keys, salt, heldout_fraction=heldout_fraction, validation_fraction=validation_fraction
        )
    except ValueError as error:
        raise SnapshotError(str(error)) from error
    by_pair = dict(zip(pairs, assigned, strict=True))
    return [dataclasses.replace(row, split=by_pair.get(row.pair)) for row in rows]


def _counts(rows: Iterable[RatingRow]) -> dict[str, int]:
    rows = list(rows)
    by_split = Counter({row.pair: row.split for row in rows}.values())
    return {
        "n_ratings": len(rows),
        "n_raters": len({row.rater for row in rows}),
        "n_pairs": len({row.pair for row in rows}),
        "n_train": by_split[splits.TRAIN],
        "n_validation": by_split[splits.VALIDATION],
        "n_heldout": by_split[splits.HELDOUT],
        "n_dropped": by_split[splits.DROPPED],
    }


def _write_audio(draft: Path, rows: Iterable[RatingRow], audio: Mapping[str, Path]) -> dict[str, str]:
    (draft / AUDIO).mkdir()
    files = {}
    for sha256 in sorted({row.clip_sha256 for row in rows if row.clip_sha256}):
        if sha256 not in audio:
            raise SnapshotError(f"The clip {sha256} is rated, but no file is given for it.")
        source = audio[sha256]
        name = f"{AUDIO}/{sha256}{source.suffix.lower()}"
        _link_or_copy(source, draft / name)
        found = _file_sha256(draft / name)
        if found != sha256:
            raise SnapshotError(f"{source} has the sha256 {found}, not {sha256}; the original file was changed.")
        files[name] = sha256
    _sync_directory(draft / AUDIO)
    return files


def _link_or_copy(source: Path, target: Path) -> None:
    """A hard link, or a synced copy where the file lies on another file system or may not be linked."""
    try:
        os.link(source.resolve(strict=True), target)
    except FileNotFoundError as error:
        raise SnapshotError(f"The audio file {source} does not exist.") from error
    except OSError:
        shutil.copyfile(source, target)
        with target.open("rb") as copy:
            os.fsync(copy.fileno())


def _write_synced(path: Path, text: str) -> str:
    data = text.encode("utf-8")
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return hashlib.sha256(data).hexdigest()


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_line(row: RatingRow) -> str:
    # JSON in ASCII: a caption may hold what is a line end to some readers (U+2028) or no Unicode at all (lone
    # surrogates).
    return json.dumps({name: getattr(row, name) for name in _FIELDS}, ensure_ascii=True) + "\n"


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise SnapshotError("The time of creation must carry its time zone.")
    return moment.astimezone(UTC)


def _read_bytes(directory: Path, name: str) -> bytes:
    try:
        return (directory / name).read_bytes()
    except OSError as error:
        raise SnapshotError(
            f"{directory / name} cannot be read ({error.strerror}); this is no complete snapshot."
        ) from error


def _parse_manifest(directory: Path, data: bytes) -> dict[str, Any]:
    path = directory / MANIFEST
    try:
        manifest = json.loads(data)
        version = manifest["schema_version"]
        complete = all(key in manifest for key in ("test", "created", "counts", "scale", "split", "files"))
    except (ValueError, KeyError, TypeError) as error:
        raise SnapshotError(f"{path} is not a snapshot's manifest.") from error
    if version != SCHEMA_VERSION or not complete:
        raise SnapshotError(f"{path} has schema version {version!r}; this program reads version {SCHEMA_VERSION}.")
    result: dict[str, Any] = manifest
    return result


def _verify_files(directory: Path, files: Mapping[str, str]) -> None:
    found = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir()}
    extra = sorted(found - set(files) - {MANIFEST})
    if extra:
        raise SnapshotError(f"{directory / extra[0]} is not named in the manifest; nothing may be added to a snapshot.")
    for name, sha256 in files.items():
        if name not in found:
            raise SnapshotError(f"{directory / name} is named in the manifest but missing.")
        if _file_sha256(directory / name) != sha256:
            raise SnapshotError(f"{directory / name} was changed: its sha256 is not the one in the manifest.")


def _parse_ratings(directory: Path) -> list[RatingRow]:
    rows = []
    for number, line in enumerate(_read_bytes(directory, RATINGS).splitlines(), start=1):
        try:
            row = RatingRow(**json.loads(line))
            _check_row(row)
        except (ValueError, TypeError, SnapshotError) as error:
            raise SnapshotError(f"{directory / RATINGS}, line {number}: {error}") from error
        rows.append(row)
    return rows


def _require_audio(rows: Iterable[RatingRow], audio: Mapping[str, Path]) -> None:
    for row in rows:
        if row.clip_sha256 and row.clip_sha256 not in audio:
            raise SnapshotError(f"The clip {row.clip_sha256} of pair {row.pair} has no file in the manifest.")
