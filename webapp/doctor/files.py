"""The files: whether they can be written, how much room is left, who may read the secrets, and the last back-up."""

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from webapp.backups.writing import last_backup_at
from webapp.doctor.finding import Finding, failed, passed, unchecked
from worker.standing import people_have_answered

LEAST_FREE_BYTES = 5 * 1024**3
OLDEST_BACKUP = timedelta(days=7)
SECRETS = ("secret_key", "first_password")


def media_writable() -> Finding:
    folder = Path(settings.MEDIA_ROOT)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"written and read")
            probe.flush()
            Path(probe.name).with_suffix(".link").hardlink_to(probe.name)
            Path(probe.name).with_suffix(".link").unlink()
    except OSError as error:
        return failed(
            f"{folder} cannot be written: {error.strerror or error}.",
            "Give it to the account that Earmark runs under; on a network disk, mount it so that it can be written.",
        )
    return passed(f"Files can be written to {folder}.")


def disk_space() -> Finding:
    places = {Path(settings.EARMARK_HOME), Path(settings.MEDIA_ROOT)}
    free = {place: shutil.disk_usage(place).free for place in sorted(places) if place.exists()}
    short = [f"{place} has {count / 1024**3:.1f} GB left" for place, count in free.items() if count < LEAST_FREE_BYTES]
    if short:
        return failed(
            f"The disk is nearly full: {'; '.join(short)}, and {LEAST_FREE_BYTES // 1024**3} GB are wanted.",
            "Make room or take a larger disk; what models may take is bounded in the settings of each test.",
        )
    least = min(free.values(), default=0) / 1024**3
    return passed(f"There is room on the disk: {least:,.0f} GB.")


def private_files() -> Finding:
    open_to_others = [
        name
        for name in SECRETS
        if (path := Path(settings.EARMARK_HOME) / name).exists() and path.stat().st_mode & 0o077
    ]
    if open_to_others:
        paths = " ".join(str(Path(settings.EARMARK_HOME) / name) for name in open_to_others)
        return failed(f"Others on this machine may read {paths}.", f"Run chmod 600 {paths}.")
    return passed("Nobody else on this machine may read the secrets.")


def last_backup() -> Finding:
    at = last_backup_at()
    if at is not None and timezone.now() - at < OLDEST_BACKUP:
        return passed(f"The last back-up was made {_days(at)}.")
    if not people_have_answered():
        return unchecked("Nobody has answered yet, so that there is nothing that a back-up would save.")
    made = f"The last back-up was made {_days(at)}" if at else "No back-up was ever made"
    return failed(f"{made}, and people have answered.", "Run manage.py backup FOLDER, and let it run each night.")


def _days(at: datetime) -> str:
    days = (timezone.now() - at).days
    return "today" if days == 0 else "yesterday" if days == 1 else f"{days} days ago"
