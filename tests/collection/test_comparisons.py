"""Paired comparisons over HTTP: what the page is given, what it sends, what is stored and what is refused."""

import uuid

import pytest

from listening_tests.choices import TestKind
from listening_tests.models import Assignment, Comparison, ListeningTest, Question
from tests.collection.sitting import current_state, send, start_sitting
from tests.collection.trials import begin, body_of, everything, make_test_of, submit

pytestmark = pytest.mark.django_db

HEARD = {"plays": 1, "heard_s": 3.0}


@pytest.fixture
def test() -> ListeningTest:
    return make_test_of(TestKind.COMPARISON, n_captions=2)


@pytest.fixture
def state(client, test):
    start_sitting(client, test)
    return current_state(client, test)


@pytest.fixture
def sent(state):
    return body_of(state, choices={"relevance": "second"})


def test_it_works(client, test, state, sent):
    sent["heard"] = [{"plays": 2, "heard_s": 100}, {"plays": 1, "heard_s": 100}]
    response = send(client, test, sent)
    assert response.status_code == 201
    row = Comparison.objects.get()
    assignment = Assignment.objects.get(uuid=sent["assignment"])
    assert [row.first, row.second] == assignment.pairs
    assert set(assignment.pairs) == set(row.trial.pairs.all())
    assert (row.choice, row.question.name, str(row.client_uuid)) == ("second", "relevance", sent["client_uuid"])
    assert (row.assignment, row.trial, row.trial.load) == (assignment, assignment.trial, 1)
    assert (row.first_plays, row.second_plays, row.late) == (2, 1, False)
    # A union of played seconds is never longer than its clip.
    assert [row.first_heard_s, row.second_heard_s] == [pair.clip.duration_s for pair in assignment.pairs]
    assert response.json()["next"] == state["ahead"][0]
    assert (response.json()["saved"], response.json()["planned"]) == (1, 6)


def test_what_the_page_is_given(client, test, state):
    assert set(state["next"]) == {"assignment", "position", "practice", "caption", "language", "clips"}
    assert [set(clip) for clip in state["next"]["clips"]] == [{"audio", "duration_s"}] * 2
    assignment = Assignment.objects.get(uuid=state["next"]["assignment"])
    assert [clip["audio"] for clip in state["next"]["clips"]] == [
        f"/t/{test.slug}/audio/{assignment.uuid}/{place}/" for place in (1, 2)
    ]
    assert [clip["duration_s"] for clip in state["next"]["clips"]] == [
        pair.clip.duration_s for pair in assignment.pairs
    ]
    assert state["next"]["caption"] == assignment.caption.text
    assert len(state["ahead"]) == 2


@pytest.mark.parametrize("choice", ["first", "second", "none"])
def test_each_choice(client, test, sent, choice):
    assert send(client, test, sent | {"choices": {"relevance": choice}}).status_code == 201
    assert Comparison.objects.get().choice == choice


def test_several_questions(client, test, state):
    Question.objects.create(test=test, name="quality")
    sent = body_of(state, choices={"quality": "none", "relevance": "first"})
    assert send(client, test, sent).status_code == 201
    assert list(Comparison.objects.order_by("pk").values_list("question__name", "choice")) == [
        *(("relevance", "first"), ("quality", "none")),
    ]
    assert Comparison.objects.order_by("pk")[0].trial.load == 1
    assert send(client, test, sent).status_code == 200
    assert Comparison.objects.count() == 2


def test_a_repeat_is_answered_alike_and_stored_once(client, test, sent):
    first, second = send(client, test, sent), send(client, test, sent)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Comparison.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"choices": {"relevance": "none"}},
            "This rating was saved before with another score. The first one is kept.",
        ),
        (
            {"client_uuid": str(uuid.uuid4())},
            "You have rated this sound before. The first score is kept. Reload the page to go on.",
        ),
    ],
)
def test_another_answer_is_a_conflict(client, test, sent, change, sentence):
    send(client, test, sent)
    before = everything()
    response = send(client, test, sent | change)
    assert (response.status_code, response.json()["error"]) == (409, sentence)
    assert everything() == before


def test_a_uuid_that_was_used_for_another_trial(client, test, sent):
    after = send(client, test, sent).json()
    before = everything()
    again = body_of(after, choices={"relevance": "first"}, client_uuid=sent["client_uuid"])
    response = send(client, test, again)
    assert response.status_code == 409
    assert response.json()["error"] == "This rating was saved before for another sound. The first one is kept."
    assert everything() == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"choices": {"relevance": "both"}},
            'The answer "both" is none of the three: A, B, or no difference.',
        ),
        (
            {"choices": {"relevance": "First"}},
            'The answer "First" is none of the three: A, B, or no difference.',
        ),
        ({"choices": {"quality": "first"}}, "This test asks 1 question. Answer it, and nothing else."),
        (
            {"choices": {"relevance": "first", "quality": "first"}},
            "This test asks 1 question. Answer it, and nothing else.",
        ),
        (
            {"heard": [HEARD, {"plays": 0, "heard_s": 3}]},
            "Please listen to the whole sound before you rate it.",
        ),
        (
            {"heard": [{"plays": 1, "heard_s": 0.2}, HEARD]},
            "Please listen to the whole sound before you rate it.",
        ),
        (
            {"heard": [HEARD]},
            "The page did not say how the sound was played. Reload the page and rate it again.",
        ),
        (
            {"heard": [HEARD] * 3},
            "The page did not say how the sound was played. Reload the page and rate it again.",
        ),
        (
            {"assignment": "6c8b9a52-9f0e-4f3c-9a37-0c9a3a7f1b11"},
            "This sound was not given to you. Reload the page to go on.",
        ),
    ],
)
def test_refusals(client, test, sent, change, sentence):
    before = everything()
    response = send(client, test, sent | change)
    assert (response.status_code, response.json()["error"]) == (422, sentence)
    assert everything() == before


def test_a_question_that_came_since(client, test, sent):
    Question.objects.create(test=test, name="quality")
    response = send(client, test, sent)
    assert response.status_code == 422
    assert response.json()["error"] == "This test asks 2 questions. Answer each of them, and nothing else."
    assert not Comparison.objects.exists()


def test_a_repeat_of_what_was_asked_then(client, test, sent):
    """A question that came since is no reason to refuse what was stored, and perhaps never acknowledged."""
    send(client, test, sent)
    Question.objects.create(test=test, name="quality")
    assert send(client, test, sent).status_code == 200
    assert Comparison.objects.count() == 1


def test_the_trial_of_another_rater(client, test, sent):
    elsewhere = begin(test)
    theirs = elsewhere.assignments.earliest("pk")
    before = everything()
    response = send(client, test, sent | {"assignment": str(theirs.uuid)})
    assert response.status_code == 422
    assert response.json()["error"] == "This sound was not given to you. Reload the page to go on."
    assert everything() == before


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"choices": None}, "choices: Enter an answer for each question."),
        ({"choices": {}}, "choices: Enter an answer for each question."),
        ({"choices": []}, "choices: Enter an answer for each question."),
        ({"choices": "first"}, "choices: Enter an answer for each question."),
        ({"choices": ["first"]}, "choices: Enter an answer for each question."),
        ({"choices": {"relevance": None}}, "relevance: Enter first, second or none."),
        ({"choices": {"relevance": ["first"]}}, "relevance: Enter first, second or none."),
        ({"choices": {"relevance": {"first": 1}}}, "relevance: Enter first, second or none."),
        ({"choices": {"relevance": 1}}, "relevance: Enter first, second or none."),
        ({"choices": {"relevance": True}}, "relevance: Enter first, second or none."),
        ({"heard": None}, "heard: Enter how each sound was heard."),
        ({"heard": []}, "heard: Enter how each sound was heard."),
        ({"heard": {"plays": 1, "heard_s": 1}}, "heard: Enter how each sound was heard."),
        ({"heard": "all of it"}, "heard: Enter how each sound was heard."),
        ({"heard": [HEARD, 3]}, "plays: Enter a number."),
        ({"heard": [HEARD, []]}, "plays: Enter a number."),
        ({"heard": [HEARD, {}]}, "plays: Enter a number."),
        ({"heard": [HEARD, {"plays": 1}]}, "heard_s: Enter a number."),
        ({"heard": [HEARD, HEARD | {"plays": "1"}]}, "plays: Enter a number."),
        ({"heard": [HEARD, HEARD | {"plays": True}]}, "plays: Enter a number."),
        ({"heard": [HEARD, HEARD | {"plays": 1.5}]}, "heard: Enter how each sound was heard."),
        ({"heard": [HEARD, HEARD | {"plays": -1}]}, "heard: Enter how each sound was heard."),
        ({"heard": [HEARD, HEARD | {"plays": 10**400}]}, "plays: Enter a number."),
        ({"heard": [HEARD, HEARD | {"heard_s": -0.1}]}, "heard: Enter how each sound was heard."),
        ({"heard": [HEARD, HEARD | {"heard_s": 1e300}]}, "heard: Enter how each sound was heard."),
        ({"heard": [HEARD, HEARD | {"heard_s": float("nan")}]}, "heard_s: Enter a number."),
        ({"heard": [HEARD, HEARD | {"heard_s": float("inf")}]}, "heard_s: Enter a number."),
        ({"heard": [HEARD, HEARD | {"heard_s": [1]}]}, "heard_s: Enter a number."),
        ({"assignment": ["x"]}, "assignment: Enter a valid UUID."),
        ({"client_uuid": {}}, "client_uuid: This field is required."),
        ({"elapsed_s": "1"}, "elapsed_s: Enter a number."),
        ({"waited_s": float("nan")}, "waited_s: Enter a number."),
    ],
)
def test_malformed_fields(client, test, sent, change, fault):
    before = everything()
    response = send(client, test, sent | change)
    assert (response.status_code, response.json()) == (
        400,
        {"error": f"The rating could not be read ({fault}). Reload the page and try again."},
    )
    assert everything() == before


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"first"', "{}", b"\xff", "[" * 100_000])
def test_malformed_bodies(client, test, state, body):
    before = everything()
    response = send(client, test, body)
    assert response.status_code == 400
    assert response.json()["error"].startswith("The rating ")
    assert everything() == before


@pytest.mark.parametrize("name", ["\ud83d", "a\0b", "relevance " * 1000])
def test_hostile_words(client, test, sent, name):
    before = everything()
    assert send(client, test, sent | {"choices": {name: "first"}}).status_code == 422
    assert send(client, test, sent | {"choices": {"relevance": name}}).status_code == 422
    assert send(client, test, sent | {"choices": {name: 1}}).status_code == 400
    assert everything() == before


def test_it_takes_few_queries(client, test, sent, django_assert_max_num_queries):
    """Whatever was answered before: that is what a rater waits for."""
    for _ in range(3):
        session = begin(test)
        for _ in range(2):
            submit(session)
    with django_assert_max_num_queries(20):
        assert len(send(client, test, sent).json()["ahead"]) == 2
