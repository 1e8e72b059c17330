"""Makes a back-up while the site works: first the database, of one moment, then the files.

Files are written before their rows and never changed, so whatever a row of that moment names is there afterwards.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django.utils.crypto import salted_hmac

from listening_tests.exceptions import Refused
from webapp.backups.copying import Copier, files_below
from webapp.backups.manifest import DATABASE, FILES, HOME, SCHEMA_VERSION, Manifest, sha256_of
from webapp.backups.postgres_tools import database_dump, server_major
from worker.code_version import code_version
from worker.stored_files import files_promised, folders_in_flux

# Below EARMARK_HOME. The rest is made again (static, cache), or is of this machine alone (logs, broker, postgres).
KEPT = ("media", "locale", "secret_key", "first_password", "demo_was_made")
# Beside the files that all machines share: when the last back-up was made. No back-up takes it along.
LAST_BACKUP = ".last_backup"


def backup_write(*, out: Path) -> Manifest:
    """Writes a back-up to the new folder `out`, which appears when it is whole, readable by its owner alone.

    Raises `Refused` where `out` is there already or cannot be written, or where pg_dump fails.
    """
    out = out.resolve()
    _refuse_bad_place(out)
    try:
        with _drafted(out) as draft:
            manifest = _write(draft)
            # One call for a million files, where waiting for each would take hours.
            os.sync()
    except OSError as error:
        raise Refused(
            f"{out} cannot be written: {error.strerror or error}. Name a folder on a disk with room that this account "
            "may write to."
        ) from error
    mark = Path(settings.MEDIA_ROOT) / LAST_BACKUP
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(manifest.created, encoding="utf-8")
    return manifest


def last_backup_at() -> datetime | None:
    """When the last back-up of this installation was begun; None where none was made."""
    try:
        return datetime.fromisoformat((Path(settings.MEDIA_ROOT) / LAST_BACKUP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def key_fingerprint() -> str:
    """Recognises the secret key without telling it."""
    return salted_hmac("webapp.backups", "fingerprint", algorithm="sha256").hexdigest()


def table_rows() -> dict[str, int]:
    """How many rows each table has."""
    with connection.cursor() as cursor:
        names = sorted(connection.introspection.table_names(cursor))
        counts = {}
        for name in names:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608 -- a quoted name
            counts[name] = cursor.fetchone()[0]
    return counts


def _refuse_bad_place(out: Path) -> None:
    if out.exists():
        raise Refused(f"{out} is there already. A back-up is written once; name a folder that is not there yet.")
    if out.is_relative_to(settings.MEDIA_ROOT):
        raise Refused(f"{out} is among the files that are backed up. Name a folder elsewhere, best on another disk.")


@contextmanager
def _drafted(out: Path) -> Iterator[Path]:
    """A folder beside `out` that becomes it, or goes."""
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    # It holds who the raters are, and the key that signs for them.
    draft.mkdir(mode=0o700)
    try:
        yield draft
        draft.rename(out)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _write(draft: Path) -> Manifest:
    created = timezone.now()
    with _one_moment() as snapshot:
        tables, promised, in_flux = table_rows(), files_promised(), folders_in_flux()
        migrations = sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations())
        major = server_major()
        database_dump(out=draft / DATABASE, snapshot=snapshot)
    n_files, n_bytes, missing = _copy_files(draft, promised, in_flux)
    manifest = Manifest(
        schema=SCHEMA_VERSION,
        created=created.isoformat(),
        code=code_version(),
        postgresql=major,
        migrations=migrations,
        tables=tables,
        key=key_fingerprint(),
        n_files=n_files,
        n_bytes=n_bytes,
        missing=missing,
        database_sha256=sha256_of(draft / DATABASE),
        files_sha256=sha256_of(draft / FILES),
    )
    manifest.write(draft)
    return manifest


@contextmanager
def _one_moment() -> Iterator[str]:
    """The name of a moment of the database, for pg_dump to see the same; it lasts as long as the body."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0]


def _copy_files(draft: Path, promised: list[str], in_flux: set[str]) -> tuple[int, int, list[str]]:
    """Copies what is below EARMARK_HOME and lists it; returns how many files and bytes, and which of `promised`
    were not there.
    """
    home, media = Path(settings.EARMARK_HOME), Path(settings.MEDIA_ROOT).name
    (draft / HOME).mkdir()
    copier = Copier(draft / HOME)
    copied: set[str] = set()
    n_files = n_bytes = 0
    with (draft / FILES).open("w", encoding="utf-8") as listing:
        for name in files_below(home, KEPT, without={f"{media}/{folder}" for folder in in_flux}):
            try:
                stored = copier.copy(home / name, name)
            except FileNotFoundError:
                # No row of that moment needed it, or it is told as missing.
                continue
            listing.write(json.dumps(asdict(stored)) + "\n")
            copied |= {name, str(Path(name).parent)}
            n_files, n_bytes = n_files + 1, n_bytes + stored.n_bytes
    missing = dict.fromkeys(name for name in promised if f"{media}/{name}" not in copied)
    return n_files, n_bytes, list(missing)
