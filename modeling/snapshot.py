"""The file contract between the platform and the model: a directory that is complete or does not exist.

`manifest.json` (schema version, test, created, counts, sha256 of every file, split salt and rule, scale),
`ratings.jsonl` (one rating a line, single ratings, never means, raters pseudonymous), `comparisons.jsonl` where sounds
were compared (one comparison a line, no scores) and `audio/<sha256>.<ext>` (links or copies of the originals).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from modeling import splits
from modeling.rows import (
    STUDY,
    ComparedPair,
    ComparisonRow,
    Described,
    RatingRow,
    SnapshotError,
    check_comparison,
    check_rating,
    comparison_line,
    described,
    parse_comparison,
    parse_rating,
    rating_line,
)

__all__ = [
    "ComparedPair",
    "ComparisonRow",
    "RatingRow",
    "Snapshot",
    "SnapshotError",
    "SnapshotInfo",
    "read_snapshot",
    "write_snapshot",
]

# 1 is ratings alone. A program that knows no comparisons must refuse a snapshot that has some, hence 2; without any,
# what is written is still version 1 to the byte.
RATINGS_ONLY, WITH_COMPARISONS = 1, 2
Row = TypeVar("Row", RatingRow, ComparisonRow)
MANIFEST, RATINGS, COMPARISONS, AUDIO = "manifest.json", "ratings.jsonl", "comparisons.jsonl", "audio"


@dataclass(frozen=True)
class SnapshotInfo:
    """What the platform keeps of a snapshot. `sha256` is that of `manifest.json`, which names every other file's.

    Counts of pairs: `n_pairs` all; `n_train`, `n_validation`, `n_heldout`, `n_dropped` partition the study pairs with
    audio, together with `n_waiting`, but for those that were only compared with pairs that never count. A pair that
    only dropped comparisons name is dropped.
    """

    sha256: str
    n_ratings: int
    n_raters: int
    n_pairs: int
    n_train: int
    n_validation: int
    n_heldout: int
    n_dropped: int
    n_comparisons: int = 0
    n_waiting: int = 0


@dataclass(frozen=True)
class Snapshot:
    """A verified snapshot. `audio` maps each clip's sha256 to its file; the scale is None where nothing was rated.

    `is_simulated` says that its raters are no people. `heldout_version` is that of its held-out pairs, None where they
    were not frozen.
    """

    directory: Path
    info: SnapshotInfo
    test: str
    created: datetime
    scale_min: float | None
    scale_max: float | None
    salt: str
    ratings: tuple[RatingRow, ...]
    audio: dict[str, Path]
    comparisons: tuple[ComparisonRow, ...] = ()
    is_simulated: bool = False
    heldout_version: int | None = None


def write_snapshot(
    directory: Path,
    *,
    test: str,
    ratings: Iterable[RatingRow],
    audio: Mapping[str, Path],
    scale_min: float | None,
    scale_max: float | None,
    salt: str,
    created: datetime,
    comparisons: Iterable[ComparisonRow] = (),
    is_simulated: bool = False,
    heldout: splits.HeldoutVersion | None = None,
    heldout_fraction: float = splits.HELDOUT_FRACTION,
    validation_fraction: float = splits.VALIDATION_FRACTION,
) -> SnapshotInfo:
    """Write the snapshot beside its place, sync it, and rename it there; the same input gives the same bytes.

    `audio` maps a clip's sha256 to its original file; clips that nothing names are left out. The scale is that of the
    test, None where sounds are only compared; `is_simulated` says that its raters are no people. Where `heldout` is
    given, the pairs that the rule holds out and that are not among these wait. Raises `SnapshotError` where the
    directory exists, a rating, a comparison or a file is not what it says it is, or a clip has no file; then nothing is
    left behind.
    """
    if directory.exists():
        raise SnapshotError(f"The snapshot {directory} already exists; a snapshot is written once.")
    rows, compared = _checked(ratings, comparisons)
    rows, compared = _with_splits(rows, compared, salt, heldout_fraction, validation_fraction, heldout)
    counts = _counts(rows, compared)
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        files = _write_audio(draft, described(rows, compared), audio)
        files[RATINGS] = _write_synced(draft / RATINGS, "".join(map(rating_line, rows)))
        if compared:
            files[COMPARISONS] = _write_synced(draft / COMPARISONS, "".join(map(comparison_line, compared)))
        manifest = {
            "schema_version": WITH_COMPARISONS if compared else RATINGS_ONLY,
            "test": test,
            "created": _utc(created).isoformat(),
            "counts": counts,
            "scale": {"min": _float(scale_min), "max": _float(scale_max)},
            "split": {
                "salt": salt,
                "rule": splits.RULE,
                "heldout_fraction": heldout_fraction,
                "validation_fraction": validation_fraction,
            },
            "files": dict(sorted(files.items())),
            **_told_of(heldout, is_simulated),
        }
        sha256 = _write_synced(draft / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
        draft.chmod(0o755)
        _sync_directory(draft)
        draft.rename(directory)
        _sync_directory(directory.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return SnapshotInfo(sha256=sha256, **counts)


def _told_of(heldout: splits.HeldoutVersion | None, is_simulated: bool) -> dict[str, Any]:
    """What a manifest says only where there is something to say."""
    told: dict[str, Any] = {}
    if heldout is not None:
        told["heldout"] = {"version": heldout.version, "sha256": heldout.sha256, "n_pairs": len(heldout.pairs)}
    if is_simulated:
        told["simulated"] = True
    return told


def read_snapshot(directory: Path) -> Snapshot:
    """Read and verify a snapshot. Raises `SnapshotError` naming the file that is missing, extra or changed."""
    manifest_bytes = _read_bytes(directory, MANIFEST)
    manifest = _parse_manifest(directory, manifest_bytes)
    _verify_files(directory, manifest["files"])
    rows = _parse(directory, RATINGS, parse_rating)
    compared = _parse(directory, COMPARISONS, parse_comparison) if COMPARISONS in manifest["files"] else []
    counts = _counts(rows, compared)
    if counts != manifest["counts"]:
        raise SnapshotError(f"{directory / MANIFEST} counts {manifest['counts']}, but its files hold {counts}.")
    audio = {Path(name).stem: directory / name for name in manifest["files"] if name.startswith(f"{AUDIO}/")}
    _require_audio(described(rows, compared), audio)
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
        comparisons=tuple(compared),
        is_simulated=manifest.get("simulated") is True,
        heldout_version=manifest.get("heldout", {}).get("version"),
    )


def _checked(
    ratings: Iterable[RatingRow], comparisons: Iterable[ComparisonRow]
) -> tuple[list[RatingRow], list[ComparisonRow]]:
    """The rows in the snapshot's order, by pair, rater and name: each checked, and each pair one pair."""
    rows = sorted(ratings, key=lambda row: (row.pair, row.rater, row.rating))
    compared = sorted(comparisons, key=lambda row: (row.first.pair, row.second.pair, row.rater, row.comparison))
    _require_given_once("Rating", [row.rating for row in rows])
    _require_given_once("Comparison", [row.comparison for row in compared])
    for row in rows:
        check_rating(row)
    for comparison in compared:
        check_comparison(comparison)
    _require_one_meaning(described(rows, compared))
    return rows, compared


def _require_given_once(what: str, names: Sequence[str]) -> None:
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise SnapshotError(f"{what} {repeated[0]} is given twice.")


def _require_one_meaning(pairs: Iterable[Described]) -> None:
    first: dict[str, Described] = {}
    for pair, split in pairs:
        known, known_split = first.setdefault(pair.pair, (pair, split))
        if (known, known_split) == (pair, split):
            continue
        ours, theirs = {**vars(known), "split": known_split}, {**vars(pair), "split": split}
        name = next(name for name in ours if ours[name] != theirs[name])
        raise SnapshotError(f"Pair {pair.pair} has two values of {name}: {ours[name]!r} and {theirs[name]!r}.")


def _with_splits(
    rows: list[RatingRow],
    compared: list[ComparisonRow],
    salt: str,
    heldout_fraction: float,
    validation_fraction: float,
    heldout: splits.HeldoutVersion | None,
) -> tuple[list[RatingRow], list[ComparisonRow]]:
    """The rows with the split of each study pair that has audio, and None on the others."""
    pairs = {
        pair.pair: (pair, own) for pair, own in described(rows, compared) if pair.role == STUDY and pair.clip_sha256
    }
    keys = [splits.PairKey(pair.caption, pair.clip_sha256 or "", pair.source_id, own) for pair, own in pairs.values()]
    try:
        assigned = splits.assign_splits(
            keys, salt, heldout_fraction=heldout_fraction, validation_fraction=validation_fraction
        )
    except ValueError as error:
        raise SnapshotError(str(error)) from error
    by_pair = {
        pair: splits.WAITING if split == splits.HELDOUT and heldout and pair not in heldout.pairs else split
        for pair, split in zip(pairs, assigned, strict=True)
    }
    return (
        [dataclasses.replace(row, split=by_pair.get(row.pair)) for row in rows],
        [
            dataclasses.replace(row, split=splits.joint_split(*(by_pair.get(side.pair) for side in row.sides)))
            for row in compared
        ],
    )


def _counts(rows: Sequence[RatingRow], compared: Sequence[ComparisonRow]) -> dict[str, int]:
    by_split = Counter(_pair_splits(described(rows, compared)).values())
    counts = {
        "n_ratings": len(rows),
        "n_raters": len({row.rater for row in rows} | {row.rater for row in compared}),
        "n_pairs": by_split.total(),
        "n_train": by_split[splits.TRAIN],
        "n_validation": by_split[splits.VALIDATION],
        "n_heldout": by_split[splits.HELDOUT],
        "n_dropped": by_split[splits.DROPPED],
    }
    more = {"n_comparisons": len(compared), "n_waiting": by_split[splits.WAITING]}
    return counts | {name: n for name, n in more.items() if n}


def _pair_splits(pairs: Iterable[Described]) -> dict[str, str | None]:
    """The split of each pair: that of the lines that use it, "dropped" or "waiting" where none does, None where it
    never counts.
    """
    rank = {None: 0, splits.DROPPED: 1, splits.WAITING: 2}
    found: dict[str, str | None] = {}
    for pair, split in pairs:
        if rank.get(split, 3) > rank.get(found.setdefault(pair.pair, split), 3):
            found[pair.pair] = split
    return found


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _write_audio(draft: Path, pairs: Iterable[Described], audio: Mapping[str, Path]) -> dict[str, str]:
    (draft / AUDIO).mkdir()
    files = {}
    for sha256 in sorted({pair.clip_sha256 for pair, _ in pairs if pair.clip_sha256}):
        if sha256 not in audio:
            raise SnapshotError(f"The clip {sha256} was judged, but no file is given for it.")
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
    if version not in (RATINGS_ONLY, WITH_COMPARISONS) or not complete:
        raise SnapshotError(
            f"{path} has schema version {version!r}; this program reads versions {RATINGS_ONLY} and {WITH_COMPARISONS}."
        )
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


def _parse(directory: Path, name: str, parse: Callable[[bytes], Row]) -> list[Row]:
    rows = []
    for number, line in enumerate(_read_bytes(directory, name).splitlines(), start=1):
        try:
            rows.append(parse(line))
        except (ValueError, TypeError, KeyError, SnapshotError) as error:
            raise SnapshotError(f"{directory / name}, line {number}: {error}") from error
    return rows


def _require_audio(pairs: Iterable[Described], audio: Mapping[str, Path]) -> None:
    for pair, _ in pairs:
        if pair.clip_sha256 and pair.clip_sha256 not in audio:
            raise SnapshotError(f"The clip {pair.clip_sha256} of pair {pair.pair} has no file in the manifest.")
