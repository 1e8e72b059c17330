"""A listening test and the questions it asks."""

import hashlib
import secrets
import uuid

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from listening_tests.choices import HeadphoneCheck, TestKind, TestStatus, WithdrawnRatings
from listening_tests.default_texts import default_text
from listening_tests.recruiters import PLAIN, recruiter_choices

DEFAULT_INSTRUCTIONS = default_text(
    "You will hear short sounds. For each, read the caption and say how well it describes what you hear. "
    "Use headphones if you have them, in a quiet place."
)
DEFAULT_CONSENT = default_text(
    "Your scores are stored under a random number, without your name, and are used for research on sound and language. "
    "You may stop at any time, and you may withdraw."
)
# A score may be off its step by this part of a step, as by the rounding of floats. The database holds to it too.
LARGEST_STEP_ERROR = 1e-9
# No 0/O, 1/I: people copy this code by hand.
_CODE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def new_completion_code() -> str:
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(8))


class ListeningTest(models.Model):
    """A set of pairs of clip and caption, shown to raters under one set of rules."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=80, unique=True, help_text="The test's address: raters go to /t/ADDRESS/.")
    title = models.CharField(max_length=200)
    kind = models.CharField(
        max_length=12,
        choices=TestKind,
        default=TestKind.RATING,
        help_text="What raters do. It stays as it is once the test has clips.",
    )
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
    headphone_check = models.CharField(
        max_length=10,
        choices=HeadphoneCheck,
        default=HeadphoneCheck.NONE,
        help_text="After the sound set-up, of sittings that begin from now on. What it finds is kept with the sitting.",
    )
    headphones_required = models.BooleanField(
        default=False,
        help_text="Who fails the check twice cannot rate. Without this it keeps nobody from rating. "
        "What could not be checked is never held against a rater.",
    )
    repeats_per_session = models.PositiveSmallIntegerField(
        "hidden repeats a session",
        default=0,
        db_default=0,
        validators=[MaxValueValidator(20)],
        help_text="So many sounds of a sitting come a second time, later in it and unmarked. Only where sounds are "
        "rated one at a time.",
    )
    opens_at = models.DateTimeField(
        "opens on", null=True, blank=True, help_text="UTC. A draft is opened then by itself. Empty: by hand."
    )
    opens_forced = models.BooleanField(
        "also where something advised is missing",
        default=False,
        db_default=False,
        help_text="What the checklist says is essential is needed in any case.",
    )
    # Why it was not opened on its date; empty once it was opened, or where another date was set.
    opening_refused = models.TextField(blank=True, default="", db_default="", editable=False)
    closes_at = models.DateTimeField(
        "closes on", null=True, blank=True, help_text="UTC. It is closed then for good. Empty: by hand."
    )
    recruiter = models.CharField(
        max_length=20,
        choices=recruiter_choices,
        default=PLAIN,
        help_text="Where raters are invited. It decides how they go back there, and how the pay list is written.",
    )
    completion_code = models.CharField(
        "code: complete",
        max_length=40,
        default=new_completion_code,
        help_text="For who rated everything, or got no more sounds because the platform had none left.",
    )
    screened_out_code = models.CharField(
        "code: screened out",
        max_length=40,
        blank=True,
        default=new_completion_code,
        help_text="For who was ended by a check before the first sound. Without a code they are asked to return the "
        "study.",
    )
    no_consent_code = models.CharField(
        "code: no consent",
        max_length=40,
        blank=True,
        default=new_completion_code,
        help_text="For who does not want to take part.",
    )
    technical_failure_code = models.CharField(
        "code: technical failure",
        max_length=40,
        blank=True,
        default=new_completion_code,
        help_text="For whom the sounds would not play. Without a code they get the one for complete.",
    )
    max_raters = models.PositiveIntegerField(
        "most raters",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Empty: as many as come. Counted are those who finished, and those who have sounds in hand.",
    )
    excluded_tests = models.ManyToManyField(
        "self",
        symmetrical=False,
        blank=True,
        related_name="excluding_tests",
        verbose_name="not for raters of",
        help_text="Who took part in one of these tests cannot begin: known by the recruiter's id, or by the browser.",
    )
    reward = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Paid for a whole sitting.",
    )
    screened_out_reward = models.DecimalField(
        "reward when screened out",
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="Paid to whom a check ended. Empty: they are asked to return the study, and are not paid.",
    )
    currency = models.CharField(
        max_length=3,
        default="GBP",
        validators=[RegexValidator("^[A-Z]{3}$", "A currency is three capital letters, such as GBP, USD, EUR or JPY.")],
    )
    is_simulated = models.BooleanField(default=False, help_text="Its raters are simulated; every page says so.")
    pilot_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="pilots", null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=TestKind.values), name="test_kind_known"),
            models.CheckConstraint(condition=Q(status__in=TestStatus.values), name="test_status_known"),
            models.CheckConstraint(
                condition=Q(withdrawn_ratings__in=WithdrawnRatings.values), name="test_withdrawn_ratings_known"
            ),
            models.CheckConstraint(
                condition=Q(headphone_check__in=HeadphoneCheck.values), name="test_headphone_check_known"
            ),
            models.CheckConstraint(
                condition=Q(headphones_required=False) | ~Q(headphone_check=HeadphoneCheck.NONE),
                name="test_headphones_required_are_checked",
            ),
            models.CheckConstraint(condition=Q(ratings_per_pair__gte=1), name="test_ratings_per_pair_positive"),
            models.CheckConstraint(condition=Q(pairs_per_session__gte=1), name="test_pairs_per_session_positive"),
            models.CheckConstraint(condition=Q(lease_minutes__gte=1), name="test_lease_minutes_positive"),
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True) | Q(closes_at__isnull=True) | Q(opens_at__lt=F("closes_at")),
                name="test_opens_before_it_closes",
            ),
            models.CheckConstraint(
                condition=Q(pilot_of__isnull=True) | Q(is_simulated=True), name="test_pilot_is_simulated"
            ),
            models.CheckConstraint(
                condition=Q(max_raters__isnull=True) | Q(max_raters__gte=1), name="test_max_raters_positive"
            ),
            models.CheckConstraint(
                condition=(Q(reward__isnull=True) | Q(reward__gte=0))
                & (Q(screened_out_reward__isnull=True) | Q(screened_out_reward__gte=0)),
                name="test_rewards_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def consent_terms(self) -> str:
        """What raters agree to, in short: another version, text or treatment of withdrawn ratings gives another."""
        terms = f"{self.consent_version}\n{self.withdrawn_ratings}\n{self.consent_text}"
        return hashlib.sha256(terms.encode()).hexdigest()[:16]


class Question(models.Model):
    """What is asked about each pair, and the scale of the answer.

    A step of 0 is a continuous scale. A comparison is answered by a choice: its question's scale is not used.
    """

    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="questions")
    name = models.SlugField(max_length=40, default="relevance")
    prompt = models.CharField(max_length=300, default=default_text("How well does the caption match the sound?"))
    scale_min = models.FloatField(default=0)
    scale_max = models.FloatField(default=10)
    scale_step = models.FloatField(default=1, help_text="0 for a continuous scale.")
    min_label = models.CharField(max_length=80, blank=True, default=default_text("does not match at all"))
    max_label = models.CharField(max_length=80, blank=True, default=default_text("matches perfectly"))

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["test", "name"], name="question_name_once_in_test"),
            models.CheckConstraint(condition=Q(scale_min__lt=F("scale_max")), name="question_scale_ascends"),
            models.CheckConstraint(condition=Q(scale_step__gte=0), name="question_step_not_negative"),
            # Ratings carry the scale of their question, and refer to it by all of these: so the database refuses a
            # scale that is not the question's, a question of another test, and a change of a scale that was used.
            models.UniqueConstraint(
                fields=["id", "test", "scale_min", "scale_max", "scale_step"], name="question_with_its_scale"
            ),
            models.UniqueConstraint(fields=["id", "test"], name="question_with_its_test"),
        ]

    def __str__(self) -> str:
        return self.prompt

    @property
    def is_continuous(self) -> bool:
        return self.scale_step == 0

    def holds(self, score: float) -> bool:
        """Whether `score` is one of this scale's values."""
        is_within = self.scale_min <= score <= self.scale_max  # NaN is not.
        if self.is_continuous or not is_within:
            return is_within
        steps = (score - self.scale_min) / self.scale_step
        return abs(steps - round(steps)) < LARGEST_STEP_ERROR

    def values(self) -> list[float]:
        """Every value of the scale, ascending; none where it is continuous."""
        if self.is_continuous:
            return []
        count = int((self.scale_max - self.scale_min) / self.scale_step + 1e-9) + 1
        return [self.scale_min + index * self.scale_step for index in range(count)]


class ScaleLabel(models.Model):
    """A word for a value in between the ends of a scale, such as "fair" for 3 of 1 to 5."""

    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="labels")
    value = models.FloatField()
    text = models.CharField(max_length=80)

    class Meta:
        ordering = ["value"]
        constraints = [models.UniqueConstraint(fields=["question", "value"], name="scale_label_once_for_value")]

    def __str__(self) -> str:
        return f"{self.value:g}: {self.text}"
