"""Collects the static files where they have changed: to name and compress them anew takes most of a start."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from webapp import static_storage

# The API is shown by Swagger UI; ReDoc, which comes with it, is not.
_LEFT_OUT = ["redoc"]
# Beside the folder, which is served.
_MARK = "static_files_collected"


def static_files_collect(folder: Path) -> None:
    """Brings `folder`, which is STATIC_ROOT, up to date. One that was interrupted is collected again."""
    mark = folder.parent / _MARK
    state = _state()
    if (folder / "staticfiles.json").exists() and mark.exists() and mark.read_text() == state:
        return
    mark.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=_LEFT_OUT)
    mark.write_text(state)


def _state() -> str:
    """Tells by name, size and time whether a file has changed, and by its own whether the way to store them has."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    sources = [(static_storage.__name__, Path(static_storage.__file__))]
    for finder in get_finders():
        sources += [(name, Path(storage.path(name))) for name, storage in finder.list(_LEFT_OUT)]
    for name, path in sorted(sources):
        found = path.stat()
        digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
