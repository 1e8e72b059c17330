"""A rater's sitting, and the pairs that were kept for it."""

import uuid

from django.db import models
from django.db.models import Q

from listening_tests.choices import CheckOutcome, SessionStatus
from listening_tests.models.listening_test import ListeningTest
from listening_tests.models.raters import Consent, Rater
from listening_tests.models.stimuli import Pair


class Session(models.Model):
    """One rater's sitting at one test.

    `planned_count` is how many pairs it asks for, practice apart. The sums over its ratings change only under this
    row's lock, with each rating, so that no request has to count.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="sessions")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="sessions")
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="sessions")
    status = models.CharField(max_length=10, choices=SessionStatus, default=SessionStatus.ACTIVE)
    planned_count = models.PositiveIntegerField()
    saved_count = models.PositiveIntegerField(default=0, help_text="Pairs rated, practice apart.")
    needed_s = models.FloatField(default=0, help_text="Seconds that hearing every rated clip must have taken.")
    elapsed_s = models.FloatField(default=0, help_text="Seconds spent on rated pairs, by the browser's stopwatch.")
    timed_count = models.PositiveIntegerField(default=0, help_text="Ratings in the sum of seconds, practice included.")
    # What one pair is expected to take, before this rater's own pace is known.
    pair_estimate_s = models.FloatField(default=0)
    needs_check = models.BooleanField(default=False, help_text="The comprehension check has not been passed yet.")
    check_attempts = models.PositiveSmallIntegerField(default=0)
    sound_set_up_at = models.DateTimeField(null=True, blank=True)
    left_right = models.CharField(max_length=10, choices=CheckOutcome, default=CheckOutcome.UNCHECKED)
    # When the questionnaire at the end was answered or passed over: the code is shown from then on.
    questionnaire_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=SessionStatus.values), name="session_status_known"),
            models.CheckConstraint(condition=Q(left_right__in=CheckOutcome.values), name="session_left_right_known"),
            # A second tab or a double click finds the sitting that is there.
            models.UniqueConstraint(
                fields=["test", "rater"], condition=Q(status="active"), name="session_one_active_for_rater"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rater} at {self.test}"


class Assignment(models.Model):
    """A pair leased to a session. The lease is open until it is rated, skipped, released, or its time is over.

    `propensity` is the probability with which this pair was drawn from those that could have come next.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="assignments")
    # Stands here too, so that the database itself refuses the same pair twice for one rater.
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="assignments")
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="assignments")
    position = models.PositiveIntegerField()
    propensity = models.FloatField()
    leased_at = models.DateTimeField()
    lease_expires_at = models.DateTimeField()
    # Set when the lease stops counting towards the pair's load: its time was over before a rating came.
    released_at = models.DateTimeField(null=True, blank=True)
    rated_at = models.DateTimeField(null=True, blank=True)
    # Set, together with `released_at`, when the sound would not play for this rater, who does not get it again.
    skipped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(skipped_at__isnull=True) | Q(released_at__isnull=False, rated_at__isnull=True),
                name="assignment_skipped_is_released",
            ),
            models.UniqueConstraint(fields=["rater", "pair"], name="assignment_pair_once_for_rater"),
            models.UniqueConstraint(fields=["session", "position"], name="assignment_position_once"),
            models.CheckConstraint(
                condition=Q(propensity__gt=0) & Q(propensity__lte=1), name="assignment_propensity_is_probability"
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_expires_at"],
                name="assignment_open_leases",
                condition=Q(released_at__isnull=True, rated_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pair} for {self.rater}"
