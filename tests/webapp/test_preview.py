"""The preview of a test: the rater's pages for staff, and nothing stored."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from listening_tests.choices import HeadphoneCheck, PairRole, Role, TestKind, TestStatus
from listening_tests.models import CheckQuestion, ListeningTest, SurveyQuestion
from tests.factories import make_caption, make_pair, make_pairs, make_test
from tests.sittings import SYSTEMS, make_test_of
from tests.webapp.factories import make_member

pytestmark = pytest.mark.django_db


def address(name: str, test: ListeningTest) -> str:
    return reverse(f"preview:{name}", args=[test.slug])


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of collection."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values_list())
        for model in apps.get_app_config("listening_tests").get_models()
    }


def make_draft_of(kind: str) -> ListeningTest:
    test = make_test_of(kind, status=TestStatus.DRAFT, headphone_check=HeadphoneCheck.HUGGINS)
    caption = make_caption("For practice.")
    for system in SYSTEMS:
        make_pair(test, caption=caption, system=system, role=PairRole.PRACTICE, expected_min=8, expected_max=10)
    from listening_tests.services.trials import trials_make

    trials_make(test=test)
    CheckQuestion.objects.create(test=test)
    SurveyQuestion.objects.create(test=test, prompt="How was it?")
    return test


def state_on(page: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(
        page.split('<script id="state" type="application/json">')[1].split("</script>")[0]
    )
    return state


def answer_to(kind: str, state: dict[str, Any]) -> dict[str, Any]:
    lease = state["next"]
    said: dict[str, Any] = {"assignment": lease["assignment"], "client_uuid": str(uuid4()), "elapsed_s": 3}
    if kind == TestKind.RATING:
        return said | {"score": 7, "plays": 1, "heard_s": 1}
    heard = [{"plays": 1, "heard_s": 1} for _ in lease["clips"]]
    if kind == TestKind.COMPARISON:
        return said | {"heard": heard, "choices": {"relevance": "first"}}
    return said | {"heard": heard, "scores": {"relevance": [7 for _ in heard]}}


@pytest.mark.parametrize("kind", TestKind.values)
def test_it_walks_to_the_end_and_stores_nothing(staff: Client, kind: str) -> None:
    test = make_draft_of(kind)
    before = everything()

    page = staff.get(address("welcome", test)).content.decode()
    assert "Preview: nothing is stored." in page
    assert f'action="{address("start", test)}"' in page
    assert "PREVIEW" in staff.post(address("declined", test)).content.decode()
    assert staff.post(address("start", test))["Location"] == address("check", test)
    check = staff.get(address("check", test))
    right = {
        name: value
        for field in check.context["form"].visible_fields()
        for value, text in field.field.choices
        if "caption matches" in text
        for name in [field.name]
    }
    wrong = staff.post(address("check", test), {"attempt": 1} | dict.fromkeys(right, "0"))
    assert wrong.status_code == 422
    assert staff.post(address("check", test), {"attempt": 1} | right)["Location"] == address("sound", test)
    assert f"{address('sound', test)}volume/" in staff.get(address("sound", test)).content.decode()
    assert staff.get(f"{address('sound', test)}volume/").status_code == 200
    assert staff.post(address("sound", test))["Location"] == address("headphones", test)
    assert f"{address('headphones', test)}1/" in staff.get(address("headphones", test)).content.decode()
    assert staff.post(address("headphones", test), {"skip": "1"})["Location"] == address("rate", test)

    rate = staff.get(address("rate", test)).content.decode()
    assert f"page-{kind}" in rate
    state = state_on(rate)
    ratings_url, n_steps = state["ratings_url"], 0
    assert state["next"]["practice"] and state["saved"] == 0
    while state["next"]:
        sounds = state["next"].get("clips") or [state["next"]]
        assert all(staff.get(sound["audio"]).status_code == 200 for sound in sounds)
        answer = staff.post(ratings_url, answer_to(kind, state), content_type="application/json")
        assert answer.status_code == 201
        state, n_steps = answer.json(), n_steps + 1
    assert n_steps >= 4 and state["saved"] == state["planned"]
    assert state["done"] == address("questions", test)
    assert "How was it?" in staff.get(state["done"]).content.decode()
    assert staff.post(state["done"], {"skip": "1"})["Location"] == address("done", test)
    done = staff.get(address("done", test)).content.decode()
    assert "PREVIEW" in done and test.completion_code not in done
    for name in ("problem", "personal_link", "withdraw"):
        assert "nothing is stored of it" in staff.get(address(name, test)).content.decode()
    assert everything() == before


def test_what_the_page_would_refuse_is_refused(staff: Client) -> None:
    test = make_test(status=TestStatus.DRAFT)
    make_pairs(test, 3)
    state = state_on(staff.get(address("rate", test)).content.decode())
    good = answer_to(TestKind.RATING, state)
    for change, status in (({"score": 99}, 422), ({"score": "much"}, 400), ({"assignment": str(uuid4())}, 422)):
        answer = staff.post(state["ratings_url"], good | change, content_type="application/json")
        assert answer.status_code == status
    skip = {"assignment": good["assignment"], "kind": "load", "text": ""}
    skipped = staff.post(state["skips_url"], skip, content_type="application/json").json()
    assert skipped["next"]["assignment"] != good["assignment"]


def test_without_sounds_it_says_so(staff: Client) -> None:
    test = make_test(status=TestStatus.DRAFT)
    assert "This test has no sounds to preview yet." in staff.get(address("rate", test)).content.decode()


@pytest.mark.parametrize(("role", "expected"), [(None, 404), (Role.ANALYST, 200)])
def test_it_is_for_who_works_on_the_test(client: Client, role: Role | None, expected: int) -> None:
    test = make_test()
    make_pairs(test, 2)
    assert client.get(address("welcome", test)).status_code == 302
    client.force_login(make_member(test if role else make_test(), role or Role.OWNER))
    for name in ("welcome", "sound", "rate", "done"):
        assert client.get(address(name, test)).status_code == expected


def test_it_speaks_the_languages_of_raters(staff: Client) -> None:
    test = make_test(status=TestStatus.DRAFT)
    make_pairs(test, 2)
    page = staff.get(address("welcome", test), headers={"accept-language": "ja"}).content.decode()
    assert '<html lang="ja"' in page
    assert "Preview: nothing is stored." in page
