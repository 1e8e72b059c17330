"""Progress of a run: work counted, told to the caller, and the question whether to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from modeling import splits
from modeling.config import HEAD_POLICIES, TrainingConfig
from modeling.dataset import PairSet
from modeling.results import MeasuredPoint, Progress, TrainingCancelled

# A training step costs about three forward passes: one there, two back.
STEP_COST = 3
READING = "reading"


@dataclass
class Watch:
    """Counts units of work (one is a clip through the tower), tells the caller, and asks whether to stop.

    What was measured is told by `measured`, apart from the work.
    """

    total: int
    on_progress: Callable[[Progress], None] | None
    should_stop: Callable[[], bool] | None
    on_point: Callable[[MeasuredPoint], None] | None = None
    phase: str = READING
    done: int = 0
    loss: float | None = None
    validation: float | None = None
    started: float = field(default_factory=time.monotonic)
    skipped: int = 0

    def tick(self, units: int = 1) -> None:
        if self.should_stop is not None and self.should_stop():
            raise TrainingCancelled("The run was cancelled.")
        self.done += units
        if self.on_progress is not None:
            self.on_progress(
                Progress(self.phase, self.done, self.total, self.loss, self.validation, self._seconds_left())
            )

    def measured(self, point: MeasuredPoint) -> None:
        """Tells a point; one without a number says nothing."""
        if self.on_point is not None and (point.loss is not None or point.validation is not None):
            self.on_point(point)

    def begin(self, phase: str) -> None:
        """Enter a phase. Reading's pace says nothing of the model's: time left is told once it is over."""
        if self.phase == READING:
            self.started, self.skipped = time.monotonic(), self.done
        self.phase = phase

    def skip(self, units: int) -> None:
        """Count work that need not be done."""
        self.done += units
        self.skipped += units

    def _seconds_left(self) -> float | None:
        worked = self.done - self.skipped
        if worked < 10 or self.phase == READING:
            return None
        return (time.monotonic() - self.started) / worked * max(0, self.total - self.done)


def total_units(config: TrainingConfig, pairs: PairSet) -> int:
    if config.policy in HEAD_POLICIES:
        return len(pairs.clips)
    validation, kept = len(pairs.where(splits.VALIDATION)), 0
    if config.policy == "last-stages":
        kept = len(set(pairs.clip[pairs.where(splits.TRAIN, splits.VALIDATION)]))
    return 3 * len(pairs.clips) + kept + validation + config.epochs * epoch_units(pairs)


def epoch_units(pairs: PairSet) -> int:
    return STEP_COST * len(pairs.where(splits.TRAIN)) + len(pairs.where(splits.VALIDATION))
