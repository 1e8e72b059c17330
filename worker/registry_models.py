"""Which model of a test is in use, which was before, and how each newcomer compared with it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from listening_tests.models import ListeningTest


class PromotionTrigger(models.TextChoices):
    """How a model came into use."""

    ITSELF = "itself", "By itself"
    PERSON = "person", "By hand"
    ROLLBACK = "rollback", "Rolled back"


class Verdict(models.TextChoices):
    """What a challenger's comparison with the champion came to."""

    BETTER = "better", "Better than the champion"
    NOT_BETTER = "not_better", "Not clearly better than the champion"
    TOO_FEW = "too_few", "Too few held-out pairs to tell"


class Challenge(models.Model):
    """A finished run's model beside the champion of that moment, on the held-out pairs that both were measured on.

    `champion` is empty where the untuned model held the place. The difference is the challenger's SRCC less the
    champion's, its 95 % interval paired over captions; empty where it is undefined.
    """

    challenger = models.OneToOneField("worker.ModelVersion", on_delete=models.CASCADE, related_name="challenge")
    champion = models.ForeignKey(
        "worker.ModelVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="defences"
    )
    # The version of the challenger's snapshot; empty on older challenges.
    heldout_set = models.ForeignKey(
        "worker.HeldoutSet", on_delete=models.SET_NULL, null=True, blank=True, related_name="challenges"
    )
    n_pairs = models.PositiveIntegerField()
    champion_srcc = models.FloatField(null=True)
    challenger_srcc = models.FloatField(null=True)
    difference = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    verdict = models.CharField(max_length=10, choices=Verdict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="challenge_verdict_known")]

    def __str__(self) -> str:
        return f"{self.challenger} against {self.champion or 'the untuned model'}"


class Promotion(models.Model):
    """A model that came into use for a question of a test. The newest is the champion's; rows are never changed.

    `version` is empty where it was the untuned model.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="promotions")
    question = models.CharField(max_length=40, blank=True)
    version = models.ForeignKey(
        "worker.ModelVersion", on_delete=models.CASCADE, related_name="promotions", null=True, blank=True
    )
    trigger = models.CharField(max_length=10, choices=PromotionTrigger)
    reason = models.CharField(max_length=500)
    promoted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(trigger__in=PromotionTrigger.values), name="promotion_trigger_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="promotion_has_reason"),
        ]
        indexes = [models.Index(fields=["test", "question", "-id"], name="promotion_newest")]

    def __str__(self) -> str:
        return f"{self.version or 'The untuned model'} in use for {self.test}"
