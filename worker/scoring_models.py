"""Lists of pairs that models score, and what the model in use says of a test's pairs: columns and one-row rules."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from listening_tests.models import ListeningTest, Pair


class ScoringStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    CANCELLING = "cancelling", "Cancelling"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    ERRORED = "errored", "Errored"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE_SCORING_STATUSES = frozenset({ScoringStatus.QUEUED, ScoringStatus.RUNNING, ScoringStatus.CANCELLING})
ENDED_SCORING_STATUSES = frozenset(ScoringStatus) - ACTIVE_SCORING_STATUSES


class ScoringKind(models.TextChoices):
    """What is scored: a list that somebody sent, or every pair of the test."""

    LIST = "list", "A list"
    PAIRS = "pairs", "All pairs of the test"


class ScoringJob(models.Model):
    """Pairs on their way through a model. `version` is empty where the untuned `base_model` scores.

    Its files lie under MEDIA_ROOT/scorings. `host` is the process that carries it out: one that was given up while it
    lived finds that the row is no longer its own, and stops.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="scorings")
    kind = models.CharField(max_length=10, choices=ScoringKind)
    question = models.CharField(max_length=40, blank=True)
    version = models.ForeignKey(
        "worker.ModelVersion", on_delete=models.CASCADE, related_name="scorings", null=True, blank=True
    )
    base_model = models.CharField(max_length=300, blank=True)
    list_name = models.CharField(max_length=200, blank=True, help_text="The name of the file that was sent.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    status = models.CharField(max_length=12, choices=ScoringStatus, default=ScoringStatus.QUEUED)
    phase = models.CharField(max_length=40, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0, help_text="Rows.")
    host = models.CharField(max_length=200, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    n_restarts = models.PositiveSmallIntegerField(default=0)
    message = models.TextField(blank=True)
    traceback = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    files_removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ScoringStatus.values), name="scoring_status_known"),
            models.CheckConstraint(condition=Q(kind__in=ScoringKind.values), name="scoring_kind_known"),
            models.CheckConstraint(
                condition=Q(status__in=sorted(ACTIVE_SCORING_STATUSES), finished_at__isnull=True)
                | Q(status__in=sorted(ENDED_SCORING_STATUSES), finished_at__isnull=False),
                name="scoring_finished_when_it_ended",
            ),
            # Whoever asks, and however often, a model goes over a test's pairs once at a time.
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(kind=ScoringKind.PAIRS, status__in=sorted(ACTIVE_SCORING_STATUSES)),
                name="scoring_of_pairs_once",
            ),
            models.CheckConstraint(
                condition=Q(kind=ScoringKind.LIST) | Q(version__isnull=False), name="scoring_of_pairs_has_version"
            ),
        ]
        indexes = [models.Index(fields=["status", "created_at"], name="scoring_queue")]

    def __str__(self) -> str:
        return f"Scoring {str(self.uuid)[:8]} of {self.test}"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE_SCORING_STATUSES

    @property
    def has_scores(self) -> bool:
        """Whether there is a file to be had."""
        return self.status == ScoringStatus.DONE and self.files_removed_at is None

    @property
    def model_name(self) -> str:
        return str(self.version) if self.version else f"{self.base_model}, untuned"


class ModelScore(models.Model):
    """What a model says of a pair: the cosine on -1 to 1, the score and its standard deviation on 0 to 10.

    `has_learned` is whether it has learned from the pair's clip or caption, so that its score is no evidence of how
    well it scores; empty where the model does not say what it has learned from.
    """

    version = models.ForeignKey("worker.ModelVersion", on_delete=models.CASCADE, related_name="scores")
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="model_scores")
    cosine = models.FloatField()
    score = models.FloatField()
    score_sd = models.FloatField(null=True)
    has_learned = models.BooleanField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "pair"], name="model_score_once")]

    def __str__(self) -> str:
        return f"{self.score:.2f} by {self.version}"
