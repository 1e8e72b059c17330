"""The comprehension check as its page knows it: answers in an order and under names that tell nothing.

Order and names come from the sitting and the secret key: the same after a reload, others for the next rater, and no
page says which answer is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.crypto import salted_hmac

from listening_tests.models import CheckQuestion, Session

_SALT = "listening_tests.comprehension"


@dataclass(frozen=True)
class CheckItem:
    """A question with its answers by name, in the order in which this sitting sees them."""

    question: CheckQuestion
    answers: Mapping[str, str]

    def is_right(self, name: str | None) -> bool:
        return name is not None and self.answers.get(name) == self.question.right_answer


def check_items(session: Session) -> list[CheckItem]:
    questions = CheckQuestion.objects.filter(test_id=session.test_id)
    return [CheckItem(question, _answers(session, question)) for question in questions]


def _answers(session: Session, question: CheckQuestion) -> dict[str, str]:
    texts = {question.right_answer, question.wrong_answer, question.other_wrong_answer} - {""}
    return dict(sorted((_name(session, question, text), text) for text in texts))


def _name(session: Session, question: CheckQuestion, text: str) -> str:
    return salted_hmac(_SALT, f"{session.uuid} {question.pk} {text}", algorithm="sha256").hexdigest()[:16]
