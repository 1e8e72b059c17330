"""Tests that a script makes. What may be changed of them later, services/locks.py says."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction

from listening_tests.choices import Role
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.models.listening_test import DEFAULT_INSTRUCTIONS
from listening_tests.services.locks import ChangeRefused, change_faults
from listening_tests.services.members import member_put
from listening_tests.services.questions import questions_create
from listening_tests.standard_questions import STANDARD_QUESTIONS, USUAL_INSTRUCTIONS, USUAL_QUESTION


@transaction.atomic
def draft_create(
    *,
    owner: AbstractBaseUser,
    fields: Mapping[str, Any],
    questions: Sequence[str] = (),
    excluded_tests: Iterable[ListeningTest] = (),
) -> ListeningTest:
    """A draft of `owner` with these columns, which asks the ready-made questions of these names, else the usual one.

    Raises Refused where the address is taken, ChangeRefused where columns do not go together.
    """
    test = ListeningTest(**fields)
    if test.instructions == DEFAULT_INSTRUCTIONS:
        test.instructions = USUAL_INSTRUCTIONS.get(test.kind, test.instructions)
    faults = change_faults(test=test, changes=fields)
    if faults:
        raise ChangeRefused(test, faults, done="made")
    _save(test)
    test.excluded_tests.set(excluded_tests)
    questions_create(test=test, standards=[STANDARD_QUESTIONS[name] for name in questions] or [USUAL_QUESTION])
    member_put(test=test, user=owner, role=Role.OWNER)
    return test


def _save(test: ListeningTest) -> None:
    try:
        with transaction.atomic():
            test.save()
    except IntegrityError as error:
        raise Refused(f"There is a test {test.slug} already. Choose another address.") from error
