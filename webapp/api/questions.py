"""Which question an address asks about."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question


class QuestionFilter(serializers.Serializer[Any]):
    question = serializers.SlugField(required=False, max_length=40, help_text="By its name; else the first one.")


def question_named(*, test: ListeningTest, name: str | None) -> Question | None:
    """The test's question of this name, else its first, or None where it asks none. Raises Refused for an unknown."""
    questions = {question.name: question for question in test.questions.order_by("id")}
    chosen = name_chosen(list(questions), name, slug=test.slug)
    return None if chosen is None else questions[chosen]


def name_chosen(questions: Sequence[str], name: str | None, *, slug: str) -> str | None:
    """As `question_named`, of the questions by their names, in their order."""
    if not name:
        return questions[0] if questions else None
    if name in questions:
        return name
    asked = ", ".join(questions) or "none"
    raise Refused(f"The test {slug} asks no question '{name}'. Its questions are: {asked}.")


def question_asked(request: Request, test: ListeningTest) -> Question | None:
    """Of the address. Raises Refused, and ValidationError for what can be no name."""
    filters = QuestionFilter(data=request.query_params)
    filters.is_valid(raise_exception=True)
    return question_named(test=test, name=filters.validated_data.get("question"))
