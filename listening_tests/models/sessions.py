"""A rater's sitting, and the pairs and trials that were kept for it."""

import uuid

from django.db import models
from django.db.models import Q

from listening_tests.choices import CheckOutcome, HeadphoneCheck, Outcome, SessionStatus
from listening_tests.models.listening_test import ListeningTest
from listening_tests.models.raters import Consent, Rater
from listening_tests.models.stimuli import Caption, Pair, Trial

# Of the headphone check, whichever way it is done.
HEADPHONE_TRIALS = 6


class Session(models.Model):
    """One rater's sitting at one test.

    `planned_count` is how many pairs it asks for, practice apart, `planned_repeats` of them hidden repeats. The sums
    over its ratings change only under this row's lock, with each rating, so that no request has to count.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="sessions")
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="sessions")
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, related_name="sessions")
    status = models.CharField(max_length=10, choices=SessionStatus, default=SessionStatus.ACTIVE)
    # Empty while it goes on. What a withdrawal finds here stays.
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True, default="", db_default="")
    planned_count = models.PositiveIntegerField()
    planned_repeats = models.PositiveSmallIntegerField(default=0, db_default=0)
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
    # As the test asked for it when this sitting began: its setting may change.
    headphone_check = models.CharField(max_length=10, choices=HeadphoneCheck, default=HeadphoneCheck.NONE)
    headphones = models.CharField(max_length=10, choices=CheckOutcome, default=CheckOutcome.UNCHECKED)
    headphone_attempts = models.PositiveSmallIntegerField(default=0)
    headphones_right = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Trials that were right at the last attempt."
    )
    headphones_at = models.DateTimeField(
        null=True, blank=True, help_text="When the check was done: passed, failed for good, or left."
    )
    # When the questionnaire at the end was answered or passed over: the code is shown from then on.
    questionnaire_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=SessionStatus.values), name="session_status_known"),
            models.CheckConstraint(condition=Q(outcome__in=["", *Outcome.values]), name="session_outcome_known"),
            models.CheckConstraint(condition=Q(left_right__in=CheckOutcome.values), name="session_left_right_known"),
            models.CheckConstraint(
                condition=Q(headphone_check__in=HeadphoneCheck.values), name="session_headphone_check_known"
            ),
            models.CheckConstraint(condition=Q(headphones__in=CheckOutcome.values), name="session_headphones_known"),
            models.CheckConstraint(
                condition=Q(headphones=CheckOutcome.UNCHECKED)
                | Q(headphones_right__isnull=False) & ~Q(headphone_check=HeadphoneCheck.NONE),
                name="session_headphones_outcome_has_its_check",
            ),
            models.CheckConstraint(
                condition=Q(headphones_right__isnull=True) | Q(headphones_right__lte=HEADPHONE_TRIALS),
                name="session_headphones_right_of_trials",
            ),
            # A second tab or a double click finds the sitting that is there.
            models.UniqueConstraint(
                fields=["test", "rater"], condition=Q(status="active"), name="session_one_active_for_rater"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rater} at {self.test}"

    @property
    def needs_headphone_check(self) -> bool:
        return self.headphone_check != HeadphoneCheck.NONE and self.headphones_at is None


class Assignment(models.Model):
    """A pair or a trial leased to a session. The lease is open until it is rated, skipped, released, or its time over.

    `propensity` is the probability with which it was drawn from those that could have come next.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="assignments")
    # Stands here too, so that the database itself refuses the same pair twice for one rater.
    rater = models.ForeignKey(Rater, on_delete=models.PROTECT, related_name="assignments")
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="assignments", null=True, blank=True)
    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="assignments", null=True, blank=True)
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
            models.CheckConstraint(
                condition=Q(pair__isnull=False, trial__isnull=True) | Q(pair__isnull=True, trial__isnull=False),
                name="assignment_of_pair_or_trial",
            ),
            models.UniqueConstraint(fields=["rater", "pair"], name="assignment_pair_once_for_rater"),
            models.UniqueConstraint(fields=["rater", "trial"], name="assignment_trial_once_for_rater"),
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
        return f"{self.leased} for {self.rater}"

    @property
    def leased(self) -> Pair | Trial:
        """What is given out by it."""
        leased = self.pair if self.trial_id is None else self.trial
        if leased is None:
            raise ValueError("An assignment gives out a pair or a trial.")
        return leased

    @property
    def leased_id(self) -> int:
        leased_id = self.pair_id if self.trial_id is None else self.trial_id
        if leased_id is None:
            raise ValueError("An assignment gives out a pair or a trial.")
        return leased_id

    @property
    def caption(self) -> Caption:
        return self.leased.caption

    @property
    def pairs(self) -> list[Pair]:
        """The pairs in the order in which this rater has them before them; of a trial, read with its presentations."""
        if self.pair is not None:
            return [self.pair]
        presented = sorted(self.presentations.all(), key=lambda presentation: presentation.place)
        return [presentation.pair for presentation in presented]


class Presentation(models.Model):
    """Where a pair of a trial stands before the rater of an assignment: at which place, from 1 on."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="presentations")
    place = models.PositiveSmallIntegerField()
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="presentations")

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "place"], name="presentation_place_once"),
            models.UniqueConstraint(fields=["assignment", "pair"], name="presentation_pair_once"),
            models.CheckConstraint(condition=Q(place__gte=1), name="presentation_place_counts_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.pair} at place {self.place}"
