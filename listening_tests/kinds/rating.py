"""Ratings of one clip at a time against its caption, on one scale or several."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from listening_tests.answers import ONLY_QUESTION, Given, Hearing
from listening_tests.kinds.kind import AnswerRow, Group, Submission
from listening_tests.kinds.leased import PAIRS
from listening_tests.kinds.scores import by_question, number, rating_rows, refuse_unless_scores
from listening_tests.models import Pair, Question, Rating, Trial
from listening_tests.request_json import LONGEST_S, MOST_PLAYS, cleaned, strays


class _HeardForm(forms.Form):
    plays = forms.IntegerField(min_value=0, max_value=MOST_PLAYS)
    heard_s = forms.FloatField(min_value=0, max_value=LONGEST_S)


class _ScoreForm(_HeardForm):
    score = forms.FloatField()


class RatingKind:
    """The body of an answer has `plays` and `heard_s`, and `score` in a test with one question, or `scores`: a number
    for each question's name.
    """

    name = "rating"
    leased = PAIRS
    answers = Rating

    def read(self, data: Mapping[str, Any]) -> tuple[Given, tuple[Hearing, ...]]:
        form = _HeardForm if "scores" in data else _ScoreForm
        values = cleaned(form({**data, **strays(data, ("score", "plays", "heard_s"))}), "rating")
        heard = (Hearing(values["plays"], values["heard_s"]),)
        if "scores" in data:
            return {name: (number(name, score),) for name, score in by_question(data, "scores").items()}, heard
        return {ONLY_QUESTION: (values["score"],)}, heard

    def refuse_unless_valid(self, *, questions: Sequence[Question], given: Given, n_places: int) -> None:
        refuse_unless_scores(questions=questions, given=given, n_places=n_places)

    def rows(self, submission: Submission) -> list[AnswerRow]:
        return rating_rows(submission, in_places=False)

    def groups(self, pairs: Sequence[Pair]) -> list[Group]:
        return []

    def order(self, trial: Trial, pairs: Sequence[Pair]) -> list[Pair]:
        return list(pairs)
