"""What follows a finished run: its model against the one in use, and what may go is cleared away."""

import logging
from datetime import timedelta

from django.utils import timezone

from worker.models import ModelVersion
from worker.registry import model_challenge, models_prune
from worker.run_checkpoints import checkpoints_clear

logger = logging.getLogger(__name__)

# A model that has not been compared so long after its run's end has lost its process. Models from before there was a
# registry were compared with nothing, and stay so.
MISSED_AFTER, MISSED_FOR = timedelta(minutes=5), timedelta(days=7)


def newcomer_compare(*, version: ModelVersion) -> None:
    """A finished run's model against the champion. A fault here is logged, and costs neither the run nor its model."""
    try:
        model_challenge(version=version)
        models_prune(test=version.run.test, question=version.run.question)
        checkpoints_clear(done=version.run)
    except Exception:
        logger.exception("%s could not be compared with the model in use.", version)


def newcomers_compare_missed() -> int:
    """Does so for models whose process ended between the run's end and the comparison; returns how many they are."""
    now = timezone.now()
    missed = ModelVersion.objects.filter(
        challenge=None, files_removed_at=None, run__finished_at__range=(now - MISSED_FOR, now - MISSED_AFTER)
    )
    versions = list(missed.select_related("run__test").order_by("created_at", "pk"))
    for version in versions:
        newcomer_compare(version=version)
    return len(versions)
