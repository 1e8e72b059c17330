"""Ratings, and what an analysis leaves out of them."""

import uuid

from django.db import models
from django.db.models import F, Q

from listening_tests.choices import Source
from listening_tests.models.listening_test import ListeningTest, Question
from listening_tests.models.raters import Rater
from listening_tests.models.sessions import Assignment
from listening_tests.models.stimuli import Pair


class Rating(models.Model):
    """One answer of one rater to one question about one pair.

    Never edited (a trigger in the database refuses it), never deleted but by a withdrawal; what an analysis leaves
    out is said by Exclusion rows. `shown_at` is counted back from the server's clock by the browser's stopwatch, so a
    device with a wrong clock cannot falsify it.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client_uuid = models.UUIDField(unique=True, help_text="Made where the rating was given; a repeat carries it again.")
    # Found through the assignment too; stand here because imported ratings have none, and for quick aggregates.
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="ratings")
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="ratings")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="ratings")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="ratings")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="ratings", null=True, blank=True)
    source = models.CharField(max_length=10, choices=Source, default=Source.COLLECTED)
    score = models.FloatField()
    scale_min = models.FloatField()
    scale_max = models.FloatField()
    plays = models.PositiveIntegerField(null=True, blank=True, help_text="How often the clip was started.")
    heard_s = models.FloatField("seconds heard", null=True, blank=True, help_text="Union of the played seconds.")
    shown_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField()
    late = models.BooleanField(default=False, help_text="It came after its lease had ended.")
    too_soon = models.BooleanField(default=False, help_text="It came sooner than its clip could have been heard.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "question"], name="rating_once_for_assignment_question"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="rating_source_known"),
            models.CheckConstraint(
                condition=Q(score__gte=F("scale_min")) & Q(score__lte=F("scale_max")), name="rating_score_on_scale"
            ),
            models.CheckConstraint(
                condition=Q(source=Source.IMPORTED)
                | Q(assignment__isnull=False, plays__isnull=False, heard_s__isnull=False, shown_at__isnull=False),
                name="rating_has_evidence_unless_imported",
            ),
            models.CheckConstraint(
                condition=Q(heard_s__isnull=True) | Q(heard_s__gte=0), name="rating_heard_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["test", "submitted_at"], name="rating_by_test_and_time"),
        ]

    def __str__(self) -> str:
        return f"{self.score:g} by {self.rater}"


class Exclusion(models.Model):
    """That a rule, in one of its versions, leaves a rating out. Taking the row away takes the rating in again."""

    rating = models.ForeignKey(Rating, on_delete=models.CASCADE, related_name="exclusions")
    rule = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    reason = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rating", "rule", "version"], name="exclusion_once_by_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} (version {self.version})"
