"""The comprehension check before the first sound: two attempts, then the sitting ends without blame."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from listening_tests.comprehension import check_items
from listening_tests.models import Session
from listening_tests.services.patience import patiently
from listening_tests.services.sessions import session_lock, session_screen_out
from listening_tests.stages import Stage, stage_of

MOST_ATTEMPTS = 2


@dataclass(frozen=True)
class CheckReceipt:
    """The session as it is now; whether this attempt was counted, and then the keys of the questions that were
    answered wrongly. Of an attempt that is not counted nothing is said: by sending it over and over one could find out
    what is right.
    """

    session: Session
    counted: bool
    wrong: frozenset[int] = frozenset()


@patiently
@transaction.atomic
def check_submit(*, session: Session, attempt: int, answers: Mapping[int, str]) -> CheckReceipt:
    """Judges the answers, which are the names that the page gave them, by the keys of their questions.

    All right: the check is passed. Not so at the last attempt: the session ends as screened, and its pairs go to
    others. `attempt` counts from 1; an attempt that was counted before counts no more, and where the sitting stands
    elsewhere nothing changes.
    """
    session = session_lock(session_id=session.pk)
    if stage_of(session) != Stage.CHECK or attempt != session.check_attempts + 1:
        return CheckReceipt(session, counted=False)
    items = check_items(session)
    wrong = frozenset(item.question.pk for item in items if not item.is_right(answers.get(item.question.pk)))
    _count(session, is_passed=not wrong)
    return CheckReceipt(session, counted=True, wrong=wrong)


def _count(session: Session, *, is_passed: bool) -> None:
    session.check_attempts += 1
    session.needs_check = not is_passed
    session.save(update_fields=["check_attempts", "needs_check"])
    if not is_passed and session.check_attempts >= MOST_ATTEMPTS:
        session_screen_out(session=session)
