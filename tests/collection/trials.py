"""Tests whose raters have several clips before them, and what their pages send."""

import uuid
from typing import Any

from listening_tests.answers import Answer, Hearing
from listening_tests.choices import TestKind
from listening_tests.models import Assignment, Comparison, ListeningTest, Pair, Presentation, Rating, Session, Trial
from listening_tests.selectors import assignments_open
from listening_tests.services.ratings import RatingReceipt, rating_submit
from listening_tests.services.sessions import session_start
from listening_tests.services.trials import anchors_complete, trials_make
from tests.factories import make_caption, make_clip, make_pair, make_test

SYSTEMS = ("one", "two", "three")


def make_test_of(
    kind: str, *, n_captions: int = 3, systems: tuple[str, ...] = SYSTEMS, **fields: object
) -> ListeningTest:
    """An open test with a clip of each system for each caption, its trials made and their anchors hidden."""
    test = make_test(kind=kind, **fields)
    for _ in range(n_captions):
        caption = make_caption()
        for number, system in enumerate(systems, start=1):
            make_pair(test, caption=caption, system=system, clip=make_clip(duration_s=number))
    trials_make(test=test)
    anchors_complete(test=test)
    return test


def begin(test: ListeningTest) -> Session:
    return session_start(test=test, rater_uuid=uuid.uuid4())


def current(session: Session) -> Assignment:
    return assignments_open(session=session)[0]


def an_answer(assignment: Assignment, *, choice: str = "first", score: float = 7, **fields: Any) -> Answer:
    """Every clip heard to its end, and the same answer everywhere."""
    test = assignment.leased.test
    names = test.questions.values_list("name", flat=True)
    each = (choice,) if test.kind == TestKind.COMPARISON else (score,) * len(assignment.pairs)
    values = {
        "client_uuid": uuid.uuid4(),
        "given": dict.fromkeys(names, each),
        "heard": tuple(Hearing(1, pair.clip.duration_s or 0) for pair in assignment.pairs),
        "elapsed_s": 30.0,
    }
    return Answer(**values | fields)


def submit(session: Session, assignment: Assignment | None = None, **fields: Any) -> RatingReceipt:
    assignment = assignment or current(session)
    return rating_submit(session=session, assignment_uuid=assignment.uuid, answer=an_answer(assignment, **fields))


def body_of(state: dict[str, Any], **given: object) -> dict[str, object]:
    """What the page sends of the trial that it shows."""
    return {
        "assignment": state["next"]["assignment"],
        "client_uuid": str(uuid.uuid4()),
        "heard": [{"plays": 1, "heard_s": clip["duration_s"]} for clip in state["next"]["clips"]],
        "elapsed_s": 0.01,
    } | given


def everything() -> list[list[tuple[Any, ...]]]:
    """All rows of the tables that an answer changes: what was refused leaves them as they were."""
    models = (Rating, Comparison, Assignment, Presentation, Trial, Pair, Session)
    return [list(model.objects.order_by("pk").values_list()) for model in models]
