"""The closed lists of words that rows are described with."""

from django.db.models import TextChoices


class TestStatus(TextChoices):
    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    DRAFT = "draft", "Draft"
    OPEN = "open", "Open"
    PAUSED = "paused", "Paused"
    CLOSED = "closed", "Closed"


class PairRole(TextChoices):
    STUDY = "study", "Study"
    ANCHOR = "anchor", "Anchor"
    GOLD = "gold", "Gold"
    PRACTICE = "practice", "Practice"


class Source(TextChoices):
    """Where a rating, or the rater who gave it, comes from."""

    COLLECTED = "collected", "Collected"
    IMPORTED = "imported", "Imported"
    SIMULATED = "simulated", "Simulated"


class SessionStatus(TextChoices):
    ACTIVE = "active", "Active"
    COMPLETE = "complete", "Complete"
    CUT_SHORT = "cut_short", "Cut short by the platform"
    SCREENED = "screened", "Ended by the comprehension check"
    WITHDRAWN = "withdrawn", "Withdrawn by the rater"


# A session in one of these states has nothing more to rate, counts as done, and is paid.
FINISHED_SESSION_STATUSES = frozenset({SessionStatus.COMPLETE, SessionStatus.CUT_SHORT})


class WithdrawnRatings(TextChoices):
    """What becomes of the ratings of a rater who withdraws, as the consent text says."""

    DELETE = "delete", "Delete them"
    EXCLUDE = "exclude", "Keep them, but leave them out of every analysis"


class CheckOutcome(TextChoices):
    """A check has three outcomes: what could not be checked is never held against a rater."""

    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    UNCHECKED = "unchecked", "Could not be checked"


class ProblemKind(TextChoices):
    LOAD = "load", "The sound could not be loaded"
    DECODE = "decode", "The sound could not be played"
    OTHER = "other", "Something else"


# A report of one of these kinds comes with a skipped sound.
SKIP_KINDS = frozenset({ProblemKind.LOAD, ProblemKind.DECODE})


class ListeningDevice(TextChoices):
    HEADPHONES = "headphones", "Headphones"
    EARPHONES = "earphones", "Earphones"
    LOUDSPEAKERS = "loudspeakers", "Loudspeakers"
    BUILT_IN = "built_in", "The speaker of the phone, tablet or laptop"


class Surroundings(TextChoices):
    QUIET = "quiet", "Quiet"
    SOME_NOISE = "some_noise", "Some noise"
    NOISY = "noisy", "Noisy"
