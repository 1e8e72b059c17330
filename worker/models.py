"""What the training loop did: snapshots, runs, numbers, models, predictions; and, from modules of their own, computed
results, what screening found, which model is in use and what it says of pairs, how runs go and who carries them out,
and their reports. Columns and one-row rules only.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from listening_tests.models import ListeningTest, Pair
from worker.heldout_models import HeldoutLook, HeldoutPair, HeldoutSet, LookKind
from worker.registry_models import Challenge, Promotion, PromotionTrigger, Verdict
from worker.report_models import CalibrationBin, CurvePoint, LearningForecast, Part, PartMetric, RunReport
from worker.result_models import (
    ACTIVE_RESULTS_STATUSES,
    CaptionResult,
    ComputedResults,
    PairResult,
    ResultsStatus,
)
from worker.run_models import RunLogLine, TrainingPoint, WorkerSign
from worker.schedule_models import TrainingSchedule
from worker.scoring_models import (
    ACTIVE_SCORING_STATUSES,
    ENDED_SCORING_STATUSES,
    ModelScore,
    ScoringJob,
    ScoringKind,
    ScoringStatus,
)
from worker.screening_models import AlarmKind, FigureName, ScreeningAlarm, ScreeningFigure, ScreeningState
from worker.worth_models import ACTIVE_WORTH_STATUSES, ALL_FOR_USE, RuleWorth, ScreeningWorth, WorthStatus

__all__ = [
    "ACTIVE_RESULTS_STATUSES",
    "ACTIVE_RUN_STATUSES",
    "ACTIVE_WORTH_STATUSES",
    "ALL_FOR_USE",
    "ACTIVE_SCORING_STATUSES",
    "ENDED_SCORING_STATUSES",
    "HELD_RUN_STATUSES",
    "TERMINAL_RUN_STATUSES",
    "AlarmKind",
    "CalibrationBin",
    "CaptionResult",
    "Challenge",
    "ComputedResults",
    "CurvePoint",
    "DatasetSnapshot",
    "FigureName",
    "HeldoutLook",
    "HeldoutPair",
    "HeldoutSet",
    "LearningForecast",
    "LookKind",
    "MeasuredModel",
    "Metric",
    "MetricName",
    "ModelScore",
    "ModelVersion",
    "PairResult",
    "Part",
    "PartMetric",
    "Prediction",
    "Promotion",
    "PromotionTrigger",
    "ResultsStatus",
    "RuleWorth",
    "RunLogLine",
    "RunReport",
    "RunStatus",
    "RunTrigger",
    "ScoringJob",
    "ScoringKind",
    "ScoringStatus",
    "ScreeningAlarm",
    "ScreeningFigure",
    "ScreeningState",
    "ScreeningWorth",
    "TrainingPlan",
    "TrainingPoint",
    "TrainingRun",
    "TrainingSchedule",
    "Verdict",
    "WorthStatus",
    "WorkerSign",
]


class RunStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    CANCELLING = "cancelling", "Cancelling"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    ERRORED = "errored", "Errored"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE_RUN_STATUSES = frozenset({RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.CANCELLING})
# Those of a run that some process is carrying out, as far as its row tells.
HELD_RUN_STATUSES = ACTIVE_RUN_STATUSES - {RunStatus.QUEUED}
TERMINAL_RUN_STATUSES = frozenset(RunStatus) - ACTIVE_RUN_STATUSES


class RunTrigger(models.TextChoices):
    """Who asked for a run."""

    PERSON = "person", "By hand"
    SCHEDULE = "schedule", "By schedule"
    COMMAND = "command", "From the command line"


class MeasuredModel(models.TextChoices):
    """Whose agreement with people a Metric row holds."""

    BASE = "base", "Untuned model"
    TUNED = "tuned", "Tuned model"
    DIFFERENCE = "difference", "Tuned minus untuned"
    CHAMPION = "champion", "Champion"
    VS_CHAMPION = "vs_champion", "Tuned minus champion"
    ONE_VS_REST = "one_vs_rest", "One person against the rest"
    CEILING = "ceiling", "Ceiling"


class MetricName(models.TextChoices):
    SRCC = "srcc", "SRCC"
    LCC = "lcc", "LCC"
    KTAU = "ktau", "Kendall tau-b"
    MSE = "mse", "MSE (0 to 10)"
    AGREEMENT = "agreement", "Agreement with choices"


class TrainingPlan(models.Model):
    """How a test's models are tuned: by which preset, and after how many new ratings without being asked."""

    test = models.OneToOneField(ListeningTest, on_delete=models.CASCADE, related_name="training_plan")
    preset = models.CharField(max_length=40, blank=True, help_text="Empty: the installation's default preset.")
    question = models.CharField(
        max_length=40, blank=True, help_text="The name of the question that is trained on. Empty: the test's first."
    )
    retrain_after = models.PositiveIntegerField(
        default=500,
        help_text="New ratings since the last run after which a new one starts by itself; 0 turns this off.",
    )

    def __str__(self) -> str:
        return f"Training plan of {self.test}"


class DatasetSnapshot(models.Model):
    """A frozen copy of a test's ratings in a directory under MEDIA_ROOT, known by the sha256 of its manifest."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="snapshots")
    directory = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    question = models.CharField(max_length=40, blank=True)
    n_ratings = models.PositiveIntegerField()
    n_comparisons = models.PositiveIntegerField(default=0)
    n_pairs = models.PositiveIntegerField()
    n_raters = models.PositiveIntegerField()
    # By which held-out pairs it is judged, and how many wait for the next version; empty on older snapshots.
    heldout_set = models.ForeignKey(
        HeldoutSet, on_delete=models.SET_NULL, null=True, blank=True, related_name="snapshots"
    )
    n_waiting = models.PositiveIntegerField(default=0)
    # When its reading began: who withdrew after that may be in it. Empty on snapshots older than this column.
    read_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"Snapshot {self.sha256[:12]} of {self.test}"


class TrainingRun(models.Model):
    """One tuning of a model on one snapshot, from the press of a button to its end.

    failed is ours to explain (`message` is a sentence for the researcher); errored is a crash (`traceback`).
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="runs")
    snapshot = models.ForeignKey(DatasetSnapshot, on_delete=models.PROTECT, null=True, blank=True, related_name="runs")
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    trigger = models.CharField(max_length=10, choices=RunTrigger, default=RunTrigger.PERSON)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    preset = models.CharField(max_length=40)
    question = models.CharField(max_length=40, blank=True, help_text="The name of the question that is trained on.")
    # The whole configuration as it was used: a document of modeling's, kept to be read and repeated, never queried.
    config = models.JSONField(default=dict, blank=True)
    # Empty on runs older than this column.
    seed = models.PositiveIntegerField(null=True, blank=True)
    n_ratings_at_start = models.PositiveIntegerField(
        default=0,
        help_text="Study answers of the test, excluded ones included, when the run was asked for: the next run counts "
        "from here.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    host = models.CharField(max_length=200, blank=True)
    code_version = models.CharField(
        max_length=80, blank=True, help_text="The code that trained last: a commit, or the version of the package."
    )
    device = models.CharField(max_length=200, blank=True, help_text="The GPU, or CPU, that it trained on last.")
    is_on_gpu = models.BooleanField(null=True, blank=True)
    # Summed over every worker that carried the run on: on a GPU these are its GPU seconds.
    device_seconds = models.FloatField(default=0, help_text="For how long it held its device, in seconds.")
    memory_bytes = models.PositiveBigIntegerField(null=True, blank=True, help_text="Of the process, at its last word.")
    peak_memory_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    gpu_memory_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    peak_gpu_memory_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    gpu_memory_total_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    checkpoint = models.CharField(
        max_length=300, blank=True, help_text="The newest checkpoint's directory under MEDIA_ROOT; empty: none."
    )
    n_restarts = models.PositiveSmallIntegerField(
        default=0, help_text="How often the run went back to the queue because its process had died."
    )
    # Who claims a run counts this up; what a process tells of the run counts only under its own number.
    attempt = models.PositiveIntegerField(default=0, help_text="How often a process has begun to carry the run out.")
    phase = models.CharField(max_length=40, blank=True)
    step = models.PositiveIntegerField(default=0)
    total_steps = models.PositiveIntegerField(default=0)
    loss = models.FloatField(null=True, blank=True)
    seconds_left = models.FloatField(null=True, blank=True)
    message = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    base_model = models.CharField(max_length=200, blank=True)
    n_heldout = models.PositiveIntegerField(null=True, blank=True)
    n_train = models.PositiveIntegerField(null=True, blank=True)
    n_validation = models.PositiveIntegerField(null=True, blank=True)
    n_dropped = models.PositiveIntegerField(null=True, blank=True)
    # What is known of whether the base model was trained on the held-out pairs; empty until the run is done.
    base_says = models.BooleanField(null=True, help_text="Whether the base model says what it was trained on.")
    base_seen = models.TextField(blank=True, help_text="Which held-out pairs it has seen, in a sentence.")
    is_cited = models.BooleanField(default=False, help_text="Its model's files stay, whatever comes after it.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=RunStatus.values), name="run_status_known"),
            models.CheckConstraint(condition=Q(trigger__in=RunTrigger.values), name="run_trigger_known"),
            models.CheckConstraint(
                condition=Q(status__in=sorted(ACTIVE_RUN_STATUSES), finished_at__isnull=True)
                | Q(status__in=sorted(TERMINAL_RUN_STATUSES), finished_at__isnull=False),
                name="run_finished_when_it_ended",
            ),
            # A double click makes one run.
            models.UniqueConstraint(
                fields=["test"],
                condition=Q(status__in=sorted(ACTIVE_RUN_STATUSES)),
                name="run_one_active_for_test",
            ),
        ]
        indexes = [models.Index(fields=["status", "created_at"], name="run_queue")]

    def __str__(self) -> str:
        return f"Run {str(self.uuid)[:8]} of {self.test}"

    @property
    def is_active(self) -> bool:
        """Whether it is still on its way to one of the states in which runs end."""
        return self.status in ACTIVE_RUN_STATUSES


class Metric(models.Model):
    """One number of a finished run, with its 95 % interval where one is defined and the number of held-out pairs."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="metrics")
    model = models.CharField(max_length=12, choices=MeasuredModel)
    name = models.CharField(max_length=10, choices=MetricName)
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "model", "name"], name="metric_once_in_run"),
            models.CheckConstraint(condition=Q(model__in=MeasuredModel.values), name="metric_model_known"),
            models.CheckConstraint(condition=Q(name__in=MetricName.values), name="metric_name_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_model_display()}: {self.get_name_display()}"


class ModelVersion(models.Model):
    """The tuned model of a run: a directory that transformers opens."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    run = models.OneToOneField(TrainingRun, on_delete=models.CASCADE, related_name="model_version")
    directory = models.CharField(max_length=300)
    weights_sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField(null=True, blank=True)
    files_removed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Model {self.weights_sha256[:12]}"


class Prediction(models.Model):
    """What the untuned and the tuned model of a run say of one held-out pair, beside the mean of people."""

    run = models.ForeignKey(TrainingRun, on_delete=models.CASCADE, related_name="predictions")
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="predictions")
    human_mean = models.FloatField(help_text="Mean score of the pair's ratings on 0 to 10.")
    n_ratings = models.PositiveIntegerField()
    base_cosine = models.FloatField()
    tuned_cosine = models.FloatField()
    tuned_score = models.FloatField(help_text="The tuned model's calibrated score on 0 to 10.")
    rating_sd = models.FloatField(
        null=True, help_text="Standard deviation of the pair's ratings on 0 to 10 (n - 1); empty where it has one."
    )
    certain_gap = models.FloatField(
        null=True,
        help_text="How far the score lies from people's mean, less the 95 % margin of that mean: above 0 the model is "
        "wrong beyond what chance among raters explains.",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "pair"], name="prediction_once_in_run")]
        indexes = [models.Index(fields=["run", "-certain_gap"], name="prediction_gap")]

    def __str__(self) -> str:
        return f"{self.pair}"
