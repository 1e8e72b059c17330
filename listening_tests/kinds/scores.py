"""Scores on the scales of a test's questions: read, checked, and made into ratings."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from listening_tests.answers import ONLY_QUESTION, Given, Hearing, row_uuid
from listening_tests.exceptions import Refused
from listening_tests.kinds.kind import AnswerRow, Submission
from listening_tests.models import Question, Rating
from listening_tests.request_json import LONGEST_S, MOST_PLAYS, malformed


def answered(questions: Sequence[Question], given: Given) -> list[tuple[Question, tuple[Any, ...]]]:
    """Each question with its answers by place. Raises Refused unless exactly the test's questions are answered."""
    by_name = dict(given)
    if set(by_name) == {ONLY_QUESTION} and len(questions) == 1:
        by_name = {questions[0].name: by_name[ONLY_QUESTION]}
    if set(by_name) != {question.name for question in questions}:
        count = len(questions)
        raise Refused(
            ngettext(
                "This test asks %(count)d question. Answer it, and nothing else.",
                "This test asks %(count)d questions. Answer each of them, and nothing else.",
                count,
            )
            % {"count": count}
        )
    return [(question, by_name[question.name]) for question in questions]


def refuse_wrong_places(answers: Sequence[object], n_places: int) -> None:
    if len(answers) != n_places:
        raise Refused(_("Not every sound has its answer. Reload the page and answer for each of them."))


def refuse_off_scale(question: Question, score: float) -> None:
    if question.holds(score):
        return
    values = {"score": f"{score:g}", "low": f"{question.scale_min:g}", "high": f"{question.scale_max:g}"}
    if question.is_continuous:
        sentence = _("The score %(score)s is not on the scale from %(low)s to %(high)s. Set a mark on the line.")
    else:
        values["step"] = f"{question.scale_step:g}"
        sentence = _(
            "The score %(score)s is not on the scale from %(low)s to %(high)s in steps of %(step)s. "
            "Choose one of the numbers shown."
        )
    raise Refused(sentence % values)


def refuse_unless_scores(*, questions: Sequence[Question], given: Given, n_places: int) -> None:
    for question, scores in answered(questions, given):
        refuse_wrong_places(scores, n_places)
        for score in scores:
            refuse_off_scale(question, score)


def rating_rows(submission: Submission, *, in_places: bool) -> list[AnswerRow]:
    """A row for each question and each pair; `in_places` where pairs stand beside others."""
    rows: list[AnswerRow] = []
    assignment, answer = submission.assignment, submission.answer
    for question, scores in answered(submission.questions, answer.given):
        for place, (pair, score, hearing) in enumerate(zip(assignment.pairs, scores, answer.heard, strict=True), 1):
            rows.append(
                Rating(
                    client_uuid=row_uuid(answer.client_uuid, len(rows)),
                    pair=pair,
                    trial_id=assignment.trial_id,
                    place=place if in_places else None,
                    question=question,
                    score=score,
                    scale_min=question.scale_min,
                    scale_max=question.scale_max,
                    scale_step=question.scale_step,
                    plays=hearing.plays,
                    # A union of played seconds is never longer than the clip, whatever a player counts.
                    heard_s=min(hearing.heard_s, pair.clip.duration_s or 0),
                    **submission.shared,
                )
            )
    return rows


def by_question(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The object under `name` of a request's body, one entry a question. Raises Malformed."""
    values = data.get(name)
    if not isinstance(values, dict) or not values:
        raise malformed("rating", {name: "Enter an answer for each question."})
    return values


def number(name: str, value: object) -> float:
    """Raises Malformed where it is no finite number."""
    if type(value) is not float or not math.isfinite(value):
        raise malformed("rating", {name: "Enter a number."})
    return value


def hearings(data: Mapping[str, Any]) -> tuple[Hearing, ...]:
    """How each clip was heard, by place: `heard` of a request's body. Raises Malformed."""
    listed = data.get("heard")
    if not isinstance(listed, list) or not listed:
        raise malformed("rating", {"heard": "Enter how each sound was heard."})
    return tuple(_hearing(each if isinstance(each, dict) else {}) for each in listed)


def _hearing(each: Mapping[str, Any]) -> Hearing:
    plays, heard_s = number("plays", each.get("plays")), number("heard_s", each.get("heard_s"))
    if not (plays.is_integer() and 0 <= plays <= MOST_PLAYS and 0 <= heard_s <= LONGEST_S):
        raise malformed("rating", {"heard": "Enter how each sound was heard."})
    return Hearing(int(plays), heard_s)
