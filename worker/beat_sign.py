"""When a worker last carried out what beat asks for each minute: a sign that both live, for `manage.py doctor`.

A file beside the files that all machines share. It begins with a dot, so that no back-up takes it along.
"""

from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

_NAME = ".last_look"


def beat_sign_give() -> None:
    path = Path(settings.MEDIA_ROOT) / _NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def beat_sign_at() -> datetime | None:
    try:
        changed = (Path(settings.MEDIA_ROOT) / _NAME).stat().st_mtime
    except OSError:
        return None
    return datetime.fromtimestamp(changed, UTC)
