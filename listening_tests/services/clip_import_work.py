"""What is done for an upload of clips: unpacked, looked at, and taken in. Each step goes on where it was broken off."""

import shutil
from pathlib import Path

from listening_tests.models import ClipImport
from listening_tests.services.archives import archive_unpack, manifest_in
from listening_tests.services.clip_imports import (
    archive_path,
    clip_import_checked,
    clip_import_files_remove,
    clip_import_mark_storing,
    clip_import_store,
    manifest_path,
    sounds_path,
    staged_path,
)
from listening_tests.services.manifest_rows import ManifestRefused
from listening_tests.services.manifest_sounds import CheckedFiles, Progress
from listening_tests.services.manifests import CheckedManifest, manifest_check, manifest_files_store


def clip_import_unpack(*, clip_import: ClipImport, on_progress: Progress) -> None:
    """Unpacks the zip, once. Raises Refused for a zip that cannot be used."""
    sounds = sounds_path(clip_import)
    if not sounds.is_dir():
        half = sounds.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir()
        with archive_path(clip_import).open("rb") as archive:
            archive_unpack(
                archive=archive,
                folder=half,
                on_file=lambda done, total: on_progress("Unpacking", done, total),
            )
        half.rename(sounds)
    archive_path(clip_import).unlink(missing_ok=True)


def clip_import_look(*, clip_import: ClipImport, files: CheckedFiles, on_progress: Progress) -> CheckedManifest:
    """Looks at every row and every sound of an unpacked upload; `files` is filled on the way.

    Raises Refused where the manifest as a whole cannot be used.
    """
    if not manifest_path(clip_import).exists():
        _take_manifest_out(clip_import)
    staged_path(clip_import).mkdir(exist_ok=True)
    return manifest_check(
        manifest=manifest_path(clip_import),
        name=clip_import.manifest_name,
        slug=clip_import.test.slug,
        staged=staged_path(clip_import),
        folder=sounds_path(clip_import) / clip_import.folder,
        allow_silent=clip_import.allow_silent,
        on_progress=on_progress,
        files=files,
    )


def _take_manifest_out(clip_import: ClipImport) -> None:
    """Of the zip; its paths begin where it lies."""
    sounds = sounds_path(clip_import)
    found = manifest_in(sounds)
    clip_import.folder = str(found.parent.relative_to(sounds))
    clip_import.manifest_name = found.name[-255:]
    clip_import.save(update_fields=["folder", "manifest_name"])
    half = Path(f"{manifest_path(clip_import)}.half")
    shutil.copyfile(found, half)
    half.rename(manifest_path(clip_import))


def clip_import_check(*, clip_import: ClipImport, files: CheckedFiles, on_progress: Progress) -> ClipImport:
    """The dry run: what it finds is stored, and nothing else. Raises Refused, ClipImportStopped."""
    checked = clip_import_look(clip_import=clip_import, files=files, on_progress=on_progress)
    return clip_import_checked(clip_import=clip_import, checked=checked)


def clip_import_bring_in(*, clip_import: ClipImport, files: CheckedFiles, on_progress: Progress) -> None:
    """Looks again, for the test may have changed, stores the files of new sounds, and last all rows at once.

    Where something is wrong by now, that is stored as by a dry run. Raises Refused, ClipImportStopped.
    """
    checked = clip_import_look(clip_import=clip_import, files=files, on_progress=on_progress)
    if not checked.problems:
        staged = staged_path(clip_import)
        clip_import_mark_storing(clip_import=clip_import)
        manifest_files_store(checked=checked, staged=staged, on_progress=on_progress)
        on_progress("Storing pairs", 0, len(checked.rows))
        try:
            clip_import_store(clip_import=clip_import, checked=checked)
        except ManifestRefused as refusal:
            checked.problems.extend(refusal.problems)
        else:
            clip_import_files_remove(clip_import=clip_import)
            return
    clip_import_checked(clip_import=clip_import, checked=checked)
