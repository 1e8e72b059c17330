"""Questions that the field asks about text and audio, ready-made: with their scale, and in words for each kind of test;
and what raters of each kind are told first.

- Overall relevance, inclusion of events and order of events, 0 to 10: the three questions of RELATE
  (arXiv 2506.23582), in our words.
- Audio quality from 1 to 5: the listening-quality scale of absolute category rating, ITU-T P.800, annex B.
- Audio quality from 0 to 100, continuous: the quality scale of MUSHRA, ITU-R BS.1534-3, whose five equal bands carry
  the same words; each stands here at the middle of its band.

Prompts and labels are marked for translation: where a test asks them letter by letter, a catalogue can hold them.
"""

from dataclasses import dataclass

from listening_tests.choices import TestKind
from listening_tests.default_texts import default_text
from listening_tests.exceptions import Refused
from listening_tests.models.listening_test import DEFAULT_INSTRUCTIONS

_NOT_AT_ALL = default_text("not at all")
_PERFECTLY = default_text("perfectly")
_BAD = default_text("Bad")
_POOR = default_text("Poor")
_FAIR = default_text("Fair")
_GOOD = default_text("Good")
_EXCELLENT = default_text("Excellent")
# What raters are told first, where nobody wrote something else.
USUAL_INSTRUCTIONS: dict[str, str] = {
    TestKind.RATING: DEFAULT_INSTRUCTIONS,
    TestKind.COMPARISON: default_text(
        "You will hear short sounds, always two of them for one caption. Hear both, and say which one is better. "
        "Use headphones if you have them, in a quiet place."
    ),
    TestKind.SIDE_BY_SIDE: default_text(
        "You will hear short sounds, always several of them for one caption. Hear all of them, and give each a score. "
        "Use headphones if you have them, in a quiet place."
    ),
}


@dataclass(frozen=True)
class StandardQuestion:
    """What is asked under `name`, and on which scale; a `scale_step` of 0 is a continuous one.

    `title` is for staff. `labels` are the words in between the ends, by value. `comparison` is the prompt where two
    sounds are compared, which needs no scale.
    """

    name: str
    title: str
    prompt: str
    comparison: str
    scale_min: float = 0
    scale_max: float = 10
    scale_step: float = 1
    min_label: str = _NOT_AT_ALL
    max_label: str = _PERFECTLY
    labels: tuple[tuple[float, str], ...] = ()

    def prompt_for(self, kind: str) -> str:
        return self.comparison if kind == TestKind.COMPARISON else self.prompt


_ALL = (
    StandardQuestion(
        name="relevance",
        title="Overall relevance, 0 to 10",
        prompt=default_text("How well does the caption match the sound?"),
        comparison=default_text("Which sound matches the caption better?"),
        min_label=default_text("does not match at all"),
        max_label=default_text("matches perfectly"),
    ),
    StandardQuestion(
        name="inclusion",
        title="Inclusion of events, 0 to 10",
        prompt=default_text("How completely does the sound contain what the caption names?"),
        comparison=default_text("Which sound contains what the caption names more completely?"),
        min_label=default_text("contains nothing of it"),
        max_label=default_text("contains all of it"),
    ),
    StandardQuestion(
        name="order",
        title="Order of events, 0 to 10",
        prompt=default_text("How well does the order of events in the sound follow the caption?"),
        comparison=default_text("In which sound does the order of events follow the caption better?"),
    ),
    StandardQuestion(
        name="quality",
        title="Audio quality, 1 to 5 (ITU-T P.800)",
        prompt=default_text("How good is the quality of the sound, whatever the caption says?"),
        comparison=default_text("Which sound has the better quality, whatever the caption says?"),
        scale_min=1,
        scale_max=5,
        min_label=_BAD,
        max_label=_EXCELLENT,
        labels=((2, _POOR), (3, _FAIR), (4, _GOOD)),
    ),
    StandardQuestion(
        name="quality-100",
        title="Audio quality, 0 to 100 without steps (ITU-R BS.1534)",
        prompt=default_text("How good is the quality of the sound, whatever the caption says?"),
        comparison=default_text("Which sound has the better quality, whatever the caption says?"),
        scale_max=100,
        scale_step=0,
        min_label="",
        max_label="",
        labels=((10, _BAD), (30, _POOR), (50, _FAIR), (70, _GOOD), (90, _EXCELLENT)),
    ),
)
STANDARD_QUESTIONS = {question.name: question for question in _ALL}
# What a new test asks, of whatever kind.
USUAL_QUESTION = STANDARD_QUESTIONS["relevance"]


def standard_question(name: str) -> StandardQuestion:
    """Raises Refused where there is none of this name."""
    if name not in STANDARD_QUESTIONS:
        raise Refused(f"There is no question {name!r}. Choose among {', '.join(STANDARD_QUESTIONS)}.")
    return STANDARD_QUESTIONS[name]
