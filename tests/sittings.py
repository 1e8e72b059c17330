"""Sittings of tests of every kind, begun and answered by the services that raters' pages call."""

import uuid
from collections.abc import Callable

from listening_tests.answers import Answer, Hearing
from listening_tests.choices import TestKind
from listening_tests.models import Assignment, ListeningTest, Question, Session
from listening_tests.selectors import assignments_open
from listening_tests.services.ratings import rating_submit
from listening_tests.services.sessions import session_start
from listening_tests.services.trials import anchors_complete, trials_make
from tests.factories import make_caption, make_pair, make_test

SYSTEMS = ("mine", "other", "third")
# What a rater answers to a question about what lies before them, by place.
Choose = Callable[[Question, Assignment], tuple[object, ...]]


def make_test_of(
    kind: str, *, n_captions: int = 3, systems: tuple[str, ...] = SYSTEMS, **fields: object
) -> ListeningTest:
    """An open test with a clip of each system for each caption, and its trials."""
    test = make_test(kind=kind, **fields)
    for _ in range(n_captions):
        caption = make_caption()
        for system in systems:
            make_pair(test, caption=caption, system=system)
    trials_make(test=test)
    anchors_complete(test=test)
    return test


def answer_all(test: ListeningTest, choose: Choose, *, most: int = 1_000, elapsed_s: float = 30) -> Session:
    """A new rater who answers until nothing is left, or `most` times."""
    session = session_start(test=test, rater_uuid=uuid.uuid4())
    questions = list(test.questions.all())
    for _ in range(most):
        leases = assignments_open(session=session)
        if not leases:
            break
        heard = tuple(Hearing(plays=1, heard_s=pair.clip.duration_s or 0) for pair in leases[0].pairs)
        given = {question.name: choose(question, leases[0]) for question in questions}
        answer = Answer(uuid.uuid4(), given, heard, elapsed_s=elapsed_s)  # type: ignore[arg-type]
        rating_submit(session=session, assignment_uuid=leases[0].uuid, answer=answer)
        session.refresh_from_db()
    return session


def prefer(system: str) -> Choose:
    """The place of the system's clip where it is one of the two, else neither."""

    def choose(question: Question, lease: Assignment) -> tuple[object, ...]:
        systems = [pair.system for pair in lease.pairs]
        return (("first", "second")[systems.index(system)] if system in systems else "none",)

    return choose


def anything_in(kind: str) -> Choose:
    """An answer that is valid in this kind of test."""

    def choose(question: Question, lease: Assignment) -> tuple[object, ...]:
        return ("none",) if kind == TestKind.COMPARISON else (question.scale_max,) * len(lease.pairs)

    return choose
