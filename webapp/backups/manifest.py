"""What a back-up's folder holds, and whether it still does: its manifest, and the list of its files."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from listening_tests.exceptions import Refused

SCHEMA_VERSION = 1
MANIFEST, FILES, DATABASE, HOME = "manifest.json", "files.jsonl", "database.dump", "home"
CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Manifest:
    """`tables` holds the rows of each table, `migrations` those that were applied, as "app.name".

    `key` recognises the secret key without telling it. `n_files` and `n_bytes` count what lies below `home`.
    `missing` are files that rows name and that were not there.
    """

    schema: int
    created: str
    code: str
    postgresql: int
    migrations: list[str]
    tables: dict[str, int]
    key: str
    n_files: int
    n_bytes: int
    missing: list[str]
    database_sha256: str
    files_sha256: str

    def write(self, folder: Path) -> None:
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class StoredFile:
    """A file below the back-up's `home`. `path` is relative to it."""

    path: str
    n_bytes: int
    sha256: str


def manifest_read(folder: Path) -> Manifest:
    """The manifest of a back-up whose list of files and database are as they were written.

    Raises `Refused` for a folder that is no back-up, one of a later kind, or a changed byte.
    """
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        schema = told["schema"]
    except FileNotFoundError:
        raise Refused(
            f"{folder} is no back-up: there is no {MANIFEST} in it. Name a folder that backup made."
        ) from None
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{folder / MANIFEST} cannot be read as a manifest. Take another back-up.") from None
    if schema != SCHEMA_VERSION or set(told) != {field.name for field in fields(Manifest)}:
        raise Refused(
            f"{folder} is a back-up of kind {schema}, and this Earmark knows kind {SCHEMA_VERSION}. "
            "Restore it with the Earmark that made it, or a newer one."
        )
    manifest = Manifest(**told)
    for name, digest in ((FILES, manifest.files_sha256), (DATABASE, manifest.database_sha256)):
        if not (folder / name).is_file() or sha256_of(folder / name) != digest:
            raise changed(name)
    return manifest


def files_listed(folder: Path) -> Iterator[StoredFile]:
    """Each file of a back-up, in the order in which it was copied."""
    with (folder / FILES).open(encoding="utf-8") as lines:
        for line in lines:
            yield StoredFile(**json.loads(line))


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def changed(name: str) -> Refused:
    return Refused(f"{name} in the back-up is not as it was written. Nothing was restored; take another back-up.")
