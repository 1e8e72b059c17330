"""What each screening rule is worth to a model: retrained with it on and off. Columns and one-row rules only."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from listening_tests.choices import ScreeningRuleName
from listening_tests.models import ListeningTest
from worker.heldout_models import HeldoutSet

ALL_FOR_USE = "all"


class WorthStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE_WORTH_STATUSES = (WorthStatus.QUEUED, WorthStatus.RUNNING)


class ScreeningWorth(models.Model):
    """One job: a model without any rule, and one more for each rule, all judged by the same held-out labels.

    `srcc` is of the model without any rule. `attempt` counts claims: who has lost the job writes no more.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="screening_worths")
    question = models.CharField(max_length=40)
    preset = models.CharField(max_length=40)
    # The whole configuration as it is used, the seed in it: kept to be read and repeated, never queried.
    config = models.JSONField(default=dict)
    heldout_set = models.ForeignKey(HeldoutSet, on_delete=models.SET_NULL, null=True, blank=True, related_name="worths")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    status = models.CharField(max_length=10, choices=WorthStatus, default=WorthStatus.QUEUED)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    host = models.CharField(max_length=200, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    n_models = models.PositiveSmallIntegerField(default=0)
    n_done = models.PositiveSmallIntegerField(default=0)
    step = models.PositiveIntegerField(default=0)
    total_steps = models.PositiveIntegerField(default=0)
    n_heldout = models.PositiveIntegerField(null=True, blank=True)
    n_ratings = models.PositiveIntegerField(
        default=0, help_text="Answers that the model without any rule learned from."
    )
    srcc = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=WorthStatus.values), name="worth_status_known"),
            # A double click makes one.
            models.UniqueConstraint(
                fields=["test"], condition=Q(status__in=ACTIVE_WORTH_STATUSES), name="worth_one_active_for_test"
            ),
        ]

    def __str__(self) -> str:
        return f"Worth of the screening rules of {self.test}"

    @property
    def is_active(self) -> bool:
        """Whether it is still on its way to one of the states in which it ends."""
        return self.status in ACTIVE_WORTH_STATUSES


class RuleWorth(models.Model):
    """A model whose training answers are without those of raters who failed a rule; or all rules that count for use.

    `srcc` is of that model, `difference` it less the model without any rule, paired. Empty where nothing was to be left
    out, or where it could not be trained: `message` says so.
    """

    worth = models.ForeignKey(ScreeningWorth, on_delete=models.CASCADE, related_name="rules")
    rule = models.CharField(
        max_length=20, choices=[*ScreeningRuleName.choices, (ALL_FOR_USE, "All that count for use")]
    )
    n_raters = models.PositiveIntegerField()
    n_ratings = models.PositiveIntegerField(help_text="Answers to learn from that it leaves out.")
    srcc = models.FloatField(null=True, blank=True)
    low = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    difference = models.FloatField(null=True, blank=True)
    difference_low = models.FloatField(null=True, blank=True)
    difference_high = models.FloatField(null=True, blank=True)
    message = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["worth", "rule"], name="rule_worth_once")]

    def __str__(self) -> str:
        return self.get_rule_display()
