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


# A session in one of these states has nothing more to rate, counts as done, and is paid.
FINISHED_SESSION_STATUSES = frozenset({SessionStatus.COMPLETE, SessionStatus.CUT_SHORT})
