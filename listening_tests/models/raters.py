"""Raters: a pseudonym in every table but one, which alone says who somebody is and can be erased."""

import uuid

from django.db import models
from django.db.models import Q

from listening_tests.choices import Source, WithdrawnRatings
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
    """That a rater agreed to a version of a test's consent text, and what it promised of ratings that are withdrawn."""

    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="consents")
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="consents")
    version = models.PositiveIntegerField()
    withdrawn_ratings = models.CharField(max_length=10, choices=WithdrawnRatings, default=WithdrawnRatings.DELETE)
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rater", "test", "version"], name="consent_once_for_version"),
            models.CheckConstraint(
                condition=Q(withdrawn_ratings__in=WithdrawnRatings.values), name="consent_withdrawn_ratings_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rater}, version {self.version}"


class Withdrawal(models.Model):
    """That a rater withdrew from a test. Their identity is erased; of deleted ratings only this count stays.

    Whatever was made of the test's ratings between `first_rated_at` and `created_at` may have used them.
    """

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="withdrawals")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="withdrawals")
    treatment = models.CharField(max_length=10, choices=WithdrawnRatings)
    n_ratings = models.PositiveIntegerField()
    first_rated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test", "rater"], name="withdrawal_once_for_rater"),
            models.CheckConstraint(
                condition=Q(treatment__in=WithdrawnRatings.values), name="withdrawal_treatment_known"
            ),
        ]
        indexes = [models.Index(fields=["test", "created_at"], name="withdrawal_by_test_and_time")]

    def __str__(self) -> str:
        return f"{self.rater} withdrew from {self.test}"
