"""What raters report: sounds that would not play, and anything else."""

import uuid

from django.db import models
from django.db.models import Q

from listening_tests.choices import SKIP_KINDS, ProblemKind
from listening_tests.models.listening_test import ListeningTest
from listening_tests.models.sessions import Assignment, Session
from listening_tests.models.stimuli import Pair


class ProblemReport(models.Model):
    """A rater's report. One of a sound that would not play names its assignment, which was skipped; never held
    against the rater. One from before the session began, or from after its rater withdrew, names no session.

    `pair` is the one whose clip it is about. It is empty where the report is about none, and where a trial was reported
    without saying which of its clips.
    """

    client_uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="problem_reports")
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="problem_reports", null=True, blank=True
    )
    assignment = models.ForeignKey(
        Assignment, on_delete=models.CASCADE, related_name="problem_reports", null=True, blank=True
    )
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="problem_reports", null=True, blank=True)
    kind = models.CharField(max_length=10, choices=ProblemKind)
    text = models.TextField(max_length=2000, blank=True, help_text="The rater's words, or those of their browser.")
    browser = models.CharField(max_length=300, blank=True, help_text="What the browser calls itself.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ProblemKind.values), name="problem_kind_known"),
            models.CheckConstraint(
                condition=~Q(kind__in=sorted(SKIP_KINDS)) | Q(assignment__isnull=False, session__isnull=False),
                name="problem_of_sound_names_assignment",
            ),
            models.UniqueConstraint(
                fields=["assignment"], condition=Q(kind__in=sorted(SKIP_KINDS)), name="problem_one_skip_for_assignment"
            ),
        ]
        indexes = [models.Index(fields=["test", "-created_at"], name="problem_by_test_and_time")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.test})"
