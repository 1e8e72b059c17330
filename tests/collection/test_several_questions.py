"""Tests that ask several questions about one clip: a score for each, a row for each."""

import pytest

from listening_tests.choices import PairRole
from listening_tests.models import Assignment, ListeningTest, Question, Rating
from tests.collection.sitting import an_answer, current_state, send, start_sitting
from tests.collection.trials import everything
from tests.factories import make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db

SCORES = {"relevance": 7, "inclusion": 0.3, "quality": 5}


@pytest.fixture
def test() -> ListeningTest:
    test = make_test()
    Question.objects.create(test=test, name="inclusion", scale_max=1, scale_step=0.1)
    Question.objects.create(test=test, name="quality", scale_min=1, scale_max=5)
    make_pairs(test, 4)
    return test


@pytest.fixture
def state(client, test):
    start_sitting(client, test)
    return current_state(client, test)


@pytest.fixture
def sent(state):
    sent = an_answer(state, scores=SCORES)
    del sent["score"]
    return sent


def test_it_works(client, test, state, sent):
    response = send(client, test, sent)
    assert response.status_code == 201
    assignment = Assignment.objects.get(uuid=sent["assignment"])
    rows = Rating.objects.order_by("pk")
    assert [(row.question.name, row.score) for row in rows] == list(SCORES.items())
    assert {(row.pair, row.assignment, row.trial, row.place) for row in rows} == {
        (assignment.pair, assignment, None, None)
    }
    assert [(row.scale_min, row.scale_max, row.scale_step) for row in rows] == [(0, 10, 1), (0, 1, 0.1), (1, 5, 1)]
    assert str(rows[0].client_uuid) == sent["client_uuid"]
    assert (response.json()["saved"], response.json()["planned"]) == (1, 4)
    # One answer of one rater, however many the questions: k counts raters.
    assert assignment.pair.load == 1
    assert response.json()["next"] == state["ahead"][0]


def test_a_repeat_is_answered_alike_and_stored_once(client, test, sent):
    first, second = send(client, test, sent), send(client, test, sent)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Rating.objects.count() == 3


@pytest.mark.parametrize("name", SCORES)
def test_another_score_is_a_conflict(client, test, sent, name):
    send(client, test, sent)
    before = everything()
    response = send(client, test, sent | {"scores": SCORES | {name: 1}})
    assert response.status_code == 409
    assert response.json()["error"] == "This rating was saved before with another score. The first one is kept."
    assert everything() == before


def test_the_order_of_the_names_means_nothing(client, test, sent):
    turned = dict(reversed(SCORES.items()))
    assert send(client, test, sent | {"scores": turned}).status_code == 201
    assert send(client, test, sent).status_code == 200


ASKS_THREE = "This test asks 3 questions. Answer each of them, and nothing else."


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"scores": {"relevance": 7, "quality": 5}}, ASKS_THREE),
        ({"scores": SCORES | {"order": 3}}, ASKS_THREE),
        ({"scores": {"relevance": 7, "quality": 5, "order": 3}}, ASKS_THREE),
        (
            {"scores": SCORES | {"quality": 0}},
            "The score 0 is not on the scale from 1 to 5 in steps of 1. Choose one of the numbers shown.",
        ),
        (
            {"scores": SCORES | {"inclusion": 0.35}},
            "The score 0.35 is not on the scale from 0 to 1 in steps of 0.1. Choose one of the numbers shown.",
        ),
        ({"plays": 0}, "Please listen to the whole sound before you rate it."),
        ({"heard_s": 0.1}, "Please listen to the whole sound before you rate it."),
    ],
)
def test_refusals(client, test, sent, change, sentence):
    before = everything()
    response = send(client, test, sent | change)
    assert (response.status_code, response.json()["error"]) == (422, sentence)
    assert everything() == before


def test_one_score_for_three_questions(client, test, state):
    before = everything()
    response = send(client, test, an_answer(state))
    assert (response.status_code, response.json()["error"]) == (422, ASKS_THREE)
    assert everything() == before


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"scores": None}, "scores: Enter an answer for each question."),
        ({"scores": {}}, "scores: Enter an answer for each question."),
        ({"scores": [7, 0.3, 5]}, "scores: Enter an answer for each question."),
        ({"scores": 7}, "scores: Enter an answer for each question."),
        ({"scores": SCORES | {"quality": "5"}}, "quality: Enter a number."),
        ({"scores": SCORES | {"quality": [5]}}, "quality: Enter a number."),
        ({"scores": SCORES | {"quality": {}}}, "quality: Enter a number."),
        ({"scores": SCORES | {"quality": None}}, "quality: Enter a number."),
        ({"scores": SCORES | {"quality": False}}, "quality: Enter a number."),
        ({"scores": SCORES | {"quality": float("nan")}}, "quality: Enter a number."),
        ({"scores": SCORES | {"quality": 10**400}}, "quality: Enter a number."),
        ({"plays": [1]}, "plays: Enter a whole number."),
        ({"plays": None}, "plays: This field is required."),
        ({"heard_s": {}}, "heard_s: Enter a number."),
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


def test_a_scale_that_was_continuous(client):
    test = make_test()
    test.questions.update(scale_max=100, scale_step=0)
    make_pair(test)
    start_sitting(client, test)
    state = current_state(client, test)
    refused = send(client, test, an_answer(state, score=100.5))
    assert refused.json()["error"] == "The score 100.5 is not on the scale from 0 to 100. Set a mark on the line."
    assert send(client, test, an_answer(state, score=33.333)).status_code == 201
    assert Rating.objects.values_list("score", "scale_step").get() == (33.333, 0)


def test_a_question_that_came_since(client):
    """What was stored gets its answer again; what comes new must answer both."""
    test = make_test()
    make_pairs(test, 2)
    start_sitting(client, test)
    first = an_answer(current_state(client, test))
    after = send(client, test, first).json()
    Question.objects.create(test=test, name="quality")
    assert send(client, test, first).status_code == 200
    assert send(client, test, an_answer(after)).status_code == 422
    assert Rating.objects.count() == 1


def test_practice_counts_none(client, test):
    make_pair(test, role=PairRole.PRACTICE)
    start_sitting(client, test)
    state = current_state(client, test)
    sent = an_answer(state, scores=SCORES)
    assert state["next"]["practice"]
    assert send(client, test, sent).json()["saved"] == 0
    assert Rating.objects.count() == 3


def test_it_takes_as_many_queries_as_one_question(client, test, sent, django_assert_num_queries):
    # Six, between the savepoint that the transaction is here, and its release.
    with django_assert_num_queries(8):
        assert len(send(client, test, sent).json()["ahead"]) == 2
