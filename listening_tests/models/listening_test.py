"""A listening test and the questions it asks."""

import hashlib
import secrets
import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from listening_tests.choices import TestStatus, WithdrawnRatings

DEFAULT_INSTRUCTIONS = (
    "You will hear short sounds. For each, read the caption and say how well it describes what you hear. "
    "Use headphones if you have them, in a quiet place."
)
DEFAULT_CONSENT = (
    "Your scores are stored under a random number, without your name, and are used for research on sound and language. "
    "You may stop at any time, and you may withdraw."
)
# No 0/O, 1/I: people copy this code by hand.
_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_completion_code() -> str:
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(8))


class ListeningTest(models.Model):
    """A set of pairs of clip and caption, shown to raters under one set of rules."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=80, unique=True, help_text="The test's address: raters go to /t/ADDRESS/.")
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=TestStatus, default=TestStatus.DRAFT)
    instructions = models.TextField(default=DEFAULT_INSTRUCTIONS)
    consent_text = models.TextField(default=DEFAULT_CONSENT)
    consent_version = models.PositiveIntegerField(
        default=1, help_text="Raise it with every change of the consent text: each rater's version is recorded."
    )
    withdrawn_ratings = models.CharField(
        "ratings of who withdraws",
        max_length=10,
        choices=WithdrawnRatings,
        default=WithdrawnRatings.DELETE,
        help_text="Said to raters beside the consent text.",
    )
    contact_email = models.EmailField(blank=True, help_text="Shown to raters on every page.")
    ratings_per_pair = models.PositiveIntegerField(
        "ratings per pair (k)", default=4, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    pairs_per_session = models.PositiveIntegerField(
        default=20, validators=[MinValueValidator(1), MaxValueValidator(500)]
    )
    lease_minutes = models.PositiveIntegerField(
        default=30,
        validators=[MinValueValidator(1)],
        help_text="How long a pair is kept for a rater before it is given to somebody else.",
    )
    break_after_minutes = models.PositiveIntegerField(
        default=20, help_text="A break is offered after so many minutes of rating; 0 offers none."
    )
    completion_code = models.CharField(max_length=40, default=new_completion_code)
    is_simulated = models.BooleanField(default=False, help_text="Its raters are simulated; every page says so.")
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=TestStatus.values), name="test_status_known"),
            models.CheckConstraint(
                condition=Q(withdrawn_ratings__in=WithdrawnRatings.values), name="test_withdrawn_ratings_known"
            ),
            models.CheckConstraint(condition=Q(ratings_per_pair__gte=1), name="test_ratings_per_pair_positive"),
            models.CheckConstraint(condition=Q(pairs_per_session__gte=1), name="test_pairs_per_session_positive"),
            models.CheckConstraint(condition=Q(lease_minutes__gte=1), name="test_lease_minutes_positive"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def consent_terms(self) -> str:
        """What raters agree to, in short: another version, text or treatment of withdrawn ratings gives another."""
        terms = f"{self.consent_version}\n{self.withdrawn_ratings}\n{self.consent_text}"
        return hashlib.sha256(terms.encode()).hexdigest()[:16]


class Question(models.Model):
    """What is asked about each pair, and the scale of the answer."""

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="questions")
    name = models.SlugField(max_length=40, default="relevance")
    prompt = models.CharField(max_length=300, default="How well does the caption match the sound?")
    scale_min = models.FloatField(default=0)
    scale_max = models.FloatField(default=10)
    scale_step = models.FloatField(default=1)
    min_label = models.CharField(max_length=80, default="does not match at all")
    max_label = models.CharField(max_length=80, default="matches perfectly")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test", "name"], name="question_name_once_in_test"),
            models.CheckConstraint(condition=Q(scale_min__lt=F("scale_max")), name="question_scale_ascends"),
            models.CheckConstraint(condition=Q(scale_step__gt=0), name="question_step_positive"),
        ]

    def __str__(self) -> str:
        return self.prompt

    def holds(self, score: float) -> bool:
        """Whether `score` is one of this scale's values."""
        steps = (score - self.scale_min) / self.scale_step
        return self.scale_min <= score <= self.scale_max and abs(steps - round(steps)) < 1e-9

    def values(self) -> list[float]:
        """Every value of the scale, ascending."""
        count = int((self.scale_max - self.scale_min) / self.scale_step + 1e-9) + 1
        return [self.scale_min + index * self.scale_step for index in range(count)]
