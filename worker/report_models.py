"""What a run's report holds beside its metrics: parts of the held-out pairs, calibration, learning curve."""

from django.db import models
from django.db.models import Q


class Part(models.TextChoices):
    """By what the held-out pairs are taken apart; `modeling.compared_parts` says how."""

    WITHIN_CAPTION = "within_caption", "Within captions"
    WITHIN_SYSTEM = "within_system", "Within systems"
    SYSTEM = "system", "System"
    ORIGIN = "origin", "Natural against synthesised"
    N_RATINGS = "n_ratings", "Ratings of a pair"
    DISAGREEMENT = "disagreement", "How far raters disagree"


class RunReport(models.Model):
    """A report that was measured when its run ended, against the champion of that moment.

    `champion` is empty where the untuned model held the place, or the champion shares no held-out pairs with the run.
    Slope, intercept and bias are of people's mean against the tuned model's calibrated score, both 0 to 10; empty where
    people compared.
    """

    run = models.OneToOneField("worker.TrainingRun", on_delete=models.CASCADE, related_name="report")
    champion = models.ForeignKey(
        "worker.ModelVersion", on_delete=models.SET_NULL, null=True, blank=True, related_name="reports_against"
    )
    slope = models.FloatField(null=True)
    slope_low = models.FloatField(null=True)
    slope_high = models.FloatField(null=True)
    intercept = models.FloatField(null=True)
    intercept_low = models.FloatField(null=True)
    intercept_high = models.FloatField(null=True)
    bias = models.FloatField(null=True)
    bias_low = models.FloatField(null=True)
    bias_high = models.FloatField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Report on {self.run}"


class PartMetric(models.Model):
    """A metric of one model in a group of a run's held-out pairs. The group is empty where a part has but one."""

    run = models.ForeignKey("worker.TrainingRun", on_delete=models.CASCADE, related_name="part_metrics")
    part = models.CharField(max_length=14, choices=Part)
    group = models.CharField(max_length=100, blank=True)
    # As of Metric.
    model = models.CharField(max_length=12)
    name = models.CharField(max_length=10)
    value = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "part", "group", "model", "name"], name="part_metric_once_in_run"),
            models.CheckConstraint(condition=Q(part__in=Part.values), name="part_metric_part_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_part_display()} {self.group}: {self.name}"


class CalibrationBin(models.Model):
    """Held-out pairs whose calibrated score lies between `low_score` and `high_score`: its mean, and people's mean."""

    run = models.ForeignKey("worker.TrainingRun", on_delete=models.CASCADE, related_name="calibration_bins")
    number = models.PositiveSmallIntegerField()
    low_score = models.FloatField()
    high_score = models.FloatField()
    score = models.FloatField()
    human = models.FloatField(null=True)
    human_low = models.FloatField(null=True)
    human_high = models.FloatField(null=True)
    n = models.PositiveIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="calibration_bin_once_in_run")]

    def __str__(self) -> str:
        return f"Bin {self.number} of {self.run}"


class LearningForecast(models.Model):
    """What `modeling.learning_curve` made of a test's runs when `run` ended: SRCC now, with more ratings, the gain.

    The runs are those of the same question, preset and base model. Values are empty, and `n_sizes` says of how many
    different sizes the runs were, where these were too few.
    """

    run = models.OneToOneField("worker.TrainingRun", on_delete=models.CASCADE, related_name="forecast")
    n_runs = models.PositiveIntegerField()
    n_sizes = models.PositiveIntegerField()
    n_now = models.PositiveIntegerField()
    n_more = models.PositiveIntegerField()
    now = models.FloatField(null=True)
    now_low = models.FloatField(null=True)
    now_high = models.FloatField(null=True)
    then = models.FloatField(null=True)
    then_low = models.FloatField(null=True)
    then_high = models.FloatField(null=True)
    gain = models.FloatField(null=True)
    gain_low = models.FloatField(null=True)
    gain_high = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"Forecast of {self.run}"


class CurvePoint(models.Model):
    """The fitted learning curve at a number of ratings, with its 95 % interval."""

    forecast = models.ForeignKey(LearningForecast, on_delete=models.CASCADE, related_name="points")
    n_ratings = models.PositiveIntegerField()
    srcc = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)

    class Meta:
        ordering = ["n_ratings"]
        constraints = [models.UniqueConstraint(fields=["forecast", "n_ratings"], name="curve_point_once")]

    def __str__(self) -> str:
        return f"{self.forecast} at {self.n_ratings}"
