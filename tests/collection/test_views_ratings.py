"""The door through which ratings come in: what it answers, and what it refuses."""

import json
import uuid
from datetime import timedelta
from itertools import count

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from listening_tests.choices import SessionStatus, TestStatus
from listening_tests.models import Assignment, ProblemReport, Rating, Session
from tests.collection.sitting import an_answer, current_state, send, start_sitting, stored_ratings
from tests.factories import make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db
STATE = {"saved", "planned", "seconds_left", "elapsed_s", "next", "ahead", "done"}


@pytest.fixture
def test():
    test = make_test()
    make_pairs(test, 3)
    return test


@pytest.fixture
def state(client, test):
    start_sitting(client, test)
    return current_state(client, test)


def test_it_works(client, test, state):
    answer = an_answer(state, score=10, plays=2, heard_s=1.0)
    response = send(client, test, answer)
    assert response.status_code == 201
    after = response.json()
    assert (after["saved"], after["planned"], after["done"]) == (1, 3, None)
    assert after["next"]["assignment"] != answer["assignment"]
    assert set(after["next"]) == {
        *("assignment", "position", "practice", "caption", "language", "audio", "duration_s", "expected"),
    }
    assert [len(state["ahead"]), len(after["ahead"])] == [2, 1]
    assert after["next"] == state["ahead"][0]
    assert stored_ratings() == [
        (uuid.UUID(answer["client_uuid"]), 10, 2, 1.0, uuid.UUID(answer["assignment"])),
    ]


def test_the_answer_and_the_page_agree(client, test, state):
    after = send(client, test, an_answer(state)).json()
    page = current_state(client, test)
    assert {name: page[name] for name in after} == after


@pytest.mark.parametrize("query", range(6))
def test_an_answer_that_comes_while_the_page_is_made_is_open_or_counted(client, test, state, query):
    """Whatever the page reads before it and after it: else it would tell an old count for good."""
    answer, queries = an_answer(state), count()

    def store_before(execute, sql, parameters, many, context):
        if next(queries) == query:
            assert send(client, test, answer).status_code == 201
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(store_before):
        page = current_state(client, test)
    assert Rating.objects.count() == 1
    is_open = page["next"]["assignment"] == answer["assignment"]
    assert is_open or page["saved"] == 1


def test_a_repeat_is_answered_alike_and_stored_once(client, test, state):
    answer = an_answer(state)
    first, second = send(client, test, answer), send(client, test, answer)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Rating.objects.count() == 1


def test_the_last_one_names_the_page_that_follows(client, test, state):
    for _ in range(3):
        state = send(client, test, an_answer(state)).json()
    assert (state["saved"], state["next"], state["ahead"]) == (3, None, [])
    assert state["done"] == f"/t/{test.slug}/questions/"


def test_the_pairs_in_hand_may_be_rated_in_any_order(client, test, state):
    """Two tabs, or a rating that waited in the browser while others went."""
    for pair in reversed([state["next"], *state["ahead"]]):
        assert send(client, test, an_answer({"next": pair})).status_code == 201
    assert Rating.objects.count() == 3


def test_the_time_left_follows_the_raters_pace(client, test, state):
    """Before the first rating a pair of 1 s is expected to take 10 s; three at 40 s and the expectation weigh alike."""
    assert state["seconds_left"] == 30
    answers = []
    for _ in range(2):
        Assignment.objects.update(leased_at=timezone.now() - timedelta(hours=1))
        answers.append(send(client, test, an_answer(state, elapsed_s=40)).json())
        state = answers[-1]
    assert [answer["seconds_left"] for answer in answers] == [35, 22]
    assert answers[-1]["elapsed_s"] == 80


def test_what_a_practice_pair_expects_is_told_and_of_no_other(client, test):
    make_pair(test, role="practice", expected_min=7, expected_max=10)
    test.pairs.exclude(role="practice").update(role="gold", expected_min=1, expected_max=2)
    start_sitting(client, test)
    state = current_state(client, test)
    assert state["next"]["expected"] == [7, 10]
    assert [pair["expected"] for pair in state["ahead"]] == [None, None]


def test_a_paused_test_takes_what_was_given(client, test, state):
    test.status = TestStatus.PAUSED
    test.save()
    response = send(client, test, an_answer(state))
    assert response.status_code == 201
    assert (response.json()["next"], response.json()["done"]) == (None, None)


def test_another_score_under_the_same_uuid(client, test, state):
    answer = an_answer(state)
    send(client, test, answer)
    before = stored_ratings()
    response = send(client, test, answer | {"score": 2})
    assert response.status_code == 409
    assert response.json() == {
        "error": "This rating was saved before with another score. The first one is kept.",
        "sitting": state["sitting"],
        "state": {name: value for name, value in current_state(client, test).items() if name in STATE},
    }
    assert stored_ratings() == before


def test_a_uuid_that_was_used_for_another_pair(client, test, state):
    answer = an_answer(state)
    after = send(client, test, answer).json()
    before = stored_ratings()
    response = send(client, test, an_answer(after, client_uuid=answer["client_uuid"]))
    assert response.status_code == 409
    assert response.json()["error"] == "This rating was saved before for another sound. The first one is kept."
    assert response.json()["state"]["next"] == after["next"]
    assert stored_ratings() == before


def test_who_withdrew(client, test, state):
    Session.objects.update(status=SessionStatus.WITHDRAWN)
    response = send(client, test, an_answer(state))
    assert response.status_code == 410
    assert response.json()["error"] == "You have withdrawn from this test, so nothing more of yours is saved."
    assert stored_ratings() == []


def test_before_the_comprehension_check(client, test, state):
    Session.objects.update(needs_check=True)
    response = send(client, test, an_answer(state))
    assert response.status_code == 422
    assert response.json()["error"] == "The questions on the instructions come first. Reload the page to go on."
    assert stored_ratings() == []


def test_another_uuid_for_the_same_pair(client, test, state):
    send(client, test, an_answer(state))
    before = stored_ratings()
    response = send(client, test, an_answer(state, score=2))
    assert response.status_code == 409
    assert response.json()["error"].startswith("You have rated this sound before. The first score is kept.")
    assert stored_ratings() == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score": 11}, "The score 11 is not on the scale from 0 to 10 in steps of 1."),
        ({"score": 3.5}, "The score 3.5 is not on the scale from 0 to 10 in steps of 1."),
        ({"heard_s": 0.5}, "Please listen to the whole sound before you rate it."),
        ({"plays": 0}, "Please listen to the whole sound before you rate it."),
        ({"assignment": str(uuid.uuid4())}, "This sound was not given to you."),
    ],
)
def test_refusals(client, test, state, change, sentence):
    response = send(client, test, an_answer(state) | change)
    assert response.status_code == 422
    assert response.json()["error"].startswith(sentence)
    assert stored_ratings() == []
    assert not Assignment.objects.filter(rated_at__isnull=False).exists()


def test_the_pair_of_another_rater(test, state):
    stranger = Client()
    session = start_sitting(stranger, test)
    response = send(stranger, test, an_answer(state))
    assert response.status_code == 422
    assert response.json()["sitting"] == str(session.uuid) != state["sitting"]
    assert stored_ratings() == []


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '"seven"', "{}", b"\xff", "[" * 100_000])
def test_malformed_bodies(client, test, state, body):
    response = send(client, test, body)
    assert response.status_code == 400
    assert response.json()["error"].startswith("The rating ")
    assert stored_ratings() == []


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("assignment", "7", "Enter a valid UUID."),
        ("client_uuid", None, "This field is required."),
        ("score", "7", "Enter a number."),
        ("score", True, "Enter a number."),
        ("score", float("nan"), "Enter a number."),
        ("score", [7], "Enter a number."),
        ("score", 10**400, "Enter a number."),
        ("plays", 1.5, "Enter a whole number."),
        ("plays", -1, "Ensure this value is greater than or equal to 0."),
        ("heard_s", float("inf"), "Enter a number."),
        ("heard_s", -0.1, "Ensure this value is greater than or equal to 0."),
        ("elapsed_s", 1e300, "Ensure this value is less than or equal to 315360000."),
    ],
)
def test_malformed_fields(client, test, state, name, value, fault):
    response = send(client, test, an_answer(state) | {name: value})
    assert response.status_code == 400
    assert response.json() == {
        "error": f"The rating could not be read ({name}: {fault}). Reload the page and try again."
    }
    assert stored_ratings() == []


def test_without_the_cookie(test, state):
    response = send(Client(), test, an_answer(state))
    assert response.status_code == 403
    assert response.json()["error"].startswith("This browser is not known to the listening test any more.")
    assert stored_ratings() == []


def test_another_test(client, test, state):
    assert send(client, make_test(), an_answer(state)).status_code == 403
    test.slug = "elsewhere"
    assert send(client, test, an_answer(state)).status_code == 403
    assert stored_ratings() == []


def test_get_is_refused(client, test, state):
    assert client.get(f"/t/{test.slug}/ratings/").status_code == 405


def test_a_request_from_elsewhere_is_refused(client, test, state):
    client.handler.enforce_csrf_checks = True
    response = send(client, test, an_answer(state))
    assert response.status_code == 403
    assert response.json()["error"].startswith("This browser did not send the cookie that protects the page.")
    assert stored_ratings() == []


def test_it_takes_few_queries(client, django_assert_num_queries):
    """Storing a rating, leasing another pair and showing the next: as many for the first pair as for the hundredth."""
    test = make_test()
    make_pairs(test, 6)
    start_sitting(client, test)
    answer = an_answer(current_state(client, test))
    # Six, between the savepoint that the transaction is here, and its release.
    with django_assert_num_queries(8):
        assert len(send(client, test, answer).json()["ahead"]) == 2


def skip(client, test, state, **changes):
    body = {"assignment": state["next"]["assignment"], "kind": "load", "text": "HTTP 404"} | changes
    return client.post(f"/t/{test.slug}/skips/", json.dumps(body), content_type="application/json")


def test_a_sound_that_would_not_play(client, test, state):
    make_pair(test)
    response = skip(client, test, state)
    assert response.status_code == 200
    assert (response.json()["saved"], response.json()["planned"]) == (0, 3)
    assert response.json()["next"] == state["ahead"][0]
    assert len(response.json()["ahead"]) == 2
    assert skip(client, test, state).json() == response.json()
    assert ProblemReport.objects.get().text == "HTTP 404"


@pytest.mark.parametrize(("text", "stored"), [("half \ud83d a pair", "half ? a pair"), ("a\0b", "a?b"), (None, "")])
def test_what_no_database_takes_keeps_nobody_from_skipping(client, test, state, text, stored):
    assert skip(client, test, state, text=text).status_code == 200
    assert ProblemReport.objects.get().text == stored


@pytest.mark.parametrize(
    ("change", "status", "fault"),
    [
        ({"kind": "other"}, 400, "Select a valid choice. other is not one of the available choices."),
        ({"assignment": "7"}, 400, "Enter a valid UUID."),
        ({"assignment": str(uuid.uuid4())}, 422, "This sound was not given to you. Reload the page to go on."),
    ],
)
def test_a_skip_that_is_refused(client, test, state, change, status, fault):
    response = skip(client, test, state, **change)
    assert response.status_code == status
    assert fault in response.json()["error"]
    assert "rating" not in response.json()["error"]
    assert not ProblemReport.objects.exists()


def test_a_skip_of_a_stranger(test, state):
    assert skip(Client(), test, state).status_code == 403
    assert not ProblemReport.objects.exists()
