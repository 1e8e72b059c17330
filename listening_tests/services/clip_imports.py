"""What happens to uploads of clips: sent, looked at, taken in, mended, cancelled, cleared away.

Each change of state is a conditional UPDATE or made under the row's lock, so that two who meet at an import agree on
which of them changed it. The worker that carries one out is known by its name: one that was given up while it lived
finds that the row is no longer its own, and stops.
"""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from listening_tests.choices import (
    ENDED_CLIP_IMPORT_STATUSES,
    WAITING_CLIP_IMPORT_STATUSES,
    AuditedAction,
    ClipImportStage,
    ClipImportStatus,
    FindingKind,
    TestStatus,
)
from listening_tests.exceptions import Refused
from listening_tests.models import ClipImport, ClipImportFinding, ListeningTest
from listening_tests.roles import Account
from listening_tests.services.archives import LARGEST_ARCHIVE_BYTES, size_in_words
from listening_tests.services.audit import audit_note
from listening_tests.services.batches import BATCH
from listening_tests.services.clips import clip_files_discard
from listening_tests.services.manifest_rows import LARGEST_MANIFEST_BYTES
from listening_tests.services.manifest_sounds import clips_prepared
from listening_tests.services.manifests import CheckedManifest, ImportSummary, manifest_rows_store

# Of each kind. More would be read by nobody, and a manifest may be wrong in every row.
MOST_FINDINGS = 20_000
# What nobody took in, mended or discarded for so long is cleared away.
KEPT_WAITING = timedelta(days=7)
# What is left to the database and everybody else.
LEAST_FREE_BYTES = 512 * 1024**2
INTERRUPTED = "The worker was stopped on the way; it goes on when the worker is back."
_UNCOUNTED: dict[str, Any] = dict.fromkeys(
    ("done", "total", "n_rows", "n_new", "n_stored", "n_repeated", "n_failed", "n_bad_rows", "n_problems"), 0
)
_QUEUED_AGAIN: dict[str, Any] = {
    "status": ClipImportStatus.QUEUED,
    "host": "",
    "phase": "",
    "done": 0,
    "total": 0,
    "message": INTERRUPTED,
}


class ClipImportStopped(Exception):
    """The import was cancelled, or is another process's by now, or its worker is asked to stop."""


def archive_path(clip_import: ClipImport) -> Path:
    return _folder(clip_import) / "archive.zip"


def manifest_path(clip_import: ClipImport) -> Path:
    return _folder(clip_import) / "manifest.csv"


def sounds_path(clip_import: ClipImport) -> Path:
    """What the zip held; there once it is unpacked as a whole."""
    return _folder(clip_import) / "sounds"


def staged_path(clip_import: ClipImport) -> Path:
    """Renditions of sounds that are not stored yet."""
    return _folder(clip_import) / "prepared"


def clip_import_mark_storing(*, clip_import: ClipImport) -> None:
    """To be called before the first file is stored: from now on, what ends the import looks for files to discard."""
    _storing_mark(_folder(clip_import)).touch()


def _storing_mark(folder: Path) -> Path:
    return folder / "storing"


def _folder(clip_import: ClipImport) -> Path:
    return Path(settings.MEDIA_ROOT) / "imports" / str(clip_import.uuid)


def clip_import_create(
    *,
    test: ListeningTest,
    uuid: UUID,
    requested_by: Account,
    archive: "File[bytes]",
    manifest: "File[bytes] | None" = None,
    allow_silent: bool = False,
) -> tuple[ClipImport, bool]:
    """Keeps what was sent, to be looked at; and whether it is new: a `uuid` that is known is a repeat.

    Raises Refused for a closed test and for files that are too large.
    """
    _refuse_closed(test)
    _refuse_large(archive, LARGEST_ARCHIVE_BYTES, "zip")
    if manifest is not None:
        _refuse_large(manifest, LARGEST_MANIFEST_BYTES, "manifest")
    try:
        with transaction.atomic():
            made = ClipImport.objects.create(
                test=test,
                uuid=uuid,
                requested_by_id=requested_by.pk,
                archive_name=_short(archive.name),
                manifest_name=_short(manifest.name) if manifest is not None else "",
                allow_silent=allow_silent,
                heartbeat_at=timezone.now(),
            )
            # Nobody else gets here with this uuid before the row is there, so the folder is ours.
            _keep_files(made, archive, manifest)
    except IntegrityError:
        found = ClipImport.objects.filter(uuid=uuid, test=test).first()
        if found is None:
            raise Refused("This upload belongs to another test. Open the page of uploads anew.") from None
        return found, False
    return made, True


def refuse_upload_of(*, n_bytes: int) -> None:
    """Before anything of a request is read: raises Refused where it is too large, or does not say how large it is."""
    if n_bytes <= 0:
        raise Refused("The upload does not say how large it is. Send it with a Content-Length.")
    # Of what is around the files.
    if n_bytes > LARGEST_ARCHIVE_BYTES + LARGEST_MANIFEST_BYTES + 1024**2:
        _refuse_as_large(LARGEST_ARCHIVE_BYTES, "upload")
    free = shutil.disk_usage(settings.EARMARK_HOME).free
    if n_bytes + LEAST_FREE_BYTES > free:
        raise Refused(
            f"The server has {free // 1024**2:,} MB left on its disk, which is too little for this upload. "
            "Ask who looks after it to make room, or upload less at once."
        )


def _keep_files(clip_import: ClipImport, archive: "File[bytes]", manifest: "File[bytes] | None") -> None:
    try:
        _folder(clip_import).mkdir(parents=True)
        _keep(archive, archive_path(clip_import))
        if manifest is not None:
            _keep(manifest, manifest_path(clip_import))
    except BaseException:
        shutil.rmtree(_folder(clip_import), ignore_errors=True)
        raise


def _keep(file: "File[bytes]", target: Path) -> None:
    """Moves what Django has on disk already, so that gigabytes are written once."""
    temporary = getattr(file, "temporary_file_path", None)
    if temporary is not None:
        shutil.move(temporary(), target)
        target.chmod(settings.FILE_UPLOAD_PERMISSIONS or 0o640)
        return
    with target.open("wb") as sink:
        for chunk in file.chunks():
            sink.write(chunk)


def _short(name: str | None) -> str:
    return (name or "")[-255:]


def _refuse_closed(test: ListeningTest) -> None:
    if test.status == TestStatus.CLOSED:
        raise Refused(f"The test {test.slug} is closed, and takes no more pairs. Upload to another test.")


def _refuse_large(file: "File[bytes]", limit: int, noun: str) -> None:
    if file.size > limit:
        _refuse_as_large(limit, noun)


def _refuse_as_large(limit: int, noun: str) -> NoReturn:
    raise Refused(
        f"The {noun} is larger than {size_in_words(limit)}. Upload it in parts, or use manage.py import_clips."
    )


@transaction.atomic
def clip_import_correct(*, clip_import: ClipImport, manifest: "File[bytes]") -> ClipImport:
    """Puts another manifest in the place of the first one, over the same sounds, to be looked at again. Repeatable.

    Raises Refused where the upload has ended or is being worked on, or its sounds are gone.
    """
    _refuse_large(manifest, LARGEST_MANIFEST_BYTES, "manifest")
    row = ClipImport.objects.select_for_update().get(pk=clip_import.pk)
    content = manifest.read()
    there = manifest_path(row)
    if row.is_active and there.exists() and there.read_bytes() == content:
        return row
    _refuse_unless_waiting(row, "its manifest cannot be replaced now")
    _refuse_closed(row.test)
    if not there.parent.is_dir():
        raise Refused(f"The sounds of the upload {row.archive_name} are gone from the server. Upload them anew.")
    there.write_bytes(content)
    row.findings.all().delete()
    for column, value in (_QUEUED_AGAIN | _UNCOUNTED).items():
        setattr(row, column, value)
    row.stage, row.message, row.n_restarts = ClipImportStage.CHECK, "", 0
    row.manifest_name, row.heartbeat_at = _short(manifest.name) or "manifest.csv", timezone.now()
    row.save()
    return row


def clip_import_take_in(*, clip_import: ClipImport, requested_by: Account) -> tuple[ClipImport, bool]:
    """Queues an upload in which nothing is wrong to be taken in; and whether this call did it. Repeatable.

    Raises Refused where its dry run has not ended, or found something.
    """
    checked = ClipImport.objects.filter(pk=clip_import.pk, status=ClipImportStatus.CHECKED)
    changed = checked.update(
        status=ClipImportStatus.QUEUED,
        stage=ClipImportStage.TAKE_IN,
        requested_by_id=requested_by.pk,
        heartbeat_at=timezone.now(),
        n_restarts=0,
        **{"phase": "", "done": 0, "total": 0, "message": ""},
    )
    row = ClipImport.objects.select_related("test").get(pk=clip_import.pk)
    taken = row.is_active or row.status == ClipImportStatus.DONE
    if not changed and not (row.stage == ClipImportStage.TAKE_IN and taken):
        _refuse_unless_waiting(row, "it cannot be taken in")
        raise Refused(
            f"The upload {row.archive_name} has rows to mend, and comes in as a whole or not at all. "
            "Upload a corrected manifest."
        )
    return row, changed == 1


def _refuse_unless_waiting(row: ClipImport, consequence: str) -> None:
    if row.is_active:
        raise Refused(
            f"The upload {row.archive_name} is being worked on, so {consequence}. Wait until it is done, or cancel it."
        )
    if not row.is_waiting:
        raise Refused(
            f"The upload {row.archive_name} has ended ({row.get_status_display().lower()}), so {consequence}. "
            "Upload the sounds anew."
        )


def clip_import_cancel(*, clip_import: ClipImport) -> ClipImport:
    """Ends an upload that nobody works on at once, and one that a process works on within a few sounds.

    One that has ended stays as it is.
    """
    idle = ClipImport.objects.filter(
        pk=clip_import.pk, status__in=[ClipImportStatus.QUEUED, *WAITING_CLIP_IMPORT_STATUSES]
    )
    if idle.update(status=ClipImportStatus.CANCELLED, finished_at=timezone.now(), message="Cancelled."):
        clip_import_clear(clip_import=clip_import)
    else:
        running = ClipImport.objects.filter(pk=clip_import.pk, status=ClipImportStatus.RUNNING)
        running.update(status=ClipImportStatus.CANCELLING)
    clip_import.refresh_from_db()
    return clip_import


def clip_import_claim(*, clip_import_id: int, host: str) -> ClipImport | None:
    """The import, now in the hands of `host`; None where it is not queued any more."""
    now = timezone.now()
    claimed = ClipImport.objects.filter(pk=clip_import_id, status=ClipImportStatus.QUEUED).update(
        status=ClipImportStatus.RUNNING, started_at=now, heartbeat_at=now, host=host, message=""
    )
    return ClipImport.objects.select_related("test").get(pk=clip_import_id) if claimed == 1 else None


def clip_import_is_held(*, clip_import: ClipImport) -> bool:
    """Whether the process that claimed `clip_import` is still to carry it out."""
    return _held(clip_import).exists()


def clip_import_progress(*, clip_import: ClipImport, **columns: str | int) -> bool:
    """Stores how far it is, which is the sign of life too. False where it is not in this process's hands any more."""
    return _held(clip_import).update(heartbeat_at=timezone.now(), **columns) == 1


def _held(clip_import: ClipImport) -> QuerySet[ClipImport]:
    return ClipImport.objects.filter(pk=clip_import.pk, host=clip_import.host, status=ClipImportStatus.RUNNING)


@transaction.atomic
def clip_import_checked(*, clip_import: ClipImport, checked: CheckedManifest) -> ClipImport:
    """Stores what a look at the manifest found. Raises ClipImportStopped where the import is no longer ours."""
    row = _lock_held(clip_import)
    findings = {
        FindingKind.PROBLEM: [(found.line, found.column, found.reason) for found in checked.problems],
        **_same_sounds(checked),
    }
    row.findings.all().delete()
    for kind, of_kind in findings.items():
        ClipImportFinding.objects.bulk_create(
            (
                ClipImportFinding(clip_import=row, kind=kind, line=line, column=column, reason=reason)
                for line, column, reason in sorted(of_kind)[:MOST_FINDINGS]
            ),
            batch_size=BATCH,
        )
    bad_lines = {found.line for found in checked.problems}
    row.n_rows = len({row.line for row in checked.rows} | bad_lines)
    row.n_new, row.n_stored = len(checked.files.new_clips), len(checked.files.reused)
    row.n_repeated, row.n_failed = len(findings[FindingKind.REPEATED]), len(checked.files.refusals)
    row.n_bad_rows, row.n_problems = len(bad_lines), len(checked.problems)
    row.status = ClipImportStatus.REFUSED if checked.problems else ClipImportStatus.CHECKED
    row.phase, row.host, row.heartbeat_at = "", "", timezone.now()
    row.save()
    return row


def _same_sounds(checked: CheckedManifest) -> dict[FindingKind, list[tuple[int, str, str]]]:
    """The rows whose sound is known by its content: from before, or from a row above by another name.

    That several rows name one file is how a sound gets several captions, and is no finding.
    """
    stored, repeated = [], []
    first: dict[str, Any] = {}
    told: set[Path] = set()
    for row in sorted(checked.rows, key=lambda row: row.line):
        digest = checked.files.digests.get(row.path)
        if digest is None or row.path in told:
            continue
        told.add(row.path)
        earlier = first.setdefault(digest, row)
        if earlier is not row:
            reason = f"{row.file} holds the same sound as {earlier.file} of line {earlier.line}. It is stored once."
            repeated.append((row.line, "file", reason))
        elif digest in checked.files.reused:
            name = checked.files.reused[digest]
            stored.append(
                (row.line, "file", f"The sound of {row.file} is stored already, as {name}. It is used again.")
            )
    return {FindingKind.STORED: stored, FindingKind.REPEATED: repeated}


@transaction.atomic
def clip_import_store(*, clip_import: ClipImport, checked: CheckedManifest) -> ImportSummary:
    """All pairs of the manifest, or none: with them the import is done.

    Raises ClipImportStopped where it is no longer ours, ManifestRefused where the test has such pairs by now.
    """
    row = _lock_held(clip_import)
    summary = manifest_rows_store(checked=checked, staged=staged_path(row))
    row.status, row.finished_at, row.heartbeat_at = ClipImportStatus.DONE, timezone.now(), timezone.now()
    row.message, row.phase = str(summary), ""
    row.save()
    audit_note(user=row.requested_by, test=row.test, action=AuditedAction.INGESTED, detail=str(summary))
    return summary


def _lock_held(clip_import: ClipImport) -> ClipImport:
    row = ClipImport.objects.select_for_update(of=("self",)).select_related("test").get(pk=clip_import.pk)
    if row.status != ClipImportStatus.RUNNING or row.host != clip_import.host:
        raise ClipImportStopped
    return row


def clip_import_wait(*, clip_import: ClipImport, message: str) -> bool:
    """Leaves the decision to a person, who is told in a sentence what is wrong beside single rows."""
    return (
        _held(clip_import).update(
            status=ClipImportStatus.REFUSED, message=message, phase="", host="", heartbeat_at=timezone.now()
        )
        == 1
    )


def clip_import_end(*, clip_import: ClipImport, status: str, message: str, traceback: str = "") -> bool:
    """Ends an import that this process holds, and clears its files away.

    One that was being cancelled ends cancelled.
    """
    if _end_cancelling(clip_import):
        return True
    now = timezone.now()
    ended = _held(clip_import).update(
        status=status, message=message, traceback=traceback, finished_at=now, heartbeat_at=now
    )
    if ended:
        clip_import_clear(clip_import=clip_import)
    return ended == 1


def _end_cancelling(clip_import: ClipImport) -> bool:
    now = timezone.now()
    cancelling = ClipImport.objects.filter(pk=clip_import.pk, host=clip_import.host, status=ClipImportStatus.CANCELLING)
    ended = cancelling.update(
        status=ClipImportStatus.CANCELLED, message="Cancelled.", finished_at=now, heartbeat_at=now
    )
    if ended:
        clip_import_clear(clip_import=clip_import)
    return ended == 1


def clip_import_release(*, clip_import: ClipImport, count_restart: bool = False) -> bool:
    """Gives an import whose work was broken off back to the queue; True where it is to be published again.

    One that was being cancelled ends cancelled, and one that another process holds by now is left alone.
    """
    if _end_cancelling(clip_import):
        return False
    restarts = {"n_restarts": F("n_restarts") + 1} if count_restart else {}
    return _held(clip_import).update(**_QUEUED_AGAIN, **restarts) == 1


def clip_import_clear(*, clip_import: ClipImport) -> None:
    """Removes an ended import's folder, and files of sounds that it had stored without their pairs coming in."""
    _clear_folder(_folder(clip_import))


def clip_import_files_remove(*, clip_import: ClipImport) -> None:
    """Of an import that is done: its sounds are stored."""
    shutil.rmtree(_folder(clip_import), ignore_errors=True)


def clip_imports_clear_up() -> int:
    """Discards what has waited for a person for too long, and folders that no import needs; returns how many."""
    long_ago = timezone.now() - KEPT_WAITING
    forgotten = ClipImport.objects.filter(status__in=WAITING_CLIP_IMPORT_STATUSES, heartbeat_at__lt=long_ago)
    for clip_import in forgotten:
        days = KEPT_WAITING.days
        clip_import_cancel(clip_import=clip_import)
        ClipImport.objects.filter(pk=clip_import.pk).update(
            message=f"Nobody took it in or mended it for {days} days, so its files were removed."
        )
    return len(forgotten) + sum(_clear_folder(folder) for folder in _orphans()) + _clear_broken_uploads()


def _orphans() -> list[Path]:
    """Folders of imports that ended, or went with their test, while something kept them from being removed."""
    folders = {folder.name: folder for folder in (Path(settings.MEDIA_ROOT) / "imports").glob("*") if folder.is_dir()}
    ended = ENDED_CLIP_IMPORT_STATUSES
    needed = ClipImport.objects.exclude(status__in=ended).values_list("uuid", flat=True)
    young = (timezone.now() - timedelta(days=1)).timestamp()
    unneeded = folders.keys() - {str(uuid) for uuid in needed}
    return [folders[name] for name in sorted(unneeded) if folders[name].stat().st_mtime < young]


def _clear_broken_uploads() -> int:
    """What a web server that died left of uploads on their way."""
    long_ago = (timezone.now() - timedelta(days=1)).timestamp()
    left = [path for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload*") if path.stat().st_mtime < long_ago]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def _clear_folder(folder: Path) -> int:
    if _storing_mark(folder).exists():
        clip_files_discard(clips=clips_prepared(staged=folder / "prepared"))
    shutil.rmtree(folder, ignore_errors=True)
    return 1
