"""What a training run tells while it trains: to its row, its points, its log and its costs. Loads torch."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from modeling import checkpoint
from modeling.device_use import device_here, forget_peaks, memory_use
from modeling.results import MeasuredPoint, Progress, TrainingCancelled
from modeling.training import CHECKPOINTS
from worker import services
from worker.code_version import code_version
from worker.heartbeat import lost_connection_outlived
from worker.models import TrainingRun
from worker.run_costs import run_measured, run_set_up
from worker.run_files import run_directory
from worker.run_log import RunLog
from worker.run_points import points_forget, points_store
from worker.stopping import stop_requested

PROGRESS_EVERY_S = 1.0
PHASES = {
    "reading": "Reads the snapshot's clips.",
    "base": "Embeds clips and captions with the untuned model.",
    "training": "Trains.",
    "tuned": "Embeds clips and captions with the tuned model.",
}


class RunReporter:
    """Carries what is measured to the database, about once a second, and a wish to stop back to the training loop."""

    def __init__(self, run: TrainingRun, on_progress: Callable[[Progress], None] | None) -> None:
        self.run = run
        self.checkpoints = run_directory(run=run) / CHECKPOINTS
        self.also = on_progress
        self.phase = ""
        self.told_at = 0.0
        self.counted_until = 0.0
        self.log = RunLog(run.pk)
        self.points: list[MeasuredPoint] = []
        self.last_point: MeasuredPoint | None = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """While the body lasts, the device is this run's: its time is the run's cost."""
        device = device_here()
        run_set_up(run_id=self.run.pk, device=device)
        forget_peaks()
        again = f", attempt {self.run.attempt}" if self.run.attempt > 1 else ""
        self.log.note(f"Begins on {device.name}, {code_version()}{again}.")
        self.counted_until = time.monotonic()
        with self.log.listening():
            try:
                yield
            except TrainingCancelled:
                self.log.note(self._stopped())
                raise
            finally:
                with lost_connection_outlived():
                    self._store()

    def on_progress(self, progress: Progress) -> None:
        if self.also is not None:
            self.also(progress)
        now = time.monotonic()
        if progress.phase == self.phase and now - self.told_at < PROGRESS_EVERY_S:
            return
        if progress.phase != self.phase:
            self.log.note(PHASES.get(progress.phase, progress.phase))
        self.phase, self.told_at = progress.phase, now
        with lost_connection_outlived():
            services.run_progress(run=self.run, progress=progress)
            self._store()

    def on_point(self, point: MeasuredPoint) -> None:
        if self.last_point is None:
            with lost_connection_outlived():
                points_forget(run_id=self.run.pk, from_step=point.step)
            if point.step > 0:
                self.log.note(f"Goes on from its checkpoint, at step {point.step:,} of {point.total_steps:,}.")
        if point.validation is not None:
            loss = "" if point.loss is None else f", loss {point.loss:.4f}"
            self.log.note(
                f"After epoch {point.epoch:,} of {point.epochs:,}, step {point.step:,}: "
                f"validation {point.validation:.3f}{loss}."
            )
        self.last_point = point
        self.points.append(point)

    def should_stop(self) -> bool:
        """A cancelled run, one that was taken back meanwhile, and one whose worker is being stopped."""
        if stop_requested():
            return True
        with lost_connection_outlived():
            return not services.run_is_ours(run=self.run)
        return False

    def _stopped(self) -> str:
        step = self.last_point.step if self.last_point is not None else 0
        kept = checkpoint.newest(self.checkpoints)
        return f"Stopped after step {step:,}. " + ("Its checkpoint is kept." if kept else "There is no checkpoint yet.")

    def _store(self) -> None:
        """Points and lines that a lost connection kept back come with the next."""
        now = time.monotonic()
        is_ours = run_measured(
            run=self.run,
            seconds=now - self.counted_until,
            memory=memory_use(),
            checkpoint=_place(checkpoint.newest(self.checkpoints)),
        )
        self.counted_until = now
        if not is_ours:
            # Another process has the run by now, and tells its own.
            return
        points_store(run_id=self.run.pk, points=self.points)
        self.points = []
        self.log.store()


def _place(path: Path | None) -> str:
    return "" if path is None else str(path.relative_to(settings.MEDIA_ROOT))
