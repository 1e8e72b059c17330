"""How raters of a test are screened, what each rule found of each rater, and what was left out because of it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from listening_tests.choices import CheckOutcome, PutTogether, ScreeningRuleName
from listening_tests.models.listening_test import ListeningTest
from listening_tests.models.raters import Rater


class ScreeningRule(models.Model):
    """A rule's thresholds in one test. A rule without a row stands at its defaults, which modeling.screening holds.

    What `limit` and `tolerance` are, and which rules use `tolerance` and `how`, is in docs/SCREENING.md.
    """

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="screening_rules")
    rule = models.CharField(max_length=20, choices=ScreeningRuleName)
    is_enabled = models.BooleanField(default=True)
    limit = models.FloatField()
    at_least = models.PositiveIntegerField(help_text="Observations; with fewer the rule could not check.")
    tolerance = models.FloatField(default=0)
    how = models.CharField(max_length=4, choices=PutTogether, blank=True)
    for_pay = models.BooleanField(default=False)
    for_use = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test", "rule"], name="screening_rule_once_in_test"),
            models.CheckConstraint(condition=Q(rule__in=ScreeningRuleName.values), name="screening_rule_known"),
            models.CheckConstraint(condition=Q(at_least__gte=1), name="screening_rule_observes_something"),
            models.CheckConstraint(condition=Q(tolerance__gte=0), name="screening_rule_tolerance_not_negative"),
            models.CheckConstraint(condition=Q(how__in=["", *PutTogether.values]), name="screening_rule_how_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()} in {self.test}"


class RuleOutcome(models.Model):
    """What a rule, as it stood when it was last computed, says of a rater. Made anew as a whole with each computation.

    `for_pay` and `for_use` say what the rule counted for then. `value` is empty where it is undefined. A rule that
    could check nobody has no rows.
    """

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="rule_outcomes")
    rater = models.ForeignKey(Rater, on_delete=models.CASCADE, related_name="rule_outcomes")
    rule = models.CharField(max_length=20, choices=ScreeningRuleName)
    version = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=CheckOutcome)
    value = models.FloatField(null=True, blank=True)
    limit = models.FloatField()
    n = models.PositiveIntegerField(help_text="Observations that the value rests on.")
    for_pay = models.BooleanField()
    for_use = models.BooleanField()
    computed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test", "rule", "rater"], name="rule_outcome_once_for_rater"),
            models.CheckConstraint(condition=Q(rule__in=ScreeningRuleName.values), name="rule_outcome_rule_known"),
            models.CheckConstraint(condition=Q(outcome__in=CheckOutcome.values), name="rule_outcome_known"),
        ]
        indexes = [
            models.Index(fields=["test", "rater"], name="rule_outcome_failed", condition=Q(outcome="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()}: {self.get_outcome_display()}"


class Screening(models.Model):
    """That the raters who failed were left out of a test, in one go that can be taken back in one go.

    A test has one that is in force at most. `digest` is of who failed by what: the same again is the same screening.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="screenings")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    rules = models.TextField(help_text="The rules that counted, one a line, as they stood.")
    digest = models.CharField(max_length=64)
    n_raters = models.PositiveIntegerField()
    n_answers = models.PositiveIntegerField(help_text="Answers of theirs, of every role and question.")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["test"], condition=Q(undone_at__isnull=True), name="screening_one_in_force_for_test"
            ),
        ]

    def __str__(self) -> str:
        return f"Screening of {self.test}, {self.created_at:%Y-%m-%d %H:%M}"
