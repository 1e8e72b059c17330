"""Computed results: what the answers to a question said when they were last counted."""

import uuid

from django.db import models
from django.db.models import Q

from listening_tests.models import Caption, ListeningTest, Pair, Question


class ResultsStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


ACTIVE_RESULTS_STATUSES = (ResultsStatus.QUEUED, ResultsStatus.RUNNING)


class ComputedResults(models.Model):
    """One computing of a question's results. The newest that is done is shown; those before it are deleted.

    `n_answers`, `newest_answer`, `n_exclusions` and `newest_exclusion` say what was read: study answers, excluded ones
    too, and their exclusions, as counts and largest keys. Where one differs from what is there now, something changed.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="computed_results")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="computed_results")
    status = models.CharField(max_length=10, choices=ResultsStatus, default=ResultsStatus.QUEUED)
    message = models.TextField(blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    computed_at = models.DateTimeField(null=True, blank=True)
    n_answers = models.PositiveIntegerField(default=0)
    newest_answer = models.BigIntegerField(default=0)
    n_exclusions = models.PositiveIntegerField(default=0)
    newest_exclusion = models.BigIntegerField(default=0)
    # What `modeling.study_results.study.StudyResults` holds, as a document: kept to be shown, never queried.
    summary = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ResultsStatus.values), name="results_status_known"),
            # A double click makes one.
            models.UniqueConstraint(
                fields=["question"],
                condition=Q(status__in=ACTIVE_RESULTS_STATUSES),
                name="results_one_active_for_question",
            ),
        ]

    def __str__(self) -> str:
        return f"Results of {self.test}"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE_RESULTS_STATUSES


class PairResult(models.Model):
    """A pair's mean opinion score on the question's scale; of comparisons its Bradley-Terry score on 0..10.

    `n` counts answers. The interval is missing where none is defined; `sd` is that of the pair's own ratings.
    """

    results = models.ForeignKey(ComputedResults, on_delete=models.CASCADE, related_name="pair_results")
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="+")
    mean = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    sd = models.FloatField(null=True)
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["results", "pair"], name="pair_result_once")]

    def __str__(self) -> str:
        return f"{self.mean:.2f} by {self.n}"


class CaptionResult(models.Model):
    """Mean opinion score over the rated pairs of a caption, each counting the same; `n` counts ratings."""

    results = models.ForeignKey(ComputedResults, on_delete=models.CASCADE, related_name="caption_results")
    caption = models.ForeignKey(Caption, on_delete=models.CASCADE, related_name="+")
    mean = models.FloatField()
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    n_pairs = models.PositiveIntegerField()
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["results", "caption"], name="caption_result_once")]

    def __str__(self) -> str:
        return f"{self.mean:.2f} by {self.n}"
