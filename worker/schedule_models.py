"""When a test's model is tuned by the clock. Columns and one-row rules only."""

from datetime import UTC, datetime, time, timedelta

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from timezone_field import TimeZoneField

from listening_tests.models import ListeningTest


class TrainingSchedule(models.Model):
    """Each night at a time of day, where enough new ratings are there. worker.schedules tells beat of it, and fires it.

    `done_until` is the moment up to which nothing is due any more: what was due has been seen to, or lies before the
    schedule was last changed.
    """

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="training_schedules")
    at = models.TimeField("each night at", default=time(2, 0))
    timezone = TimeZoneField(
        "time zone", use_pytz=False, default="UTC", help_text="Where clocks change, the time of day stays the same."
    )
    least_new = models.PositiveIntegerField(
        "if at least so many new ratings",
        default=100,
        validators=[MinValueValidator(1)],
        help_text="Ratings since the test's last run. With fewer, nothing is started that night.",
    )
    preset = models.CharField(max_length=40, blank=True, help_text="Empty: that of the test's plan.")
    is_enabled = models.BooleanField("in force", default=True)
    done_until = models.DateTimeField(editable=False)
    fired_at = models.DateTimeField("last looked", null=True, blank=True, editable=False)
    outcome = models.CharField("what came of it", max_length=500, blank=True, editable=False)
    last_run = models.ForeignKey(
        "worker.TrainingRun", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["test_id", "at", "id"]
        constraints = [models.CheckConstraint(condition=Q(least_new__gte=1), name="schedule_asks_for_new_ratings")]

    def __str__(self) -> str:
        return f"{self.test}, each night at {self.at:%H:%M} ({self.timezone})"

    def last_due(self, now: datetime) -> datetime:
        """The last moment, in UTC and not after `now`, at which the clock of its time zone showed its time.

        A time that the clock jumps over in spring counts as if it had not jumped; of one that comes twice in autumn the
        first counts.
        """
        return max(moment for moment in self._moments_around(now) if moment <= now)

    def next_due(self, now: datetime) -> datetime:
        """As `last_due`, the first moment after `now`."""
        return min(moment for moment in self._moments_around(now) if moment > now)

    def _moments_around(self, now: datetime) -> list[datetime]:
        today = now.astimezone(self.timezone).date()
        days = (today + timedelta(days=days) for days in (-2, -1, 0, 1, 2))
        return [datetime.combine(day, self.at, tzinfo=self.timezone).astimezone(UTC) for day in days]
