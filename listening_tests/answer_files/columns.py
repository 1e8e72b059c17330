"""The columns of an exported answer: name, type, meaning, and the path to its value from a rating or a comparison.

docs/EXPORT.md holds the table that `dictionary` makes of them; a test compares the two.
"""

from dataclasses import dataclass
from enum import StrEnum

from listening_tests.choices import ScreeningRuleName


class Type(StrEnum):
    """What a value is. In CSV and JSONL times are ISO 8601 texts; `json` is a JSON text in each of the formats."""

    TEXT = "text"
    UUID = "uuid"
    NUMBER = "number"
    INTEGER = "integer"
    TRUTH = "true or false"
    TIME = "time"
    JSON = "json"


@dataclass(frozen=True)
class Column:
    """`rating` and `comparison` are paths as querysets know them, empty where such a row has no value.

    A path that ends with an @name is no field: services/exports.py says what stands there.
    """

    name: str
    type: Type
    meaning: str
    rating: str = ""
    comparison: str = ""


def _both(name: str, kind: Type, meaning: str, path: str = "") -> Column:
    return Column(name, kind, meaning, path or name, path or name)


def _pair(prefix: str, rating: str, comparison: str, which: str) -> tuple[Column, ...]:
    """The columns of a pair; `which` is what their meanings call it."""

    def column(name: str, kind: Type, path: str, meaning: str) -> Column:
        of_rating = f"{rating}__{path}" if rating else ""
        return Column(prefix + name, kind, meaning.format(which), of_rating, f"{comparison}__{path}")

    return (
        column("pair_uuid", Type.UUID, "uuid", "The {}: a clip and a caption in this test."),
        column(
            "clip_sha256",
            Type.TEXT,
            "clip__@known_sha256",
            "SHA-256 of the original sound file of the {}; also where only it is known.",
        ),
        column("clip_name", Type.TEXT, "clip__name", "The file's name where the clip of the {} came from."),
        column("duration_s", Type.NUMBER, "clip__duration_s", "Length of the clip of the {} in seconds."),
        column("system", Type.TEXT, "system", "The text-to-audio system that made the clip of the {}."),
        column(
            "source_id",
            Type.TEXT,
            "source_id",
            "What the clip of the {} was made from; clips of one source are kept in one split.",
        ),
        column("role", Type.TEXT, "role", "What the {} is for: study, anchor, gold, practice or repeat."),
        column("expected_min", Type.NUMBER, "expected_min", "Lowest score that is expected of the {}."),
        column("expected_max", Type.NUMBER, "expected_max", "Highest score that is expected of the {}."),
        column(
            "own_split",
            Type.TEXT,
            "own_split",
            "Split of the {} in the data set that it came with: train, validation or heldout.",
        ),
    )


# Which rule each column of outcomes tells of. They stand last.
CHECKS: dict[Column, ScreeningRuleName] = {
    _both(
        f"check_{rule.value.replace('-', '_')}",
        Type.TEXT,
        f"What screening found of the rater by the rule “{rule.label}”: passed, failed or unchecked. Empty where the "
        "rule could check nobody.",
    ): rule
    for rule in ScreeningRuleName
}
COLUMNS: tuple[Column, ...] = (
    _both("answer_uuid", Type.UUID, "The answer: one row of a file, and one of the database.", "uuid"),
    _both("client_uuid", Type.UUID, "Made in the rater's browser; a repeated delivery carries it again."),
    _both("answer_kind", Type.TEXT, "rating (a score) or comparison (a choice).", "@answer_kind"),
    _both("source", Type.TEXT, "Where the answer comes from: collected, imported or simulated."),
    _both("test", Type.TEXT, "Address of the test below /t/.", "test__slug"),
    _both("test_kind", Type.TEXT, "What the test asks: rating, comparison or side_by_side.", "test__kind"),
    _both("is_simulated", Type.TRUTH, "Whether the raters of the test are simulated.", "test__is_simulated"),
    _both(
        "rater",
        Type.UUID,
        "The rater, as a pseudonym: the same at every test. Who they are is in no file.",
        "rater__uuid",
    ),
    _both("session_uuid", Type.UUID, "The sitting. Empty where the answer was imported.", "assignment__session__uuid"),
    _both(
        "session_status",
        Type.TEXT,
        "What became of the sitting: active, complete, cut_short, screened or withdrawn.",
        "assignment__session__status",
    ),
    _both(
        "left_right",
        Type.TEXT,
        "Outcome of the check of left and right in the sound set-up: passed, failed or unchecked.",
        "assignment__session__left_right",
    ),
    _both(
        "check_attempts",
        Type.INTEGER,
        "How often the questions on the instructions were answered.",
        "assignment__session__check_attempts",
    ),
    _both(
        "consent_version",
        Type.INTEGER,
        "Version of the consent text that the rater agreed to.",
        "assignment__session__consent__version",
    ),
    _both(
        "device",
        Type.TEXT,
        "How the rater says they listened: headphones, earphones, loudspeakers or built_in.",
        "assignment__session__questionnaire__device",
    ),
    _both(
        "surroundings",
        Type.TEXT,
        "Where the rater says they listened: quiet, some_noise or noisy.",
        "assignment__session__questionnaire__surroundings",
    ),
    _both(
        "assignment_uuid", Type.UUID, "What was given to the rater: a pair, or a trial of several.", "assignment__uuid"
    ),
    _both("position", Type.INTEGER, "At which place of the sitting it was given, from 1 on.", "assignment__position"),
    _both(
        "propensity",
        Type.NUMBER,
        "Probability with which it was drawn from what could have come next.",
        "assignment__propensity",
    ),
    _both("leased_at", Type.TIME, "When it was given.", "assignment__leased_at"),
    _both(
        "trial_uuid", Type.UUID, "The pairs that were judged together. Empty where pairs stand alone.", "trial__uuid"
    ),
    _both("trial_role", Type.TEXT, "What the trial is for: study, anchor, gold or practice.", "trial__role"),
    Column("place", Type.INTEGER, "Where the clip stood among those of its trial, from 1 on.", "place"),
    _both("question", Type.TEXT, "Name of the question.", "question__name"),
    _both("prompt", Type.TEXT, "What the rater was asked.", "question__prompt"),
    Column("scale_min", Type.NUMBER, "Lowest score of the scale.", "scale_min", "question__scale_min"),
    Column("scale_max", Type.NUMBER, "Highest score of the scale.", "scale_max", "question__scale_max"),
    Column(
        "scale_step", Type.NUMBER, "Step of the scale; 0 where it is continuous.", "scale_step", "question__scale_step"
    ),
    _both("min_label", Type.TEXT, "Word at the lower end of the scale.", "question__min_label"),
    _both("max_label", Type.TEXT, "Word at the upper end of the scale.", "question__max_label"),
    _both(
        "scale_labels",
        Type.JSON,
        "Words in between: a list of [value, word]. Empty where there are none.",
        "@scale_labels",
    ),
    Column(
        "score", Type.NUMBER, "What the rater answered, on the scale of the question; empty in a comparison.", "score"
    ),
    Column(
        "choice",
        Type.TEXT,
        "first, second or none: which of two clips is better, as they stood before the rater.",
        comparison="choice",
    ),
    Column(
        "caption",
        Type.TEXT,
        "What the rater read, letter by letter.",
        "pair__caption__text",
        "first__caption__text",
    ),
    Column(
        "language",
        Type.TEXT,
        "Language of the caption, as a tag such as en.",
        "pair__caption__language",
        "first__caption__language",
    ),
    *_pair("", "pair", "first", "pair (of a comparison: the first)"),
    Column("plays", Type.INTEGER, "How often the clip was started.", "plays", "first_plays"),
    Column(
        "heard_s", Type.NUMBER, "Seconds of the clip that were heard, each counted once.", "heard_s", "first_heard_s"
    ),
    *_pair("other_", "", "second", "second pair of a comparison"),
    Column("other_plays", Type.INTEGER, "How often the second clip of a comparison was started.", "", "second_plays"),
    Column("other_heard_s", Type.NUMBER, "Seconds of the second clip that were heard.", "", "second_heard_s"),
    _both("shown_at", Type.TIME, "When the clips were shown, by the server's clock."),
    _both("submitted_at", Type.TIME, "When the answer arrived."),
    _both("late", Type.TRUTH, "Whether it came after its lease had ended."),
    _both("too_soon", Type.TRUTH, "Whether it came sooner than its clips could have been heard."),
    _both(
        "exclusions",
        Type.JSON,
        "Why analyses leave the answer out: a list of {rule, version, reason}. Empty where none does.",
        "@exclusions",
    ),
    *CHECKS,
)
NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)
BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}


def dictionary() -> str:
    """The table of all columns, in Markdown."""
    lines = ["| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{column.name}` | {column.type} | {column.meaning} |" for column in COLUMNS]
    return "\n".join(lines)
