"""How far a test's screening is computed, what it would change, and which checks are to be doubted."""

from django.db import models
from django.db.models import Q

from listening_tests.choices import ScreeningRuleName
from listening_tests.models import ListeningTest, Question


class FigureName(models.TextChoices):
    """What a screening would change."""

    RATERS = "raters", "Raters"
    ANSWERS = "answers", "Study answers"
    ITEMS = "items", "Pairs or trials with an answer"
    ICC1 = "icc1", "ICC(1,1)"
    RELIABILITY = "reliability", "Reliability of the pairs' means"
    CEILING_SRCC = "ceiling_srcc", "Ceiling SRCC"
    MEAN = "mean", "Mean score"
    STRENGTH = "strength", "Bradley-Terry score"


class AlarmKind(models.TextChoices):
    """What makes a check itself doubtful; the words are modeling.screening.alarms'."""

    FAILS_MORE = "fails-more", "Fails more than before"
    FAILS_MOST = "fails-most", "Fails most"
    CEASED = "ceased", "Has ceased to answer"


class ScreeningState(models.Model):
    """How far the outcomes of a test's screening are: when they were asked for, and what they were computed from.

    `asked_at` is empty when nothing waits to be computed. `digest` is of who fails, as collection tells it.
    """

    test = models.OneToOneField(ListeningTest, on_delete=models.CASCADE, related_name="screening_state")
    asked_at = models.DateTimeField(null=True, blank=True)
    computed_at = models.DateTimeField(null=True, blank=True)
    newest_answer_at = models.DateTimeField(null=True, blank=True)
    n_raters = models.PositiveIntegerField(default=0)
    n_answers = models.PositiveIntegerField(default=0, help_text="To the first question, practice apart.")
    n_failing = models.PositiveIntegerField(default=0, help_text="Raters who fail a rule that counts for use.")
    n_failing_answers = models.PositiveIntegerField(default=0, help_text="Answers of theirs, to all questions.")
    digest = models.CharField(max_length=64, blank=True)
    message = models.TextField(blank=True, help_text="Why the last computation came to nothing.")

    def __str__(self) -> str:
        return f"Screening of {self.test}"


class ScreeningFigure(models.Model):
    """A number of one question as it is, and as it would be without the raters who fail. Empty: undefined."""

    state = models.ForeignKey(ScreeningState, on_delete=models.CASCADE, related_name="figures")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=20, choices=FigureName)
    system = models.CharField(max_length=120, blank=True, help_text="Empty: of the whole test.")
    now = models.FloatField(null=True)
    then = models.FloatField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["state", "question", "name", "system"], name="screening_figure_once"),
            models.CheckConstraint(condition=Q(name__in=FigureName.values), name="screening_figure_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_name_display()}: {self.now} to {self.then}"

    @property
    def change(self) -> float | None:
        """None where either is undefined."""
        return None if self.now is None or self.then is None else self.then - self.now


class ScreeningAlarm(models.Model):
    """That a check of a test is to be doubted: of the last `recent_n` raters it failed, or could not check,
    `recent_hits`; of the `earlier_n` before them `earlier_hits`. The row goes when the alarm is over.
    """

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="screening_alarms")
    rule = models.CharField(max_length=20, choices=ScreeningRuleName)
    kind = models.CharField(max_length=12, choices=AlarmKind)
    recent_hits = models.PositiveIntegerField()
    recent_n = models.PositiveIntegerField()
    earlier_hits = models.PositiveIntegerField()
    earlier_n = models.PositiveIntegerField()
    p = models.FloatField(help_text="How likely chance alone would do this.")
    since = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["test", "rule", "kind"], name="screening_alarm_once"),
            models.CheckConstraint(condition=Q(kind__in=AlarmKind.values), name="screening_alarm_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_rule_display()}: {self.get_kind_display().lower()}"

    @property
    def sentence(self) -> str:
        recent, earlier = f"{self.recent_hits} of the last {self.recent_n}", f"{self.earlier_hits} of {self.earlier_n}"
        if self.kind == AlarmKind.CEASED:
            return f"It could not check {recent} raters; before them, {earlier}. Look for what it no longer gets."
        if self.kind == AlarmKind.FAILS_MOST:
            return f"It failed {recent} raters whom it could check. Doubt the check before the raters."
        return f"It failed {recent} raters whom it could check; before them, {earlier}. Look for what has changed."
