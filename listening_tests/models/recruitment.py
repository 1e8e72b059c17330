"""What a recruiter's link says of a sitting, who may not take part, and how many did not want to."""

from django.db import models

from listening_tests.models.listening_test import ListeningTest
from listening_tests.models.raters import RaterIdentity
from listening_tests.models.sessions import Session


class RecruitedSitting(models.Model):
    """The recruiter's own numbers of a sitting, as its link claims them: of the study there, and of the submission.

    They lead to the person as the claimed id does, so they go with it: erasing the identity erases them.
    """

    session = models.OneToOneField(Session, on_delete=models.CASCADE, related_name="recruited")
    identity = models.ForeignKey(RaterIdentity, on_delete=models.CASCADE, related_name="sittings")
    study = models.CharField(max_length=200, blank=True)
    submission = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.study} {self.submission}".strip()


class ExcludedId(models.Model):
    """That who claims this id of the test's recruiter cannot take part in the test."""

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="excluded_ids")
    claimed_id = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["test", "claimed_id"], name="excluded_id_once_in_test")]

    def __str__(self) -> str:
        return self.claimed_id


class Declined(models.Model):
    """That somebody did not agree to take part. Nothing else is kept: rows are there to be counted.

    `form` is the random number of the consent page that was answered, so that a repeat counts once.
    """

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="declined")
    form = models.UUIDField()

    class Meta:
        verbose_name_plural = "declined"
        constraints = [models.UniqueConstraint(fields=["test", "form"], name="declined_once_by_form")]

    def __str__(self) -> str:
        return f"Declined: {self.test}"
