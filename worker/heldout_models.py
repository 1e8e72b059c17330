"""The held-out pairs of a test, frozen in versions, and how often they have been looked at. Columns only."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from listening_tests.models import ListeningTest, Pair


class HeldoutSet(models.Model):
    """A version of a question's held-out pairs: a fixed list, each version with all of the one before.

    `sha256` is of the pairs' uuids as modeling.splits.HeldoutVersion has it; `salt` and `rule` are what held them out.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="heldout_sets")
    question = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    salt = models.CharField(max_length=64)
    rule = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    n_pairs = models.PositiveIntegerField()
    n_captions = models.PositiveIntegerField()
    reason = models.CharField(max_length=500)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    pairs = models.ManyToManyField(Pair, through="HeldoutPair", related_name="+")

    class Meta:
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["test", "question", "version"], name="heldout_set_version_once"),
            models.CheckConstraint(condition=~Q(reason=""), name="heldout_set_has_reason"),
        ]

    def __str__(self) -> str:
        return f"Held-out pairs, version {self.version}, of {self.test}"


class HeldoutPair(models.Model):
    heldout_set = models.ForeignKey(HeldoutSet, on_delete=models.CASCADE, related_name="members")
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["heldout_set", "pair"], name="heldout_pair_once")]

    def __str__(self) -> str:
        return f"{self.pair}"


class LookKind(models.TextChoices):
    """What for held-out pairs were looked at."""

    RUN = "run", "A run measured its model"
    CHALLENGE = "challenge", "A model was compared with the one in use"
    SCREENING = "screening", "A screening rule was tried"


class HeldoutLook(models.Model):
    """That figures on the held-out pairs became known. It stays where the run that looked is gone."""

    heldout_set = models.ForeignKey(HeldoutSet, on_delete=models.CASCADE, related_name="looks")
    kind = models.CharField(max_length=10, choices=LookKind)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(kind__in=LookKind.values), name="heldout_look_kind_known")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.heldout_set}"
