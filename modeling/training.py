"""Tune CLAP on human scores: one visible loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from modeling.config import TrainingConfig
from modeling.results import PairPrediction, Progress, TrainingCancelled, TrainingRefused, TrainingResult

__all__ = ["PairPrediction", "Progress", "TrainingCancelled", "TrainingRefused", "TrainingResult", "train"]


def train(
    config: TrainingConfig,
    snapshot_dir: Path,
    out_dir: Path,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainingResult:
    """Tune the configured model on the snapshot and report base and tuned agreement on its held-out pairs."""
    raise NotImplementedError
