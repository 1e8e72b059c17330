"""A test's questions as the rater's page shows them: the numbers of a scale, their words, and how they are laid out."""

import math
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from listening_tests.default_texts import as_shown
from listening_tests.models import ListeningTest, Question

# More radio buttons than these are a line with steps.
MOST_RADIOS = 21
# So many numbers stand in a row on the narrowest phone, each 44 px wide.
MOST_IN_A_ROW = 6
# More buttons than these hold no words.
MOST_WITH_WORDS = 7
# On the narrowest phone a fifth of a row has room for a word, and for words, of so many letters.
LONGEST_WORD = 9
LONGEST_WORDS = 14


class Layout(StrEnum):
    """How a question is answered: buttons with numbers; buttons with numbers and words, side by side or, where the
    words are long, one below the other on a phone; a mark on a line.
    """

    NUMBERS = "numbers"
    WORDS = "words"
    LIST = "list"
    LINE = "line"


@dataclass(frozen=True)
class ScaleValue:
    """A value as it is sent and as it is shown, and the word for it, if it has one."""

    value: str
    text: str
    label: str


@dataclass(frozen=True)
class QuestionOnPage:
    """`between` are the values inside the scale that have a word; `values` all that can be chosen, none on a line."""

    name: str
    prompt: str
    layout: Layout
    step: str
    low: ScaleValue
    high: ScaleValue
    between: tuple[ScaleValue, ...]
    values: tuple[ScaleValue, ...]

    @property
    def columns(self) -> int:
        """Buttons in a row of a phone: rows of about the same length."""
        if self.layout == Layout.WORDS:
            return len(self.values)
        rows = math.ceil(len(self.values) / MOST_IN_A_ROW) or 1
        return math.ceil(len(self.values) / rows)

    @property
    def has_words_on_line(self) -> bool:
        """Whether there is room under a line for what its places mean."""
        is_short = len(self.between) <= MOST_WITH_WORDS and all(_fits_a_column(value.label) for value in self.between)
        return self.layout == Layout.LINE and is_short

    @property
    def has_words_inside(self) -> bool:
        """Whether the buttons themselves say what the ends mean."""
        return self.layout in (Layout.WORDS, Layout.LIST)


def questions_on_page(test: ListeningTest) -> list[QuestionOnPage]:
    """In the order in which they are asked and answered."""
    return [question_on_page(question) for question in test.questions.order_by("pk").prefetch_related("labels")]


def question_on_page(question: Question) -> QuestionOnPage:
    words = {label.value: as_shown(label.text) for label in question.labels.all()}
    words |= {
        value: as_shown(text)
        for value, text in ((question.scale_min, question.min_label), (question.scale_max, question.max_label))
        if text
    }
    values = [_scale_value(question, value, words) for value in _radios(question)]
    low, high = (_scale_value(question, value, words) for value in (question.scale_min, question.scale_max))
    ends = {question.scale_min, question.scale_max}
    return QuestionOnPage(
        name=question.name,
        prompt=as_shown(question.prompt),
        layout=_layout(values, has_words_between=bool(words.keys() - ends)),
        step=repr(question.scale_step),
        low=low,
        high=high,
        between=tuple(_scale_value(question, value, words) for value in sorted(words.keys() - ends)),
        values=tuple(values),
    )


def _radios(question: Question) -> list[float]:
    if question.is_continuous:
        return []
    n_steps = (question.scale_max - question.scale_min) / question.scale_step
    return question.values() if n_steps < MOST_RADIOS else []


def _layout(values: list[ScaleValue], *, has_words_between: bool) -> Layout:
    if not values:
        return Layout.LINE
    if not has_words_between or len(values) > MOST_WITH_WORDS:
        return Layout.NUMBERS
    fits = len(values) < MOST_IN_A_ROW and all(_fits_a_column(value.label) for value in values)
    return Layout.WORDS if fits else Layout.LIST


def _fits_a_column(label: str) -> bool:
    longest = max((_width(word) for word in label.split()), default=0)
    return longest <= LONGEST_WORD and _width(label) <= LONGEST_WORDS


def _width(text: str) -> int:
    """Letters as wide as Latin ones; East Asian ones are twice as wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _scale_value(question: Question, value: float, words: dict[float, str]) -> ScaleValue:
    text = _shown(value)
    # A third is shown with fewer digits than it is sent with.
    is_exact = question.holds(float(text))
    return ScaleValue(text if is_exact else repr(value), text, _word_for(value, words))


def _word_for(value: float, words: dict[float, str]) -> str:
    return next((text for known, text in words.items() if math.isclose(known, value, abs_tol=1e-9)), "")


def _shown(value: float) -> str:
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
