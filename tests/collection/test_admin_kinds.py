"""The page of a test in the admin: its kind, its questions, their scales and the words on them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from listening_tests.choices import TestKind, TestStatus
from listening_tests.models import ListeningTest, Question, ScaleLabel
from listening_tests.models.listening_test import DEFAULT_INSTRUCTIONS
from listening_tests.services.questions import questions_create
from listening_tests.services.sessions import session_start
from listening_tests.standard_questions import STANDARD_QUESTIONS, USUAL_INSTRUCTIONS
from tests.collection.admin_pages import existing, form_of_test, make_rating, page
from tests.factories import make_pair, make_test
from tests.sittings import answer_all, anything_in, make_test_of

pytestmark = pytest.mark.django_db
EMPTY = dict.fromkeys(("prompt", "name", "scale_min", "scale_max", "scale_step", "min_label", "max_label"), "")
SETTLED = (
    "This test has clips, so its kind cannot change: it says what is given out of them. Make another test for another "
    "kind."
)
ANSWERED = (
    "Raters have answered in this test, so no question can be added or deleted: what was answered before would have "
    "other questions than what comes. Make another test for other questions."
)


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create(username="researcher", is_staff=True, is_superuser=True))
    return client


def questions(*rows: dict[str, object]) -> dict[str, object]:
    """What the page sends for its questions; those with an id were there before."""
    counts = {"TOTAL_FORMS": len(rows), "INITIAL_FORMS": sum("id" in row for row in rows)}
    fields = {f"{place}-{name}": value for place, row in enumerate(rows) for name, value in row.items()}
    return {f"questions-{name}": value for name, value in (counts | fields).items()}


def stored(question: Question, **changes: object) -> dict[str, object]:
    """What the page sends for a question that is there."""
    values = {name: getattr(question, name) for name in EMPTY}
    labels = "\r\n".join(f"{label.value:g} = {label.text}" for label in question.labels.all())
    return values | {"id": question.pk, "test": question.test_id, "labels_between": labels} | changes


def change(staff: Client, test: ListeningTest, *rows: dict[str, object], **changes: object) -> str:
    """The page that comes after saving, empty where all was saved."""
    sent = form_of_test(slug=test.slug, kind=test.kind, **changes) | questions(*rows)
    return staff.post(page("listeningtest_change", test.pk), sent).content.decode()


def add(staff: Client, *rows: dict[str, object], **changes: object) -> str:
    return staff.post(page("listeningtest_add"), form_of_test(**changes) | questions(*rows)).content.decode()


def labels_of(question: Question) -> list[tuple[float, str]]:
    return list(question.labels.values_list("value", "text"))


def test_it_works(staff: Client) -> None:
    """A test of three questions, of which two are ready-made, is made with one press."""
    shown = staff.get(page("listeningtest_add")).content.decode()
    assert "Audio quality, 1 to 5 (ITU-T P.800)" in shown
    own = {"prompt": "How loud is it?", "name": "loudness", "scale_min": 0, "scale_max": 1, "scale_step": 0}
    rows = (
        EMPTY | {"start_from": "relevance"},
        EMPTY | {"start_from": "quality-100"},
        EMPTY | own | {"labels_between": "0.5 = Just right\r\n\r\n0 = Silent"},
    )
    assert add(staff, *rows, kind=TestKind.SIDE_BY_SIDE) == ""

    test = ListeningTest.objects.get()
    assert test.kind == TestKind.SIDE_BY_SIDE
    relevance, quality, loudness = test.questions.order_by("pk")
    assert (relevance.name, relevance.prompt) == ("relevance", "How well does the caption match the sound?")
    assert (relevance.scale_min, relevance.scale_max, relevance.scale_step) == (0, 10, 1)
    assert (relevance.min_label, relevance.max_label) == ("does not match at all", "matches perfectly")
    assert (quality.name, quality.scale_max, quality.scale_step, quality.min_label) == ("quality-100", 100, 0, "")
    assert labels_of(quality) == [(10, "Bad"), (30, "Poor"), (50, "Fair"), (70, "Good"), (90, "Excellent")]
    assert (loudness.min_label, labels_of(loudness)) == ("", [(0, "Silent"), (0.5, "Just right")])


@pytest.mark.parametrize("standard", STANDARD_QUESTIONS.values(), ids=STANDARD_QUESTIONS)
@pytest.mark.parametrize("kind", TestKind.values)
def test_a_ready_made_question_suits_every_kind(staff: Client, kind: str, standard: object) -> None:
    assert add(staff, EMPTY | {"start_from": standard.name}, kind=kind) == ""  # type: ignore[attr-defined]
    question = Question.objects.get()
    assert question.prompt == standard.prompt_for(kind)  # type: ignore[attr-defined]
    on_scale = kind != TestKind.COMPARISON
    assert labels_of(question) == (list(standard.labels) if on_scale else [])  # type: ignore[attr-defined]
    shown = staff.get(page("listeningtest_change", question.test_id)).content.decode()
    assert ('name="questions-0-scale_min"' in shown) == on_scale
    assert ("so it has no scale" in shown) != on_scale
    assert change(staff, question.test, stored(question), title="Mended") == ""


def test_what_is_written_stands_before_what_it_starts_from(staff: Client) -> None:
    row = EMPTY | {"start_from": "quality", "prompt": "Mine?", "scale_max": 9}
    assert add(staff, row) == ""
    question = Question.objects.get()
    assert (question.prompt, question.name, question.scale_max) == ("Mine?", "quality", 9)
    # The words belong to the five steps that they come with.
    assert labels_of(question) == []


def test_an_empty_question_is_refused(staff: Client) -> None:
    told = "Write something here, or choose above what the question starts from."
    assert add(staff, EMPTY | {"start_from": ""}).count(told) >= 5
    assert not ListeningTest.objects.exists()


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ("Fair", "The line “Fair” is no label. Write a value and its word, such as 3 = Fair."),
        ("three = Fair", "The line “three = Fair” is no label. Write a value and its word, such as 3 = Fair."),
        ("nan = Fair", "The line “nan = Fair” is no label. Write a value and its word, such as 3 = Fair."),
        ("3 =", "The line “3 =” is no label. Write a value and its word, such as 3 = Fair."),
        ("3 = Fair\n3.0 = So so", "3 has two labels. Keep one of them."),
        ("6 = Superb", "The label at 6 is not on the scale from 1 to 5 in steps of 1."),
        ("2.5 = Meh", "The label at 2.5 is not on the scale from 1 to 5 in steps of 1."),
        ("1 = Awful", "1 has the label “Bad” of its end. Keep one of them."),
        (f"3 = {81 * 'x'}", "The label of 3 has 81 characters; the limit is 80."),
        (
            "\n".join(f"{number} = x" for number in range(22)),
            "A scale has at most 21 labels in between. Leave some out.",
        ),
    ],
)
def test_labels_that_cannot_stand_on_the_scale_are_refused(staff: Client, labels: str, sentence: str) -> None:
    test = make_test(status=TestStatus.DRAFT)
    test.questions.all().delete()
    (question,) = questions_create(test=test, standards=[STANDARD_QUESTIONS["quality"]])
    before = labels_of(question)
    assert sentence in change(staff, test, stored(question, labels_between=labels))
    assert labels_of(question) == before


def test_labels_of_a_continuous_scale_stand_anywhere_on_it(staff: Client) -> None:
    test = make_test(status=TestStatus.DRAFT)
    question = test.questions.get()
    fields = {"scale_step": 0, "scale_max": 100, "min_label": "", "max_label": ""}
    assert "The label at 100.5 is not on the scale from 0 to 100." in change(
        staff, test, stored(question, **fields, labels_between="100.5 = Over")
    )
    assert change(staff, test, stored(question, **fields, labels_between="0 = Bad\n33.3 = Fair\n100 = Best")) == ""
    assert labels_of(question) == [(0, "Bad"), (33.3, "Fair"), (100, "Best")]


def test_labels_stay_once_the_question_was_answered(staff: Client) -> None:
    test = make_test()
    test.questions.all().delete()
    (question,) = questions_create(test=test, standards=[STANDARD_QUESTIONS["quality"]])
    make_rating(make_pair(test), score=3)
    told = change(staff, test, stored(question, labels_between="3 = Middling"), consent_text=test.consent_text)
    assert (
        "This question has ratings, so its wording cannot change: the scores would mean something else. "
        "Make another test for another wording."
    ) in told
    assert labels_of(question) == [(2, "Poor"), (3, "Fair"), (4, "Good")]
    assert change(staff, test, stored(question), title="Same", consent_text=test.consent_text) == ""
    assert ScaleLabel.objects.count() == 3


def test_questions_are_added_and_taken_out_while_nobody_answered(staff: Client) -> None:
    test = make_test()
    first = test.questions.get()
    assert change(staff, test, stored(first), EMPTY | {"start_from": "inclusion"}) == ""
    assert set(test.questions.values_list("name", flat=True)) == {"relevance", "inclusion"}
    second = test.questions.get(name="inclusion")
    assert change(staff, test, stored(first, DELETE="on"), stored(second)) == ""
    assert test.questions.get() == second


def test_a_test_asks_at_least_one_question(staff: Client) -> None:
    test = make_test()
    told = change(staff, test, stored(test.questions.get(), DELETE="on"))
    assert "A test asks at least one question. Keep one, or change it instead." in told
    assert test.questions.count() == 1


def test_two_questions_of_one_name_are_refused(staff: Client) -> None:
    told = add(staff, EMPTY | {"start_from": "order"}, EMPTY | {"start_from": "order", "prompt": "Again?"})
    assert "Two questions have the name order. Give each a name of its own." in told
    assert not ListeningTest.objects.exists()


@pytest.mark.parametrize("kind", TestKind.values)
def test_what_is_asked_stays_once_raters_answered(staff: Client, kind: str) -> None:
    test = make_test_of(kind)
    answer_all(test, anything_in(kind), most=1)
    question = test.questions.get()
    same = {"consent_text": test.consent_text}
    assert ANSWERED in change(staff, test, stored(question), EMPTY | {"start_from": "order"}, **same)
    assert test.questions.get() == question
    assert (
        f"Raters answered the question “{question}”, so it cannot be deleted: its answers would go with it."
        in change(staff, test, stored(question, DELETE="on"), EMPTY | {"start_from": "order"}, **same)
    )
    assert test.questions.get() == question
    assert "so its wording cannot change" in change(staff, test, stored(question, prompt="Other?"), **same)
    assert change(staff, test, stored(question), title="Mended", **same) == ""


def test_what_is_asked_stays_while_a_rater_has_it_on_the_page(staff: Client) -> None:
    test = make_test_of(TestKind.RATING)
    session = session_start(test=test, rater_uuid=test.uuid)
    question = test.questions.get()
    rows = stored(question), EMPTY | {"start_from": "order"}
    assert (
        "A rater has the questions of this test on the page just now, so none can be added or deleted: the "
        "answer would be refused. Pause the test, and try again in 30 minutes."
    ) in change(staff, test, *rows, consent_text=test.consent_text)
    assert test.questions.count() == 1
    session.assignments.update(lease_expires_at=session.started_at)
    assert change(staff, test, *rows, consent_text=test.consent_text) == ""


def test_the_kind_changes_until_there_are_clips(staff: Client) -> None:
    test = make_test(status=TestStatus.DRAFT)
    assert staff.post(page("listeningtest_change", test.pk), existing(test, kind="comparison")).status_code == 302
    test.refresh_from_db()
    assert test.kind == TestKind.COMPARISON
    # Back again from a page that shows no scale: what is stored stays.
    row = stored(test.questions.get())
    for name in ("scale_min", "scale_max", "scale_step"):
        del row[name]
    test.kind = TestKind.SIDE_BY_SIDE
    assert change(staff, test, row) == ""
    assert (test.questions.get().scale_max, ListeningTest.objects.get().kind) == (10, TestKind.SIDE_BY_SIDE)


def test_the_kind_stays_once_there_are_clips(staff: Client) -> None:
    test = make_test_of(TestKind.COMPARISON, status=TestStatus.DRAFT)
    shown = staff.get(page("listeningtest_change", test.pk)).content.decode()
    assert SETTLED in shown
    response = staff.post(page("listeningtest_change", test.pk), existing(test, kind="rating", title="New"))
    assert response.status_code == 200 and SETTLED in response.content.decode()
    test.refresh_from_db()
    assert (test.kind, test.title != "New") == (TestKind.COMPARISON, True)
    # A field that cannot be changed is not sent.
    sent = existing(test, title="New")
    del sent["kind"]
    assert staff.post(page("listeningtest_change", test.pk), sent).status_code == 302
    test.refresh_from_db()
    assert (test.kind, test.title) == (TestKind.COMPARISON, "New")


@pytest.mark.parametrize("kind", TestKind.values)
def test_the_usual_instructions_suit_the_kind(staff: Client, kind: str) -> None:
    sent = DEFAULT_INSTRUCTIONS.replace(". Use", ".\r\nUse")
    assert add(staff, EMPTY | {"start_from": "order"}, kind=kind, instructions=DEFAULT_INSTRUCTIONS) == ""
    assert ListeningTest.objects.get().instructions == USUAL_INSTRUCTIONS[kind]
    ListeningTest.objects.all().delete()
    assert add(staff, EMPTY | {"start_from": "order"}, kind=kind, instructions=sent) == ""
    assert ListeningTest.objects.get().instructions == sent
