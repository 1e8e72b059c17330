"""How a question's scale is laid out on the rater's page."""

import pytest

from listening_tests.models import Question, ScaleLabel
from listening_tests.question_page import Layout, QuestionOnPage, question_on_page, questions_on_page
from tests.factories import make_test

pytestmark = pytest.mark.django_db


def laid_out(words: dict[float, str] | None = None, **fields: object) -> QuestionOnPage:
    question = make_test().questions.get()
    Question.objects.filter(pk=question.pk).update(**fields)
    for value, text in (words or {}).items():
        ScaleLabel.objects.create(question=question, value=value, text=text)
    return question_on_page(Question.objects.get(pk=question.pk))


def test_it_works() -> None:
    """Earmark's own question: numbers in two rows on a phone, and words for the ends."""
    question = laid_out()
    assert (question.layout, question.columns) == (Layout.NUMBERS, 6)
    assert [value.text for value in question.values] == [str(number) for number in range(11)]
    assert (question.low.label, question.high.label) == ("does not match at all", "matches perfectly")
    assert question.between == ()


def test_short_words_stand_in_the_buttons() -> None:
    words = {2: "Poor", 3: "Fair", 4: "Good"}
    question = laid_out(words, scale_min=1, scale_max=5, min_label="Bad", max_label="Excellent")
    assert (question.layout, question.columns) == (Layout.WORDS, 5)
    assert [value.label for value in question.values] == ["Bad", "Poor", "Fair", "Good", "Excellent"]


@pytest.mark.parametrize("words", [{3: "Slightly annoying"}, {3: "Imperceptible"}, {3: "非常に良い"}])
def test_long_words_stand_one_below_the_other(words: dict[float, str]) -> None:
    question = laid_out(words, scale_min=1, scale_max=5, min_label="Bad", max_label="Good")
    assert question.layout == Layout.LIST


def test_many_numbers_have_their_words_above_them() -> None:
    question = laid_out({5: "half of it"})
    assert question.layout == Layout.NUMBERS
    assert [(value.text, value.label) for value in question.between] == [("5", "half of it")]


@pytest.mark.parametrize(("highest", "step", "columns"), [(7, 1, 4), (9, 1, 5), (5, 1, 6), (4, 1, 5), (1, 0.1, 6)])
def test_rows_of_about_the_same_length(highest: float, step: float, columns: int) -> None:
    assert laid_out(scale_min=0, scale_max=highest, scale_step=step).columns == columns


def test_numbers_are_shown_short_and_sent_as_the_scale_has_them() -> None:
    tenths = laid_out(scale_max=1, scale_step=0.1)
    assert [(value.value, value.text) for value in tenths.values[2:4]] == [("0.2", "0.2"), ("0.3", "0.3")]
    thirds = laid_out(scale_max=1, scale_step=1 / 3)
    assert (thirds.values[1].value, thirds.values[1].text) == (repr(1 / 3), "0.333333")
    assert laid_out(scale_min=-1, scale_max=1).values[0].text == "-1"


@pytest.mark.parametrize("step", [0, 1])
def test_a_continuous_scale_and_one_of_many_steps_are_a_line(step: float) -> None:
    question = laid_out({10: "Bad"}, scale_max=100, scale_step=step)
    assert (question.layout, question.values, float(question.step)) == (Layout.LINE, (), step)
    assert question.has_words_on_line
    assert not laid_out({10: "Not as good as one might wish"}, scale_max=100, scale_step=step).has_words_on_line


def test_an_empty_label_stays_empty() -> None:
    question = laid_out(min_label="", max_label="")
    assert (question.low.label, question.high.label) == ("", "")


def test_questions_come_in_the_order_in_which_they_are_asked() -> None:
    test = make_test()
    Question.objects.create(test=test, name="another")
    assert [question.name for question in questions_on_page(test)] == ["relevance", "another"]
