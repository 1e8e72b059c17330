"""Puts a back-up into an installation that is empty: whole, or nothing of it."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from listening_tests.exceptions import Refused
from webapp.backups.copying import Copier
from webapp.backups.manifest import DATABASE, HOME, Manifest, changed, files_listed, manifest_read
from webapp.backups.postgres_tools import database_restore, server_major
from webapp.backups.writing import KEPT, key_fingerprint, table_rows

SECRET_KEY_FILE = "secret_key"  # noqa: S105 -- a file's name
COMES_ALONG = "Leave SECRET_KEY out: the key comes with the back-up."
SET_IT = "Set SECRET_KEY to that one: it was set in the environment, so it is not in the back-up."


def backup_restore(*, source: Path) -> Manifest:
    """Restores the back-up in `source`: files first, the database last, in one transaction.

    Raises `Refused`, with nothing changed, for a changed byte, a back-up of later code or a later PostgreSQL, another
    secret key, and an installation that holds anything already.
    """
    manifest = manifest_read(source)
    _refuse_later_code(manifest)
    _refuse_unless_empty()
    _refuse_later_postgresql(manifest)
    _refuse_other_key(manifest, source)
    try:
        with _files_in_place(source):
            database_restore(source=source / DATABASE)
    except OSError as error:
        raise Refused(
            f"The files cannot be put below {settings.EARMARK_HOME}: {error.strerror or error}. Nothing was restored; "
            "make room there, or name another EARMARK_HOME."
        ) from error
    _compare_rows(manifest)
    with connection.cursor() as cursor:
        # What the planner knows of the tables is in no back-up.
        cursor.execute("ANALYZE")
    return manifest


def _refuse_later_code(manifest: Manifest) -> None:
    on_disk = MigrationLoader(None).disk_migrations
    known = {".".join(key) for key in on_disk}
    known |= {".".join(key) for migration in on_disk.values() for key in migration.replaces}
    unknown = sorted(set(manifest.migrations) - known)
    if unknown:
        raise Refused(
            f"The back-up was made by a newer Earmark ({manifest.code or 'of unknown version'}): its database has been "
            f"through {unknown[0]}, which this one does not know. Restore it with that version, or a newer one."
        )


def _refuse_unless_empty() -> None:
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    if tables:
        raise Refused(
            f"The database holds {len(tables)} tables already, and a back-up is restored into an empty one only. "
            "Make a new database, or name another EARMARK_HOME; restore before Earmark is started there."
        )
    for name in KEPT:
        place = settings.EARMARK_HOME / name
        # Loading the settings makes a key where there is none.
        if name != SECRET_KEY_FILE and (place.is_file() or (place.is_dir() and any(place.iterdir()))):
            raise Refused(
                f"{place} is there already, and a back-up is restored into an empty EARMARK_HOME only. Name another."
            )


def _refuse_later_postgresql(manifest: Manifest) -> None:
    if server_major() < manifest.postgresql:
        raise Refused(
            f"The back-up is of PostgreSQL {manifest.postgresql}, and this database is PostgreSQL {server_major()}. "
            f"Name one of version {manifest.postgresql} or newer in DATABASE_URL."
        )


def _refuse_other_key(manifest: Manifest, source: Path) -> None:
    """Of a key that is set in the environment: one in a file comes with the back-up's files."""
    key_file = settings.EARMARK_HOME / SECRET_KEY_FILE
    is_from_file = key_file.exists() and key_file.read_text() == settings.SECRET_KEY
    comes_along = (source / HOME / SECRET_KEY_FILE).exists()
    if key_fingerprint() != manifest.key and not (is_from_file and comes_along):
        raise Refused(
            "SECRET_KEY is not the key that the back-up was made under, without which no rater's cookie and no "
            "personal link is known again. " + (COMES_ALONG if comes_along else SET_IT)
        )


@contextmanager
def _files_in_place(source: Path) -> Iterator[None]:
    """The back-up's files below EARMARK_HOME, each as it was hashed; away again where the body fails."""
    home = Path(settings.EARMARK_HOME)
    draft = home / ".restoring"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    key_before = home / SECRET_KEY_FILE
    kept_key = key_before.read_bytes() if key_before.exists() else None
    moved: list[Path] = []
    try:
        _copy_checked(source, draft)
        for entry in sorted(draft.iterdir()):
            place = home / entry.name
            if place.is_dir():
                # Empty, or it would have been refused.
                place.rmdir()
            entry.replace(place)
            moved.append(place)
        yield
    except BaseException:
        for place in moved:
            _remove(place)
        if kept_key is not None and key_before in moved:
            key_before.touch(mode=0o600)
            key_before.write_bytes(kept_key)
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _copy_checked(source: Path, draft: Path) -> None:
    copier = Copier(draft)
    for listed in files_listed(source):
        parts = PurePosixPath(listed.path).parts
        if parts[0] not in KEPT or ".." in parts:
            raise changed(listed.path)
        try:
            copied = copier.copy(source / HOME / listed.path, listed.path)
        except FileNotFoundError:
            raise changed(listed.path) from None
        if copied != listed:
            raise changed(listed.path)


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)


def _compare_rows(manifest: Manifest) -> None:
    found = table_rows()
    if found != manifest.tables:
        other = {name for name in found.keys() | manifest.tables.keys() if found.get(name) != manifest.tables.get(name)}
        raise RuntimeError(f"These tables have other numbers of rows than were backed up: {json.dumps(sorted(other))}.")
