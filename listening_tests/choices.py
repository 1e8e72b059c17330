"""The closed lists of words that rows are described with."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class TestStatus(TextChoices):
    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    DRAFT = "draft", "Draft"
    OPEN = "open", "Open"
    PAUSED = "paused", "Paused"
    CLOSED = "closed", "Closed"


class TestKind(TextChoices):
    """What a rater does at one step of a sitting."""

    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    RATING = "rating", "Rating: one sound at a time, scored"
    COMPARISON = "comparison", "Paired comparison: two sounds, which one is better"
    SIDE_BY_SIDE = "side_by_side", "Side by side: several sounds of one caption, each scored"


class PilotStatus(TextChoices):
    """Where the simulated raters of a pilot are."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


ACTIVE_PILOT_STATUSES = frozenset({PilotStatus.QUEUED, PilotStatus.RUNNING})


class Choice(TextChoices):
    """The answer to a paired comparison: the sound in the first place, the one in the second, or neither."""

    FIRST = "first", "A"
    SECOND = "second", "B"
    NONE = "none", "No difference"


class PairRole(TextChoices):
    STUDY = "study", "Study"
    ANCHOR = "anchor", "Anchor"
    GOLD = "gold", "Gold"
    PRACTICE = "practice", "Practice"
    REPEAT = "repeat", "Hidden repeat"


# What is not given out by the draw and has no load: practice, which every rater gets, and the repeats of a sitting.
OUTSIDE_OF_K = frozenset({PairRole.PRACTICE, PairRole.REPEAT})


class Split(TextChoices):
    """A part of a data set that was split before its ratings came here."""

    TRAIN = "train", "Training"
    VALIDATION = "validation", "Validation"
    HELDOUT = "heldout", "Held out"


class Source(TextChoices):
    """Where a rating, or the rater who gave it, comes from."""

    COLLECTED = "collected", "Collected"
    IMPORTED = "imported", "Imported"
    SIMULATED = "simulated", "Simulated"


class SessionStatus(TextChoices):
    ACTIVE = "active", "Active"
    COMPLETE = "complete", "Complete"
    CUT_SHORT = "cut_short", "Cut short by the platform"
    SCREENED = "screened", "Ended by a check"
    WITHDRAWN = "withdrawn", "Withdrawn by the rater"


# A session in one of these states has nothing more to rate, counts as done, and is paid.
FINISHED_SESSION_STATUSES = frozenset({SessionStatus.COMPLETE, SessionStatus.CUT_SHORT})


class Outcome(TextChoices):
    """How it ended for a rater. Each has a completion code of its own, by which a recruiter tells them apart."""

    COMPLETE = "complete", "Complete"
    SCREENED_OUT = "screened_out", "Ended by a check"
    TECHNICAL_FAILURE = "technical_failure", "The sounds would not play"
    NO_CONSENT = "no_consent", "Did not agree to take part"


class PayVerdict(TextChoices):
    """Whether a rater is to be paid. It says nothing of whether their ratings are used."""

    PAY = "pay", "Pay"
    LOOK = "look", "Look first"
    NOT_YET = "not_yet", "Not finished"
    NO = "no", "Do not pay"


class WithdrawnRatings(TextChoices):
    """What becomes of the ratings of a rater who withdraws, as the consent text says."""

    DELETE = "delete", "Delete them"
    EXCLUDE = "exclude", "Keep them, but leave them out of every analysis"


class CheckOutcome(TextChoices):
    """A check has three outcomes: what could not be checked is never held against a rater."""

    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    UNCHECKED = "unchecked", "Could not be checked"


class ScreeningRuleName(TextChoices):
    """The rules that raters are screened by. modeling.screening holds their arithmetic, under the same names."""

    ANCHORS = "anchors", "Anchors"
    GOLD = "gold", "Gold pairs"
    TRAP = "trap", "Instructed traps"
    REPEATS = "repeats", "Hidden repeats"
    STRAIGHT_LINING = "straight-lining", "One answer in a row"
    LOW_VARIANCE = "low-variance", "Scores that hardly vary"
    TOO_FAST = "too-fast", "Too fast"
    PLAY_EVIDENCE = "play-evidence", "Played and heard"
    AGREEMENT = "agreement", "Agreement with the others"
    HEADPHONES = "headphones", "Headphone check"


class PutTogether(TextChoices):
    """How a rater's anchors become one number."""

    SUM = "sum", "their sum"
    MEAN = "mean", "their mean"
    ANY = "any", "the highest of them"


class HeadphoneCheck(TextChoices):
    """How a test finds out whether its raters listen with headphones."""

    NONE = "none", "None"
    ANTI_PHASE = "anti_phase", "Anti-phase tones (Woods et al. 2017)"
    HUGGINS = "huggins", "Huggins pitch (Milne et al. 2021)"


class ProblemKind(TextChoices):
    LOAD = "load", "The sound could not be loaded"
    DECODE = "decode", "The sound could not be played"
    OTHER = "other", "Something else"


# A report of one of these kinds comes with a skipped sound.
SKIP_KINDS = frozenset({ProblemKind.LOAD, ProblemKind.DECODE})


class ListeningDevice(TextChoices):
    HEADPHONES = "headphones", _("Headphones")
    EARPHONES = "earphones", _("Earphones")
    LOUDSPEAKERS = "loudspeakers", _("Loudspeakers")
    BUILT_IN = "built_in", _("The speaker of the phone, tablet or laptop")


class Surroundings(TextChoices):
    QUIET = "quiet", _("Quiet")
    SOME_NOISE = "some_noise", _("Some noise")
    NOISY = "noisy", _("Noisy")


class Role(TextChoices):
    """What an account of staff is in a test; roles.py says what each may do."""

    OWNER = "owner", "Owner: everything"
    ANALYST = "analyst", "Analyst: reads, screens, exports and trains, and sees no identities"
    ASSISTANT = "assistant", "Assistant: sets up, recruits and watches"


class AuditedAction(TextChoices):
    """What the audit log tells of."""

    CREATED = "created", "Created"
    CHANGED = "changed", "Changed"
    OPENED = "opened", "Opened"
    PAUSED = "paused", "Paused"
    CLOSED = "closed", "Closed"
    INGESTED = "ingested", "Took in clips"
    PILOTED = "piloted", "Piloted"
    SCREENED = "screened", "Screened"
    UNSCREENED = "unscreened", "Took a screening back"
    EXPORTED = "exported", "Exported"
    IMPORTED = "imported", "Imported"
    PAID = "paid", "Opened the pay list"
    TRAINED = "trained", "Asked for a run"
    PROMOTED = "promoted", "Put a model in use"
    MEMBERS = "members", "Changed who works on it"


class ClipImportStage(TextChoices):
    """What an upload of clips is on its way to: being looked at, or being taken in."""

    CHECK = "check", "Dry run"
    TAKE_IN = "take_in", "Taking in"


class ClipImportStatus(TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    CANCELLING = "cancelling", "Cancelling"
    CHECKED = "checked", "Ready to take in"
    REFUSED = "refused", "Rows to mend"
    DONE = "done", "Taken in"
    FAILED = "failed", "Failed"
    ERRORED = "errored", "Errored"
    CANCELLED = "cancelled", "Cancelled"


# Some process is at work, or is to be.
ACTIVE_CLIP_IMPORT_STATUSES = frozenset(
    {ClipImportStatus.QUEUED, ClipImportStatus.RUNNING, ClipImportStatus.CANCELLING}
)
# A person is to decide; the files wait.
WAITING_CLIP_IMPORT_STATUSES = frozenset({ClipImportStatus.CHECKED, ClipImportStatus.REFUSED})
ENDED_CLIP_IMPORT_STATUSES = frozenset(ClipImportStatus) - ACTIVE_CLIP_IMPORT_STATUSES - WAITING_CLIP_IMPORT_STATUSES


class FindingKind(TextChoices):
    """What a dry run says of a row. Only a problem keeps the rows from coming in."""

    PROBLEM = "problem", "To mend"
    STORED = "stored", "Sound stored before"
    REPEATED = "repeated", "Same sound as another row's"


class NoticeKind(TextChoices):
    """What owners of a test are told of by e-mail."""

    COMPLETE = "complete", "Complete"
    STALLED = "stalled", "Stalled"
    ALARM = "alarm", "A check fails"
