"""Side by side over HTTP: several clips of one caption, a score for each, a hidden anchor among them."""

import uuid

import pytest

from listening_tests.choices import PairRole, TestKind
from listening_tests.models import Assignment, ListeningTest, Question, Rating
from tests.collection.sitting import current_state, send, start_sitting
from tests.collection.trials import begin, body_of, everything, make_test_of, submit

pytestmark = pytest.mark.django_db


@pytest.fixture
def test() -> ListeningTest:
    """Three systems and an anchor for each of four captions; two questions, one on a continuous scale."""
    test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=4)
    Question.objects.create(test=test, name="quality", scale_max=100, scale_step=0)
    return test


@pytest.fixture
def state(client, test):
    start_sitting(client, test)
    return current_state(client, test)


@pytest.fixture
def sent(state):
    return body_of(state, scores={"relevance": [1, 2, 3, 4], "quality": [0.5, 99.25, 100, 0]})


def test_it_works(client, test, state, sent):
    response = send(client, test, sent)
    assert response.status_code == 201
    assignment = Assignment.objects.get(uuid=sent["assignment"])
    rows = Rating.objects.order_by("pk")
    assert [(row.question.name, row.place, row.score) for row in rows] == [
        *(("relevance", 1, 1), ("relevance", 2, 2), ("relevance", 3, 3), ("relevance", 4, 4)),
        *(("quality", 1, 0.5), ("quality", 2, 99.25), ("quality", 3, 100), ("quality", 4, 0)),
    ]
    assert [row.pair for row in rows] == assignment.pairs * 2
    assert {row.pair for row in rows} == set(assignment.trial.pairs.all())
    assert {(row.trial, row.assignment, row.plays) for row in rows} == {(assignment.trial, assignment, 1)}
    assert {(row.scale_min, row.scale_max, row.scale_step) for row in rows} == {(0, 10, 1), (0, 100, 0)}
    assert [row.heard_s for row in rows] == [pair.clip.duration_s for pair in assignment.pairs] * 2
    assert str(rows[0].client_uuid) == sent["client_uuid"]
    assert len({row.client_uuid for row in rows}) == 8
    assert assignment.trial.load == 1
    assert (response.json()["saved"], response.json()["planned"]) == (1, 4)
    assert response.json()["next"] == state["ahead"][0]


def test_the_anchor_is_one_of_the_pairs(client, test, sent):
    send(client, test, sent)
    assert Rating.objects.filter(pair__role=PairRole.ANCHOR).count() == 2


def test_what_the_page_is_given_tells_no_anchor(client, test, state):
    """The addresses name the assignment and the place; nothing else of a clip is told but how long it is."""
    for shown in (state["next"], *state["ahead"]):
        assert set(shown) == {"assignment", "position", "practice", "caption", "language", "clips"}
        assert [clip["audio"] for clip in shown["clips"]] == [
            f"/t/{test.slug}/audio/{shown['assignment']}/{place}/" for place in (1, 2, 3, 4)
        ]
        assert [set(clip) for clip in shown["clips"]] == [{"audio", "duration_s"}] * 4


def test_a_repeat_is_answered_alike_and_stored_once(client, test, sent):
    first, second = send(client, test, sent), send(client, test, sent)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Rating.objects.count() == 8


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"scores": {"relevance": [1, 2, 3, 5], "quality": [0.5, 99.25, 100, 0]}},
            "This rating was saved before with another score. The first one is kept.",
        ),
        (
            {"scores": {"relevance": [2, 1, 3, 4], "quality": [0.5, 99.25, 100, 0]}},
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


ASKS_TWO = "This test asks 2 questions. Answer each of them, and nothing else."
NOT_EVERY_SOUND = "Not every sound has its answer. Reload the page and answer for each of them."
GOOD = [5, 5, 5, 5]


@pytest.mark.parametrize(
    ("scores", "sentence"),
    [
        ({"relevance": GOOD}, ASKS_TWO),
        ({"relevance": GOOD, "quality": GOOD, "order": GOOD}, ASKS_TWO),
        ({"relevance": GOOD, "order": GOOD}, ASKS_TWO),
        ({"": GOOD}, ASKS_TWO),
        ({"relevance": GOOD[:3], "quality": GOOD}, NOT_EVERY_SOUND),
        ({"relevance": GOOD, "quality": [*GOOD, 5]}, NOT_EVERY_SOUND),
        ({"relevance": GOOD, "quality": []}, NOT_EVERY_SOUND),
        (
            {"relevance": [5, 5, 5, 11], "quality": GOOD},
            "The score 11 is not on the scale from 0 to 10 in steps of 1. Choose one of the numbers shown.",
        ),
        (
            {"relevance": [5, 2.5, 5, 5], "quality": GOOD},
            "The score 2.5 is not on the scale from 0 to 10 in steps of 1. Choose one of the numbers shown.",
        ),
        (
            {"relevance": GOOD, "quality": [5, 100.5, 5, 5]},
            "The score 100.5 is not on the scale from 0 to 100. Set a mark on the line.",
        ),
        (
            {"relevance": GOOD, "quality": [-1e300, 5, 5, 5]},
            "The score -1e+300 is not on the scale from 0 to 100. Set a mark on the line.",
        ),
    ],
)
def test_refused_scores(client, test, sent, scores, sentence):
    before = everything()
    response = send(client, test, sent | {"scores": scores})
    assert (response.status_code, response.json()["error"]) == (422, sentence)
    assert everything() == before


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("unheard", [{"plays": 0}, {"heard_s": 0.2}])
def test_each_clip_must_be_heard(client, test, sent, place, unheard):
    sent["heard"][place] |= unheard
    before = everything()
    response = send(client, test, sent)
    assert response.status_code == 422
    assert response.json()["error"] == "Please listen to the whole sound before you rate it."
    assert everything() == before


@pytest.mark.parametrize("n_heard", [1, 3, 5])
def test_evidence_of_each_clip(client, test, sent, n_heard):
    before = everything()
    response = send(client, test, sent | {"heard": [{"plays": 1, "heard_s": 3}] * n_heard})
    assert response.status_code == 422
    assert response.json()["error"] == (
        "The page did not say how the sound was played. Reload the page and rate it again."
    )
    assert everything() == before


@pytest.mark.parametrize(
    ("scores", "fault"),
    [
        (None, "scores: Enter an answer for each question."),
        ([GOOD, GOOD], "scores: Enter an answer for each question."),
        (GOOD, "scores: Enter an answer for each question."),
        ({}, "scores: Enter an answer for each question."),
        (7, "scores: Enter an answer for each question."),
        ({"relevance": 5, "quality": GOOD}, "relevance: Enter a list of numbers."),
        ({"relevance": {"1": 5}, "quality": GOOD}, "relevance: Enter a list of numbers."),
        ({"relevance": "5555", "quality": GOOD}, "relevance: Enter a list of numbers."),
        ({"relevance": None, "quality": GOOD}, "relevance: Enter a list of numbers."),
        ({"relevance": [5, 5, 5, "5"], "quality": GOOD}, "relevance: Enter a number."),
        ({"relevance": [5, 5, 5, None], "quality": GOOD}, "relevance: Enter a number."),
        ({"relevance": [5, 5, 5, True], "quality": GOOD}, "relevance: Enter a number."),
        ({"relevance": [5, 5, 5, [5]], "quality": GOOD}, "relevance: Enter a number."),
        ({"relevance": [5, 5, 5, {}], "quality": GOOD}, "relevance: Enter a number."),
        ({"relevance": [5, 5, 5, float("nan")], "quality": GOOD}, "relevance: Enter a number."),
        ({"relevance": GOOD, "quality": [5, float("-inf"), 5, 5]}, "quality: Enter a number."),
        ({"relevance": GOOD, "quality": [5, 10**400, 5, 5]}, "quality: Enter a number."),
    ],
)
def test_malformed_scores(client, test, sent, scores, fault):
    before = everything()
    response = send(client, test, sent | {"scores": scores})
    assert (response.status_code, response.json()) == (
        400,
        {"error": f"The rating could not be read ({fault}). Reload the page and try again."},
    )
    assert everything() == before


def test_a_list_without_end(client, test, sent):
    before = everything()
    sent["scores"]["relevance"] = [5] * 200_000
    assert send(client, test, sent).json()["error"] == NOT_EVERY_SOUND
    assert everything() == before


def test_it_takes_few_queries(client, test, sent, django_assert_max_num_queries):
    """Whatever was answered before: that is what a rater waits for."""
    for _ in range(3):
        session = begin(test)
        for _ in range(2):
            submit(session)
    with django_assert_max_num_queries(20):
        assert len(send(client, test, sent).json()["ahead"]) == 2
