"""The files of a model and of a snapshot, as their pages list them and hand them out."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from worker.models import DatasetSnapshot, ModelVersion

# What of a snapshot is handed out beside its sounds, which the clips' pages have.
SNAPSHOT_FILES = ("manifest.json", "ratings.jsonl", "comparisons.jsonl")


@dataclass(frozen=True)
class StoredFile:
    """`name` is relative to the directory of the model or snapshot."""

    name: str
    size: int
    path: Path


def files_of_model(*, version: ModelVersion) -> list[StoredFile]:
    """By name; none where they were cleared away."""
    place = Path(settings.MEDIA_ROOT) / version.directory
    found = (path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    files = [StoredFile(path.relative_to(place).as_posix(), path.stat().st_size, path) for path in found]
    return sorted(files, key=lambda file: file.name)


def files_of_snapshot(*, snapshot: DatasetSnapshot) -> list[StoredFile]:
    place = Path(settings.MEDIA_ROOT) / snapshot.directory
    return [
        StoredFile(name, (place / name).stat().st_size, place / name)
        for name in SNAPSHOT_FILES
        if (place / name).is_file()
    ]
