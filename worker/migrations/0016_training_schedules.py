import datetime

import django.core.validators
import django.db.models.deletion
import timezone_field.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("listening_tests", "0018_models_in_use"), ("worker", "0020_models_at_work")]

    operations = [
        migrations.CreateModel(
            "TrainingSchedule",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.TimeField(default=datetime.time(2, 0), verbose_name="each night at")),
                (
                    "timezone",
                    timezone_field.fields.TimeZoneField(
                        default="UTC",
                        help_text="Where clocks change, the time of day stays the same.",
                        use_pytz=False,
                        verbose_name="time zone",
                    ),
                ),
                (
                    "least_new",
                    models.PositiveIntegerField(
                        default=100,
                        help_text="Ratings since the test's last run. With fewer, nothing is started that night.",
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="if at least so many new ratings",
                    ),
                ),
                (
                    "preset",
                    models.CharField(blank=True, help_text="Empty: that of the test's plan.", max_length=40),
                ),
                ("is_enabled", models.BooleanField(default=True, verbose_name="in force")),
                ("done_until", models.DateTimeField(editable=False)),
                (
                    "fired_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="last looked"),
                ),
                (
                    "outcome",
                    models.CharField(blank=True, editable=False, max_length=500, verbose_name="what came of it"),
                ),
                (
                    "last_run",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="worker.trainingrun",
                    ),
                ),
                (
                    "test",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="training_schedules",
                        to="listening_tests.listeningtest",
                    ),
                ),
            ],
            options={"ordering": ["test_id", "at", "id"]},
        ),
        migrations.AddConstraint(
            "trainingschedule",
            models.CheckConstraint(condition=models.Q(("least_new__gte", 1)), name="schedule_asks_for_new_ratings"),
        ),
    ]
