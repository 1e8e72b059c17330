"""How runs go, for who watches: measured points, the last lines of a run's log, and workers' signs of life.

Columns and one-row rules only.
"""

from django.db import models
from django.db.models import Q


class TrainingPoint(models.Model):
    """What a run measured after `step` steps of training; worker.run_points keeps some 500 of a run, evenly spread.

    `loss` is that of the step's batch, empty before the first step. `validation` is there after an epoch: the SRCC with
    people on the validation pairs, or the agreement with their choices where they compared.
    """

    run = models.ForeignKey("worker.TrainingRun", on_delete=models.CASCADE, related_name="points")
    step = models.PositiveIntegerField()
    epoch = models.PositiveIntegerField(help_text="Epochs that were complete; 0 is the untuned model.")
    loss = models.FloatField(null=True)
    validation = models.FloatField(null=True)

    class Meta:
        ordering = ["step"]
        constraints = [
            models.UniqueConstraint(fields=["run", "step"], name="point_once_in_run"),
            models.CheckConstraint(
                condition=Q(loss__isnull=False) | Q(validation__isnull=False), name="point_says_something"
            ),
        ]

    def __str__(self) -> str:
        return f"Step {self.step}"


class RunLogLine(models.Model):
    """A line of a run's log; worker.run_log keeps the last 200 of a run."""

    run = models.ForeignKey("worker.TrainingRun", on_delete=models.CASCADE, related_name="log_lines")
    at = models.DateTimeField()
    is_warning = models.BooleanField(default=False)
    text = models.CharField(max_length=500)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text


class WorkerSign(models.Model):
    """A Celery worker's sign of life: which queues it takes from, and when it was last heard of."""

    name = models.CharField(max_length=200, unique=True, help_text="As Celery knows it, for example gpu@host.")
    # As in TrainingRun.host: the machine and the process.
    host = models.CharField(max_length=200)
    queues = models.CharField(max_length=200, help_text="Separated by commas.")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @property
    def queue_names(self) -> list[str]:
        return self.queues.split(",")
