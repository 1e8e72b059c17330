"""Pilots: what simulated raters do with a copy of a test before people come."""

import uuid

from django.db import models
from django.db.models import F, Q

from listening_tests.choices import ACTIVE_PILOT_STATUSES, PilotStatus
from listening_tests.models.listening_test import ListeningTest


class Pilot(models.Model):
    """The simulated raters of a copy of a test, and how far they are. `test` is the copy; its `pilot_of` the original.

    `n_done` counts raters who have finished, `n_answers` pairs or trials that were answered, practice included.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.OneToOneField(ListeningTest, on_delete=models.CASCADE, related_name="pilot")
    n_raters = models.PositiveIntegerField()
    n_careless = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=10, choices=PilotStatus, default=PilotStatus.QUEUED)
    n_done = models.PositiveIntegerField(default=0)
    n_answers = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # The last sign of life of the process that simulates.
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PilotStatus.values), name="pilot_status_known"),
            models.CheckConstraint(condition=Q(n_careless__lte=F("n_raters")), name="pilot_careless_are_raters"),
        ]

    def __str__(self) -> str:
        return f"Pilot of {self.test.pilot_of}"

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE_PILOT_STATUSES
