"""Where a run's files lie: in a directory of its own for each attempt, so that two processes never write into one.

A process that was thought dead and is not may still write; it does so into the directory of its own attempt. Who claims
the run after it takes over the newest finished checkpoint, which is complete, or is not there, and never changes.
"""

import os
import shutil
from pathlib import Path

from django.conf import settings

from worker.models import TrainingRun

# As modeling.training names it, which loads torch and so is not asked here.
CHECKPOINTS, LOGS = "checkpoint", "logs"
# The other process, where it lives, removes a checkpoint when it has written the next.
_TRIES = 5


def run_directories(*, run: TrainingRun) -> Path:
    """Where the directories of all attempts lie."""
    return Path(settings.MEDIA_ROOT) / "runs" / str(run.uuid)


def run_directory(*, run: TrainingRun) -> Path:
    """That of the run's present attempt. A run from before attempts were counted has but one, at the top."""
    return run_directories(run=run) / f"attempt-{run.attempt}" if run.attempt else run_directories(run=run)


def newest_checkpoint(*, run: TrainingRun) -> Path | None:
    """By its name, which says how far it is; of two as far, the present attempt's own."""
    places = [run_directories(run=run), *_attempts(run)]
    found = [path for place in places for path in (place / CHECKPOINTS).glob("epoch-*")]
    own = run_directory(run=run) / CHECKPOINTS
    return max(found, key=lambda path: (path.name, path.parent == own), default=None)


def checkpoint_take_over(*, run: TrainingRun) -> Path | None:
    """Gives the run's present attempt the newest checkpoint and the logs of those before it; None where there are none.

    The files are linked where the disk knows links, for nobody changes them. Raises `OSError` where they cannot be
    copied either.
    """
    own = run_directory(run=run)
    for _ in range(_TRIES):
        found = newest_checkpoint(run=run)
        if found is None or found.parent.parent == own:
            return found
        place = own / CHECKPOINTS / found.name
        draft = place.with_name(f".{place.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            shutil.copytree(found, draft, copy_function=_link_or_copy)
        except (FileNotFoundError, shutil.Error):
            continue
        draft.rename(place)
        logs = found.parent.parent / LOGS
        if logs.is_dir():
            # Copies: the other process may still add to its own.
            shutil.copytree(logs, own / LOGS, dirs_exist_ok=True)
        return place
    return None


def earlier_attempts_clear(*, run: TrainingRun) -> None:
    """Removes what attempts before the present one have left."""
    for directory in _attempts(run):
        if directory != run_directory(run=run):
            shutil.rmtree(directory, ignore_errors=True)
    if run.attempt:
        shutil.rmtree(run_directories(run=run) / CHECKPOINTS, ignore_errors=True)


def _attempts(run: TrainingRun) -> list[Path]:
    return list(run_directories(run=run).glob("attempt-*"))


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(source, target)
