"""The comprehension check as its page knows it: answers in an order and under names that tell nothing.

Order and names come from the sitting and the secret key: the same after a reload, others for the next rater, and no
page says which answer is right.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.core import signing
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


@dataclass(frozen=True)
class Verdict:
    """What was answered at the attempt that was counted last, and what of it was wrong, by the questions' keys."""

    answers: Mapping[int, str]
    wrong: frozenset[int]


def verdict_write(session: Session, answers: Mapping[int, str], wrong: Iterable[int]) -> str:
    """For the address of the page that tells the rater: signed, so that nobody can ask what else is wrong."""
    return signing.dumps([_stand(session), list(answers.items()), list(wrong)], salt=_SALT, compress=True)


def verdict_read(session: Session, text: str) -> Verdict | None:
    """None where the address is not ours, or tells of another attempt."""
    try:
        stand, answers, wrong = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    return Verdict(dict(answers), frozenset(wrong)) if stand == _stand(session) else None


def _stand(session: Session) -> str:
    return f"{session.uuid} {session.check_attempts}"


def check_items(session: Session) -> list[CheckItem]:
    questions = CheckQuestion.objects.filter(test_id=session.test_id)
    return [CheckItem(question, _answers(session, question)) for question in questions]


def _answers(session: Session, question: CheckQuestion) -> dict[str, str]:
    texts = {question.right_answer, question.wrong_answer, question.other_wrong_answer} - {""}
    return dict(sorted((_name(session, question, text), text) for text in texts))


def _name(session: Session, question: CheckQuestion, text: str) -> str:
    return salted_hmac(_SALT, f"{session.uuid} {question.pk} {text}", algorithm="sha256").hexdigest()[:16]
