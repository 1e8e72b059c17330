"""Raters: a pseudonym in every table but one, which alone says who somebody is and can be erased."""

import uuid

from django.db import models
from django.db.models import Q

from listening_tests.choices import Source
from listening_tests.models.listening_test import ListeningTest


class Rater(models.Model):
    """A pseudonym. What identifies the person is in RaterIdentity."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=10, choices=Source, default=Source.COLLECTED)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(source__in=Source.values), name="rater_source_known"),
        ]

    def __str__(self) -> str:
        return f"Rater {str(self.uuid)[:8]}"


class RaterIdentity(models.Model):
    """What a recruiter's link says of a rater: a claim, never a proof. Erasable without touching ratings."""

    rater = models.OneToOneField(Rater, on_delete=models.CASCADE, related_name="identity")
    recruiter = models.CharField(max_length=40)
    claimed_id = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "rater identities"

    def __str__(self) -> str:
        return f"{self.recruiter}: {self.claimed_id}"


class Consent(models.Model):
    """That a rater agreed to a version of a test's consent text."""

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="consents")
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="consents")
    version = models.PositiveIntegerField()
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rater", "test", "version"], name="consent_once_for_version"),
        ]

    def __str__(self) -> str:
        return f"{self.rater}, version {self.version}"
