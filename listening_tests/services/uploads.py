"""What a researcher uploads to a test: a zip of sounds, with its manifest inside or beside it."""

import shutil
import tempfile
from pathlib import Path
from typing import IO

from listening_tests.exceptions import Refused
from listening_tests.services.archives import archive_unpack, manifest_in
from listening_tests.services.manifest_rows import LARGEST_MANIFEST_BYTES
from listening_tests.services.manifests import ImportSummary, manifest_import


def upload_import(
    *, slug: str, archive: IO[bytes], manifest: IO[bytes] | None = None, allow_silent: bool = False
) -> ImportSummary:
    """Unpacks, imports and cleans up. Paths of a manifest beside the zip begin at the zip's root.

    Raises Refused for the zip, ManifestRefused for rows; then nothing has changed.
    """
    with tempfile.TemporaryDirectory(prefix="earmark-upload-") as unpacked:
        folder = Path(unpacked) / "archive"
        folder.mkdir()
        archive_unpack(archive=archive, folder=folder)
        if manifest is None:
            return manifest_import(manifest=manifest_in(folder), slug=slug, allow_silent=allow_silent)
        beside = Path(unpacked) / "manifest.csv"
        _copy(manifest, beside)
        return manifest_import(manifest=beside, folder=folder, slug=slug, allow_silent=allow_silent)


def _copy(manifest: IO[bytes], target: Path) -> None:
    if manifest.seek(0, 2) > LARGEST_MANIFEST_BYTES:
        raise Refused(f"The manifest is larger than {LARGEST_MANIFEST_BYTES // 1024**2} MB. Split it.")
    manifest.seek(0)
    with target.open("wb") as sink:
        shutil.copyfileobj(manifest, sink)
