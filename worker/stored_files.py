"""Which files below MEDIA_ROOT the rows speak of, for who copies an installation."""

from django.conf import settings

from listening_tests.models import Clip
from worker.models import ACTIVE_RUN_STATUSES, DatasetSnapshot, ModelVersion, TrainingRun
from worker.run_files import run_directories

_ROWS_AT_ONCE = 5000


def files_promised() -> list[str]:
    """Files and folders that must be there, relative to MEDIA_ROOT: sounds, snapshots, and models that were not cleared
    away.
    """
    sounds = Clip.objects.exclude(original="").order_by("id").values_list("original", "rendition")
    found = [name for row in sounds.iterator(chunk_size=_ROWS_AT_ONCE) for name in row if name]
    found += DatasetSnapshot.objects.order_by("id").values_list("directory", flat=True)
    kept = ModelVersion.objects.filter(files_removed_at=None).order_by("id")
    return found + list(kept.values_list("directory", flat=True))


def folders_in_flux() -> set[str]:
    """Folders, relative to MEDIA_ROOT, that change while they are read: of runs that have not ended. What is in them
    can be computed again from the run's snapshot.
    """
    active = TrainingRun.objects.filter(status__in=ACTIVE_RUN_STATUSES)
    return {run_directories(run=run).relative_to(settings.MEDIA_ROOT).as_posix() for run in active}
