"""The measured points of a run: some 500 of them however long it is, evenly spread, each step once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Mod

from worker.models import TrainingPoint, TrainingRun

if TYPE_CHECKING:
    from modeling.results import MeasuredPoint

MOST_STEPS = 400
MOST_EPOCHS = 100


def points_store(*, run_id: int, points: "Sequence[MeasuredPoint]") -> None:
    """Stores points in the order of their steps; the later of two of one step stays, here or in the table."""
    if not points:
        return
    every, each_epoch = stride(points[-1].step, MOST_STEPS), stride(points[-1].epoch, MOST_EPOCHS)
    kept = {
        point.step: TrainingPoint(
            run_id=run_id, step=point.step, epoch=point.epoch, loss=point.loss, validation=point.validation
        )
        for point in points
        if (point.step % every if point.validation is None else point.epoch % each_epoch) == 0
    }
    TrainingPoint.objects.bulk_create(
        kept.values(),
        update_conflicts=True,
        unique_fields=["run", "step"],
        update_fields=["epoch", "loss", "validation"],
    )
    _beside(TrainingPoint.objects.filter(run=run_id), every, each_epoch).delete()


def points_forget(*, run_id: int, from_step: int) -> None:
    """A run that goes on takes the steps after its checkpoint once more: what was told of them goes."""
    TrainingPoint.objects.filter(run=run_id, step__gte=from_step).delete()


def run_points(*, run: TrainingRun) -> list[TrainingPoint]:
    """By step."""
    return list(TrainingPoint.objects.filter(run=run).order_by("step"))


def stride(n: int, most: int) -> int:
    """The least power of two of which at most `most` multiples are in 1 to `n`.

    It depends on how far a run is and on nothing else, so that whoever carries it on keeps the same steps.
    """
    step = 1
    while n // step > most:
        step *= 2
    return step


def _beside(points: QuerySet[TrainingPoint], every: int, each_epoch: int) -> QuerySet[TrainingPoint]:
    """Those that are no longer kept."""
    steps, epochs = Mod(F("step"), every), Mod(F("epoch"), each_epoch)
    return points.alias(beside_steps=steps, beside_epochs=epochs).filter(
        Q(validation=None, beside_steps__gt=0) | Q(validation__isnull=False, beside_epochs__gt=0)
    )
