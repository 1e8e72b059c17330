"""Ratings and comparisons, and what an analysis leaves out of them."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Abs, Floor, NullIf
from django.db.models.lookups import LessThan

from listening_tests.choices import Choice, Source
from listening_tests.models.listening_test import LARGEST_STEP_ERROR, ListeningTest, Question
from listening_tests.models.raters import Rater
from listening_tests.models.sessions import Assignment
from listening_tests.models.stimuli import Pair, Trial

# How many steps of its scale a score lies above the scale's lower end; unknown on a continuous scale.
_STEPS = (F("score") - F("scale_min")) / NullIf(F("scale_step"), 0.0, output_field=models.FloatField())


class Answered(models.Model):
    """One answer of one rater to one question.

    Never edited (a trigger in the database refuses it), never deleted but by a withdrawal; what an analysis leaves
    out is said by Exclusion rows. `shown_at` is counted back from the server's clock by the browser's stopwatch, so a
    device with a wrong clock cannot falsify it.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client_uuid = models.UUIDField(unique=True, help_text="Made where the answer was given; a repeat carries it again.")
    # Found through the assignment too; stand here because imported answers have none, and for quick aggregates.
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="%(class)ss")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="%(class)ss")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="%(class)ss")
    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, related_name="%(class)ss", null=True, blank=True
    )
    source = models.CharField(max_length=10, choices=Source, default=Source.COLLECTED)
    shown_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField()
    late = models.BooleanField(default=False, help_text="It came after its lease had ended.")
    too_soon = models.BooleanField(default=False, help_text="It came sooner than its clips could have been heard.")

    class Meta:
        abstract = True
        ordering = ["id"]


class Rating(Answered):
    """One score of one rater for one pair, with the scale of its question, which the database compares.

    `trial` and `place` say where the pair stood among others; they are empty where pairs are rated one at a time.
    """

    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="ratings")
    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="ratings", null=True, blank=True)
    place = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Counted from 1, in a trial of several.")
    score = models.FloatField()
    scale_min = models.FloatField()
    scale_max = models.FloatField()
    scale_step = models.FloatField(default=1, db_default=1, help_text="0 for a continuous scale.")
    plays = models.PositiveIntegerField(null=True, blank=True, help_text="How often the clip was started.")
    heard_s = models.FloatField("seconds heard", null=True, blank=True, help_text="Union of the played seconds.")

    class Meta(Answered.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "question"],
                condition=Q(place__isnull=True),
                name="rating_once_for_assignment_question",
            ),
            models.UniqueConstraint(
                fields=["assignment", "question", "place"],
                condition=Q(place__isnull=False),
                name="rating_once_for_place_question",
            ),
            models.UniqueConstraint(
                fields=["assignment", "question", "pair"],
                condition=Q(place__isnull=False),
                name="rating_once_for_pair_question",
            ),
            models.CheckConstraint(
                condition=Q(trial__isnull=True, place__isnull=True)
                # Said apart, for a comparison with what is unknown refuses nothing.
                | Q(trial__isnull=False, place__isnull=False, place__gte=1),
                name="rating_place_in_trial",
            ),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="rating_source_known"),
            models.CheckConstraint(
                condition=Q(score__gte=F("scale_min")) & Q(score__lte=F("scale_max")), name="rating_score_on_scale"
            ),
            models.CheckConstraint(condition=Q(scale_step__gte=0), name="rating_step_not_negative"),
            models.CheckConstraint(
                condition=LessThan(Abs(_STEPS - Floor(_STEPS + 0.5)), LARGEST_STEP_ERROR),
                name="rating_score_on_step",
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

    @property
    def said(self) -> tuple[object, ...]:
        """What was answered about what: a repeat says the same."""
        return (self.question_id, self.pair_id, self.score)


class Comparison(Answered):
    """Which of two pairs of one caption a rater prefers, as they stood before them: `first` and then `second`."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="comparisons")
    first = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="comparisons_as_first")
    second = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="comparisons_as_second")
    choice = models.CharField(max_length=6, choices=Choice)
    first_plays = models.PositiveIntegerField(null=True, blank=True, help_text="How often its clip was started.")
    first_heard_s = models.FloatField("seconds heard of the first", null=True, blank=True)
    second_plays = models.PositiveIntegerField(null=True, blank=True, help_text="How often its clip was started.")
    second_heard_s = models.FloatField("seconds heard of the second", null=True, blank=True)

    class Meta(Answered.Meta):
        constraints = [
            models.UniqueConstraint(fields=["assignment", "question"], name="comparison_once_for_assignment_question"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="comparison_source_known"),
            models.CheckConstraint(condition=Q(choice__in=Choice.values), name="comparison_choice_known"),
            models.CheckConstraint(condition=~Q(first=F("second")), name="comparison_of_two_pairs"),
            models.CheckConstraint(
                condition=Q(source=Source.IMPORTED)
                | Q(
                    assignment__isnull=False,
                    first_plays__isnull=False,
                    # Said apart, for a comparison with what is unknown refuses nothing.
                    first_heard_s__isnull=False,
                    first_heard_s__gte=0,
                    second_plays__isnull=False,
                    second_heard_s__isnull=False,
                    second_heard_s__gte=0,
                    shown_at__isnull=False,
                ),
                name="comparison_has_evidence_unless_imported",
            ),
        ]
        indexes = [
            models.Index(fields=["test", "submitted_at"], name="comparison_by_test_and_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_choice_display()} by {self.rater}"

    @property
    def said(self) -> tuple[object, ...]:
        """What was answered about what: a repeat says the same."""
        return (self.question_id, self.first_id, self.second_id, self.choice)


class Exclusion(models.Model):
    """That a rule, in one of its versions, leaves an answer out: a rating or a comparison. Taking the row away takes
    the answer in again.
    """

    rating = models.ForeignKey(Rating, on_delete=models.CASCADE, related_name="exclusions", null=True, blank=True)
    comparison = models.ForeignKey(
        Comparison, on_delete=models.CASCADE, related_name="exclusions", null=True, blank=True
    )
    rule = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    reason = models.CharField(max_length=300)
    # Taken back together with the screening that made it; empty where a person, an import or a withdrawal did.
    screening = models.ForeignKey(
        "Screening", on_delete=models.CASCADE, related_name="exclusions", null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(rating__isnull=False, comparison__isnull=True)
                | Q(rating__isnull=True, comparison__isnull=False),
                name="exclusion_of_one_answer",
            ),
            models.UniqueConstraint(fields=["rating", "rule", "version"], name="exclusion_once_by_rule"),
            models.UniqueConstraint(
                fields=["comparison", "rule", "version"], name="exclusion_of_comparison_once_by_rule"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule} (version {self.version})"
