"""The door through which ratings come in: what it answers, and what it refuses."""

import uuid

import pytest
from django.test import Client

from listening_tests.choices import TestStatus
from listening_tests.models import Assignment, Rating
from tests.collection.sitting import an_answer, current_state, send, start_sitting, stored_ratings
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db


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
        *("assignment", "position", "practice", "caption", "language", "audio", "duration_s"),
    }
    assert stored_ratings() == [
        (uuid.UUID(answer["client_uuid"]), 10, 2, 1.0, uuid.UUID(answer["assignment"])),
    ]


def test_the_answer_and_the_page_agree(client, test, state):
    after = send(client, test, an_answer(state)).json()
    page = current_state(client, test)
    assert {name: page[name] for name in after} == after


def test_a_repeat_is_answered_alike_and_stored_once(client, test, state):
    answer = an_answer(state)
    first, second = send(client, test, answer), send(client, test, answer)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Rating.objects.count() == 1


def test_the_last_one_names_the_done_page(client, test, state):
    for _ in range(3):
        state = send(client, test, an_answer(state)).json()
    assert (state["saved"], state["next"], state["done"]) == (3, None, f"/t/{test.slug}/done/")


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
    assert response.json() == {"error": "This rating was saved before with another score. The first one is kept."}
    assert stored_ratings() == before


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
        "error": f"The rating could not be read ({name}: {fault}). Reload the page and rate again."
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
    assert send(client, test, an_answer(state)).status_code == 403
    assert stored_ratings() == []


def test_it_takes_few_queries(client, test, state, django_assert_max_num_queries):
    """Storing a rating, leasing the next pair and showing it: as many for the first pair as for the hundredth."""
    answer = an_answer(state)
    with django_assert_max_num_queries(27):
        assert send(client, test, answer).json()["next"]
