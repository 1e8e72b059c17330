"""Which answers of a test somebody wants: one set of filters for pages, the API and commands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from listening_tests.choices import PairRole
from listening_tests.exceptions import Refused
from listening_tests.kinds import kind_of
from listening_tests.models import Comparison, Exclusion, ListeningTest


@dataclass(frozen=True)
class WantedAnswers:
    """Filters; an empty one leaves nothing out. `role` is of the pair, of a comparison's trial. Answers that arrived at
    `since` or later, before `until`. Without `with_excluded` those that no rule leaves out.
    """

    question: str = ""
    role: str = ""
    rater: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    with_excluded: bool = True

    def __str__(self) -> str:
        told = [f"{name} {value}" for name in ("question", "role", "rater") if (value := getattr(self, name))]
        told += [f"{name} {value.isoformat()}" for name in ("since", "until") if (value := getattr(self, name))]
        return ", ".join([*told, "excluded ones too" if self.with_excluded else "without excluded ones"])


EVERY_ANSWER = WantedAnswers()


def answers_wanted(*, test: ListeningTest, wanted: WantedAnswers = EVERY_ANSWER) -> QuerySet[Any]:
    """The ratings or comparisons of a test that pass the filters, in no order.

    Raises Refused for a question that the test does not ask, and for a role that there is not.
    """
    model = kind_of(test).answers
    answers = model._default_manager.filter(test=test).order_by()
    if wanted.question:
        answers = answers.filter(question=_question(test, wanted.question))
    if wanted.role:
        if wanted.role not in PairRole.values:
            raise Refused(f"There is no role {wanted.role!r}. The roles are: {', '.join(PairRole.values)}.")
        answers = answers.filter(**{"trial__role" if model is Comparison else "pair__role": wanted.role})
    if wanted.rater:
        answers = answers.filter(rater__uuid=wanted.rater)
    if wanted.since:
        answers = answers.filter(submitted_at__gte=wanted.since)
    if wanted.until:
        answers = answers.filter(submitted_at__lt=wanted.until)
    if not wanted.with_excluded:
        answers = answers.filter(~is_left_out(model))
    return answers


def is_left_out(model: type[Any]) -> Exists:
    """That some rule leaves an answer out."""
    answer = "comparison" if model is Comparison else "rating"
    return Exists(Exclusion.objects.filter(**{answer: OuterRef("pk")}))


def _question(test: ListeningTest, name: str) -> int:
    keys = dict(test.questions.order_by("pk").values_list("name", "pk"))
    if name not in keys:
        raise Refused(f"The test {test.slug} asks no question {name!r}. Its questions are: {', '.join(keys)}.")
    return keys[name]
