"""What raters hear and read: clips, captions, pairs of them within a test, and trials of several pairs."""

import hashlib
import random
import uuid
from pathlib import Path

from django.db import models
from django.db.models import F, Q

from listening_tests.choices import OUTSIDE_OF_K, PairRole, Split
from listening_tests.models.listening_test import ListeningTest


def new_shuffle_key() -> float:
    return random.random()  # noqa: S311 -- a draw among pairs, not a secret


def original_path(clip: "Clip", filename: str) -> str:
    return _by_content("clips", clip, filename)


def rendition_path(clip: "Clip", filename: str) -> str:
    return _by_content("renditions", clip, filename)


def _by_content(folder: str, clip: "Clip", filename: str) -> str:
    if clip.sha256 is None:
        raise ValueError("A clip without a sha256 has no files.")
    return f"{folder}/{clip.sha256[:2]}/{clip.sha256}{Path(filename).suffix.lower()}"


class Clip(models.Model):
    """A recording, addressed by the sha256 of its file, shared by every test that uses it.

    `original` is what a model hears, `rendition` the loudness-normalised file that raters hear. Both, the sha256 and
    what was measured are missing only where ratings were imported without audio.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sha256 = models.CharField(max_length=64, unique=True, null=True, blank=True)
    # Of a sound that is not here: what imported ratings say its sha256 is, so that it is known when it comes.
    named_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    name = models.CharField(max_length=500, help_text="The file's name where it came from.")
    original = models.FileField(upload_to=original_path, max_length=200, blank=True)
    rendition = models.FileField(upload_to=rendition_path, max_length=200, blank=True)
    duration_s = models.FloatField("duration (s)", null=True, blank=True)
    sample_rate_hz = models.PositiveIntegerField("sample rate (Hz)", null=True, blank=True)
    channels = models.PositiveSmallIntegerField(null=True, blank=True)
    loudness_lufs = models.FloatField(
        "loudness (LUFS)", null=True, blank=True, help_text="Missing where the clip is too short or too quiet to gate."
    )
    true_peak_dbtp = models.FloatField("true peak (dBTP)", null=True, blank=True)
    gain_db = models.FloatField("gain of the rendition (dB)", null=True, blank=True)
    is_silent = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__isnull=True) | (~Q(original="") & ~Q(rendition="") & Q(duration_s__gt=0)),
                name="clip_with_sha256_has_its_files",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Caption(models.Model):
    """A text that may or may not describe a clip, kept letter by letter as it came in."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    text = models.TextField()
    language = models.CharField(max_length=20, default="en")
    # The text may be longer than an index entry can be, so its hash stands for it.
    text_sha256 = models.CharField(max_length=64, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["text_sha256", "language"], name="caption_once"),
            models.CheckConstraint(condition=~Q(text=""), name="caption_not_empty"),
        ]

    def __str__(self) -> str:
        return self.text

    @staticmethod
    def digest(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()


class Leased(models.Model):
    """What is given out to raters: a pair, or a trial of several.

    `load` counts answers plus open leases and changes only under this row's lock, so that what comes next is found by
    an index and never exceeds the test's k. `shuffle_key` is drawn anew with each lease: among equally loaded rows the
    lowest key comes next, which is a draw at random.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    test = models.ForeignKey(ListeningTest, on_delete=models.CASCADE, related_name="%(class)ss")
    caption = models.ForeignKey(Caption, on_delete=models.PROTECT, related_name="%(class)ss")
    role = models.CharField(max_length=10, choices=PairRole, default=PairRole.STUDY)
    load = models.PositiveIntegerField(default=0, editable=False)
    shuffle_key = models.FloatField(default=new_shuffle_key, editable=False)

    class Meta:
        abstract = True


class Pair(Leased):
    """A clip and a caption within a test: the thing that is rated.

    A hidden repeat is a pair of its own, of the role repeat, with the clip and the caption of the pair that it repeats:
    so a rater's second score of a sound is told from the first wherever scores are read.
    """

    clip = models.ForeignKey(Clip, on_delete=models.PROTECT, related_name="pairs")
    system = models.CharField(max_length=120, blank=True, help_text="The text-to-audio system that made the clip.")
    source_id = models.CharField(
        max_length=200, blank=True, help_text="Clips with the same source are never split between training and test."
    )
    expected_min = models.FloatField(null=True, blank=True)
    expected_max = models.FloatField(null=True, blank=True)
    own_split = models.CharField(
        "split of its data set",
        max_length=10,
        choices=Split,
        null=True,
        blank=True,
        help_text="Where the pair came with a data set that is split already.",
    )
    repeat_of = models.ForeignKey(
        "self", on_delete=models.CASCADE, related_name="repeats", null=True, blank=True, editable=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["test", "clip", "caption"], condition=Q(repeat_of__isnull=True), name="pair_once_in_test"
            ),
            models.UniqueConstraint(fields=["repeat_of"], name="pair_repeated_once"),
            models.CheckConstraint(
                condition=Q(repeat_of__isnull=True) & ~Q(role=PairRole.REPEAT)
                | Q(repeat_of__isnull=False, role=PairRole.REPEAT),
                name="pair_repeat_has_its_original",
            ),
            models.CheckConstraint(
                condition=Q(own_split__isnull=True) | Q(own_split__in=Split.values), name="pair_own_split_known"
            ),
            models.CheckConstraint(condition=Q(role__in=PairRole.values), name="pair_role_known"),
            models.CheckConstraint(
                condition=Q(expected_min__isnull=True)
                | Q(expected_max__isnull=True)
                | Q(expected_min__lte=F("expected_max")),
                name="pair_expected_range_ascends",
            ),
        ]
        indexes = [
            # Walked from its start by every lease: least rated first, ties at random.
            models.Index(
                fields=["test", "load", "shuffle_key"], name="pair_next", condition=~Q(role__in=sorted(OUTSIDE_OF_K))
            ),
            models.Index(fields=["test", "role"], name="pair_by_role"),
        ]

    def __str__(self) -> str:
        return f"{self.clip} / {self.caption}"


class Trial(Leased):
    """Several pairs of one caption that are judged together: two in a comparison, all of them side by side."""

    pairs = models.ManyToManyField(Pair, through="TrialPair", related_name="trials")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(role__in=PairRole.values), name="trial_role_known")]
        indexes = [
            models.Index(
                fields=["test", "load", "shuffle_key"], name="trial_next", condition=~Q(role=PairRole.PRACTICE)
            ),
            models.Index(fields=["test", "caption"], name="trial_by_caption"),
        ]

    def __str__(self) -> str:
        return f"Trial of {self.caption}"


class TrialPair(models.Model):
    """That a pair is judged in a trial."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="members")
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="trial_places")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trial", "pair"], name="trial_pair_once")]

    def __str__(self) -> str:
        return f"{self.pair} in {self.trial}"
