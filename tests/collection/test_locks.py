"""What of a test may not change any more."""

from typing import Any

import pytest
from django.test import Client

from listening_tests.choices import TestKind, TestStatus
from listening_tests.models import ListeningTest
from listening_tests.services.locks import (
    ADDRESS_IS_KNOWN,
    CODE_IS_KNOWN,
    CODES,
    IS_CLOSED,
    KIND_IS_SETTLED,
    QUESTIONS_ARE_ANSWERED,
    WAS_OPENED,
    ChangeRefused,
    locked_fields,
    test_change,
)
from tests.collection.admin_pages import existing, page
from tests.factories import make_pairs, make_test
from tests.sittings import answer_all, anything_in
from tests.webapp.factories import make_staff

test_change.__test__ = False  # type: ignore[attr-defined]
pytestmark = pytest.mark.django_db


@pytest.fixture
def finished() -> ListeningTest:
    """A test that a rater has finished."""
    test = make_test(slug="mine", contact_email="lab@example.org")
    make_pairs(test, 2)
    answer_all(test, anything_in(TestKind.RATING))
    return test


def refusal(test: ListeningTest, **changes: Any) -> dict[str, str]:
    before = list(ListeningTest.objects.values())
    with pytest.raises(ChangeRefused) as refused:
        test_change(test=test, changes=changes)
    assert list(ListeningTest.objects.values()) == before
    return refused.value.faults


def test_it_works() -> None:
    test = make_test(status=TestStatus.DRAFT)
    assert locked_fields(test) == {}
    changed = test_change(test=test, changes={"title": "Rain", "slug": "rain", "kind": "comparison"})
    assert (changed.title, changed.slug, changed.kind) == ("Rain", "rain", "comparison")


def test_what_is_locked_and_why(finished: ListeningTest) -> None:
    assert locked_fields(finished) == {
        "kind": KIND_IS_SETTLED,
        "slug": ADDRESS_IS_KNOWN,
        "questions": QUESTIONS_ARE_ANSWERED,
        **dict.fromkeys(CODES, CODE_IS_KNOWN),
        "opens_at": WAS_OPENED,
        "opens_forced": WAS_OPENED,
    }
    ListeningTest.objects.update(status=TestStatus.CLOSED)
    finished.refresh_from_db()
    assert locked_fields(finished)["closes_at"] == IS_CLOSED


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"slug": "other"}, {"slug": ADDRESS_IS_KNOWN}),
        ({"kind": "comparison"}, {"kind": KIND_IS_SETTLED}),
        ({"completion_code": "X", "title": "New"}, {"completion_code": CODE_IS_KNOWN}),
        (
            {"consent_text": "Something else."},
            {
                "consent_version": "Raters agreed to version 1 of the consent, so neither its text nor what becomes of "
                "the ratings of who withdraws can change. Raise the version to 2 or more to change them."
            },
        ),
        (
            {"headphones_required": True},
            {
                "headphones_required": "Headphones can be required only where they are checked. Choose a check, or do "
                "not require them."
            },
        ),
        ({"is_simulated": True}, {"is_simulated": "It cannot be changed this way."}),
        ({"title": ""}, {"title": "This field cannot be blank."}),
    ],
)
def test_a_change_is_refused_whole(finished: ListeningTest, changes: dict[str, Any], faults: dict[str, str]) -> None:
    assert refusal(finished, **changes) == faults


def test_k_is_not_less_than_what_is_there(finished: ListeningTest) -> None:
    for _ in range(2):
        answer_all(finished, anything_in(TestKind.RATING))
    assert refusal(finished, ratings_per_pair=2) == {
        "ratings_per_pair": "Some of it has 3 ratings, or raters at work on them, already, so k cannot be 2. Leave it "
        "at 3 or more; to stop sooner, close the test."
    }
    assert test_change(test=finished, changes={"ratings_per_pair": 3}).ratings_per_pair == 3


def test_consent_changes_with_its_version(finished: ListeningTest) -> None:
    changes = {"consent_text": "Something else.", "consent_version": 2}
    assert test_change(test=finished, changes=changes).consent_text == "Something else."


def test_the_admin_asks_the_same(finished: ListeningTest, client: Client) -> None:
    client.force_login(make_staff())
    address = page("listeningtest_change", finished.pk)
    assert CODE_IS_KNOWN in client.get(address).content.decode()
    response = client.post(address, existing(finished, completion_code="OTHER"))
    assert CODE_IS_KNOWN in response.content.decode()
    finished.refresh_from_db()
    assert finished.completion_code != "OTHER"
