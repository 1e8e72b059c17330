"""Tune CLAP on human scores: from a snapshot to a model directory and a report."""

from modeling.results import (
    MeasuredPoint,
    PairPrediction,
    Progress,
    TrainingCancelled,
    TrainingRefused,
    TrainingResult,
)
from modeling.training.reporting import report_json
from modeling.training.run import CHECKPOINTS, REPORT, train

__all__ = [
    "CHECKPOINTS",
    "REPORT",
    "MeasuredPoint",
    "PairPrediction",
    "Progress",
    "TrainingCancelled",
    "TrainingRefused",
    "TrainingResult",
    "report_json",
    "train",
]
