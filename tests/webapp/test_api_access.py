"""The API is for staff alone, each the tests of theirs: every route is asked, whatever routes there are."""

import re
from itertools import product
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from listening_tests.choices import Role
from listening_tests.models import AuditEntry, ListeningTest, Member, Pilot, Rating, Screening, ScreeningRule
from listening_tests.rater_cookie import rater_write
from tests.factories import make_pair, make_test
from tests.webapp.api import ROUTES, Script, make_script, make_whole_test
from tests.webapp.factories import make_run
from webapp.api.models import ApiToken
from webapp.api.throttling import TokenThrottle
from webapp.api.tokens import token_create
from worker.models import ComputedResults, RunStatus, ScreeningState

pytestmark = pytest.mark.django_db

METHODS = ("get", "post", "put", "patch", "delete")
# What belongs to no test, and is there for every account of staff.
FOR_ALL_STAFF = {"root", "columns", "schema", "docs", "tests", "score", "nowhere"}
NAMES = [route.name for route in ROUTES]


@pytest.fixture
def whole(db: None) -> tuple[ListeningTest, dict[str, str]]:
    """There is something behind every address."""
    test, uuids = make_whole_test()
    Member.objects.create(test=test, user=User.objects.create(username="chief", is_staff=True), role=Role.OWNER)
    return test, uuids


@pytest.fixture
def test(whole: tuple[ListeningTest, dict[str, str]]) -> ListeningTest:
    return whole[0]


@pytest.fixture
def addresses(whole: tuple[ListeningTest, dict[str, str]]) -> dict[str, str]:
    """Below /api/, by the names of routes, of rows that are there."""
    return {route.name: address_of(route, whole[1]) for route in ROUTES}


def address_of(route: URLPattern, uuids: dict[str, str]) -> str:
    if route.name == "nowhere":
        return "no/where/"
    named = {"slug": "rain", "username": "chief", "name": "approve-submissions"}
    wanted = re.findall(r"([\w-]+)/<\w+:(\w+)>", str(route.pattern))
    parts = {part: named.get(part) or uuids[before] for before, part in wanted}
    return reverse(f"api:{route.name}", kwargs=parts).removeprefix("/api/")


def state() -> tuple[object, ...]:
    test = ListeningTest.objects.get(slug="rain")
    told = (test.title, test.status, *(row.status for row in (test.runs.get(), test.clip_imports.get())))
    left = (Pilot.objects.get().status, Screening.objects.get().undone_at)
    counted = (Rating, Member, AuditEntry, ListeningTest, ScreeningRule, ComputedResults, ScreeningState)
    return (*told, *left, *(model._default_manager.count() for model in counted))


def test_nobody_comes_in_without_a_token(test: ListeningTest, addresses: dict[str, str]) -> None:
    """Nor with one that was made up, nor as a rater, with their cookie or the uuid of their sitting."""
    rater = Script()
    session = test.sessions.get()
    page = HttpResponse()
    rater_write(page, session.rater.uuid)
    rater.client.cookies.update(page.cookies)
    before = state()
    nobodies = ((Script(), METHODS), *((who, ("get", "post")) for who in (Script("earmark_made_up"), rater)))
    for name, (script, methods) in product(NAMES, (*nobodies, (Script(str(session.uuid)), ("post",)))):
        for method in methods:
            response = script(method, addresses[name])
            assert response.status_code == 401, (name, method)
            assert response.headers["WWW-Authenticate"] == "Bearer"
            assert set(response.json()) == {"detail", "problems"}
    assert state() == before


def test_options_of_every_address(test: ListeningTest, addresses: dict[str, str]) -> None:
    """What it takes, and nothing that looks for a row."""
    script = Script(token_create(user=User.objects.get(username="chief"), name="a script")[1])
    before = state()
    for name in set(NAMES) - {"nowhere", "docs", "schema"}:
        response = script("options", addresses[name])
        assert response.status_code == 200, name
        assert "OPTIONS" in response.headers["Allow"].split(", ")
        assert set(response.json()) == {"name", "description", "renders", "parses"}
    assert state() == before


@pytest.mark.parametrize("body", ["true", "null", "[]", "[3]", "3", '"x"', '{"pairs": null}'])
def test_what_is_no_object_is_no_fault_of_ours(test: ListeningTest, addresses: dict[str, str], body: str) -> None:
    """Whether the address looks at what is sent or not. A fault would be raised here."""
    script = Script(token_create(user=User.objects.get(username="chief"), name="a script")[1])
    for name, method in product(NAMES, ("post", "put", "patch")):
        send = getattr(script.client, method)
        response = send(f"/api/{addresses[name]}", body, content_type="application/json", headers=script.headers)
        assert response.status_code < 500, (name, method)


@pytest.mark.parametrize("address", ["tests/ra%0Ain/", "tests/rain/runs/%0A/report/", "%0A", "no/such/%0D/address"])
def test_a_line_break_leads_nowhere_as_anything_else_does(address: str) -> None:
    response = make_script(name="chief").get(address)
    assert response.status_code == 404
    assert response.json() == {
        "detail": "There is nothing at this address, or it belongs to a test that you do not work on.",
        "problems": [],
    }


def test_the_token_of_who_is_no_staff_is_refused(test: ListeningTest, addresses: dict[str, str]) -> None:
    user = User.objects.create(username="guest")
    Member.objects.create(test=test, user=user, role=Role.OWNER)
    script = Script(token_create(user=user, name="a script")[1])
    before = state()
    for name, method in product(NAMES, METHODS):
        assert script(method, addresses[name]).status_code == 403, (name, method)
    assert state() == before


def test_another_researchers_token_finds_nothing(test: ListeningTest, addresses: dict[str, str]) -> None:
    """As if the test were not there: 404 for what the address takes, before anything that was sent is looked at."""
    stranger = make_script(make_test())
    before = state()
    for name, method in product(set(NAMES) - FOR_ALL_STAFF, METHODS):
        response = stranger(method, addresses[name])
        assert response.status_code in {404, 405}, (name, method)
        if response.status_code == 404:
            assert response.json()["detail"].startswith("There is nothing at this address")
    assert state() == before


def test_another_researchers_token_lists_nothing_of_others(test: ListeningTest) -> None:
    mine = make_test()
    stranger = make_script(mine)
    assert [row["slug"] for row in stranger.get("tests/").json()["results"]] == [mine.slug]


FORBIDDEN = (
    (Role.ANALYST, "patch", "tests/rain/"),
    (Role.ANALYST, "post", "tests/rain/open/"),
    (Role.ANALYST, "post", "tests/rain/pause/"),
    (Role.ANALYST, "post", "tests/rain/close/"),
    (Role.ANALYST, "post", "tests/rain/clips/"),
    (Role.ANALYST, "post", "tests/rain/imports/"),
    (Role.ANALYST, "get", "tests/rain/members/"),
    (Role.ANALYST, "put", "tests/rain/members/chief/"),
    (Role.ANALYST, "get", "tests/rain/audit/"),
    (Role.ANALYST, "post", "tests/rain/clone/"),
    (Role.ANALYST, "get", "tests/rain/anchors/"),
    (Role.ANALYST, "post", "tests/rain/practice/"),
    (Role.ANALYST, "post", "tests/rain/balance/"),
    (Role.ANALYST, "post", "tests/rain/pilots/"),
    (Role.ANALYST, "get", "tests/rain/uploads/"),
    (Role.ANALYST, "get", "tests/rain/pay/"),
    (Role.ANALYST, "get", "tests/rain/pay/lines/"),
    (Role.ANALYST, "get", "tests/rain/pay/table.csv"),
    (Role.ANALYST, "get", "tests/rain/pay/approve-submissions.csv"),
    (Role.ASSISTANT, "put", "tests/rain/screening/rules/"),
    (Role.ASSISTANT, "post", "tests/rain/screening/compute/"),
    (Role.ASSISTANT, "post", "tests/rain/screening/apply/"),
    (Role.ASSISTANT, "get", "tests/rain/export/"),
    (Role.ASSISTANT, "post", "tests/rain/runs/"),
    (Role.ASSISTANT, "delete", "tests/rain/members/chief/"),
)


def test_what_a_role_does_not_allow_is_refused(
    test: ListeningTest, whole: tuple[ListeningTest, dict[str, str]]
) -> None:
    scripts = {role: make_script(test, role, name=role) for role in (Role.ANALYST, Role.ASSISTANT)}
    ends = (("uploads", "take-in"), ("uploads", "cancel"), ("pilots", "cancel"))
    of_one = [(Role.ANALYST, "post", f"tests/rain/{part}/{whole[1][part]}/{end}/") for part, end in ends]
    of_one.append((Role.ANALYST, "delete", f"tests/rain/pilots/{whole[1]['pilots']}/"))
    of_one.append((Role.ASSISTANT, "post", f"tests/rain/screenings/{whole[1]['screenings']}/undo/"))
    before = state()
    for role, method, address in (*FORBIDDEN, *of_one):
        response = scripts[role](method, address)
        assert response.status_code == 403, (role, method, address)
        assert response.json() == {
            "detail": "Your role in this test does not allow this. Its owners can change your role.",
            "problems": [],
        }
    assert state() == before


def test_an_assistant_cancels_no_run(test: ListeningTest) -> None:
    test.runs.all().delete()
    run = make_run(test, RunStatus.QUEUED)
    assert make_script(test, Role.ASSISTANT).post(f"tests/rain/runs/{run.uuid}/cancel/").status_code == 403
    assert make_script(test, Role.ANALYST, "analyst").post(f"tests/rain/runs/{run.uuid}/cancel/").status_code == 200
    assert test.runs.get().status == RunStatus.CANCELLED


def test_rows_of_one_test_are_not_found_below_another(
    test: ListeningTest, whole: tuple[ListeningTest, dict[str, str]]
) -> None:
    script = make_script(test)
    other = make_run(make_test(), RunStatus.QUEUED)
    assert script.get(f"tests/rain/runs/{other.uuid}/").status_code == 404
    assert script.get(f"tests/rain/clips/{make_pair(make_test()).clip.uuid}/audio/").status_code == 404
    assert script.get(f"tests/rain/clips/{uuid4()}/audio/").status_code == 404
    elsewhere, mine = make_test(), make_script(make_test(slug="snow"), name="mine")
    assert script.get(f"tests/rain/items/{make_pair(elsewhere).uuid}/").status_code == 404
    for part in ("items", "raters", "uploads", "pilots"):
        assert mine.get(f"tests/snow/{part}/{whole[1][part]}/").status_code == 404
    assert mine.post(f"tests/snow/screenings/{whole[1]['screenings']}/undo/").status_code == 404


def test_a_token_ends(test: ListeningTest) -> None:
    script = make_script(test)
    assert script.get("tests/rain/").status_code == 200
    assert ApiToken.objects.get().last_used_at is not None
    ApiToken.objects.update(expires_at=timezone.now())
    assert script.get("tests/rain/").json()["detail"] == (
        "This token is not known, or has ended or been taken back. Make another one on the page API tokens."
    )
    ApiToken.objects.update(expires_at=None)
    User.objects.filter(username="script").update(is_active=False)
    assert script.get("tests/rain/").status_code == 401


def test_a_browser_may_look_and_needs_its_own_page_to_change(test: ListeningTest) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(username="chief"))
    page = browser.get("/api/tests/rain/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert browser.post("/api/tests/rain/pause/", content_type="application/json").status_code == 403
    assert ListeningTest.objects.get(slug="rain").status == "open"


def test_who_asks_too_often_is_told_when_to_ask_again(test: ListeningTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenThrottle, "rate", "2/min", raising=False)
    script, other = make_script(test), make_script(test, name="other")
    assert [script.get("tests/rain/").status_code for _ in range(3)] == [200, 200, 429]
    refused = script.get("tests/rain/")
    wait = refused.headers["Retry-After"]
    assert refused.json()["detail"] == f"You have asked too often within a minute. Ask again in {wait} seconds."
    assert other.get("tests/rain/").status_code == 200


def test_tokens_are_made_shown_once_and_taken_back(client: Client, test: ListeningTest) -> None:
    chief = User.objects.get(username="chief")
    client.force_login(chief)
    made = client.post("/dashboard/tokens/", {"name": "my laptop", "days": "90"}).text
    key = re.search(r'value="(earmark_[\w-]+)"', made)[1]  # type: ignore[index]
    token = ApiToken.objects.get()
    assert key not in client.get("/dashboard/tokens/").text
    assert key[8:] not in str(vars(token)) and "my laptop" in client.get("/dashboard/tokens/").text
    assert Script(key).get("").json()["account"] == "chief"

    again = client.post("/dashboard/tokens/", {"name": "my laptop", "days": "0"})
    assert again.status_code == 422
    assert "You have a token of the name my laptop already." in again.text
    assert "Say in 1 to 60 letters what the token is for" in client.post("/dashboard/tokens/", {"name": " "}).text

    other = Client()
    other.force_login(User.objects.create(username="other", is_staff=True))
    other.post(f"/dashboard/tokens/{token.uuid}/delete/")
    assert ApiToken.objects.count() == 1
    assert "my laptop" not in other.get("/dashboard/tokens/").text
    client.post(f"/dashboard/tokens/{token.uuid}/delete/")
    assert Script(key).get("").status_code == 401


def test_the_addresses_of_the_test_are_real(test: ListeningTest, addresses: dict[str, str]) -> None:
    """So that no route above was refused for being none."""
    script = make_script(test)
    for name in set(NAMES) - {"nowhere"}:
        assert script.get(addresses[name]).status_code in {200, 405}, name
    assert isinstance(test.runs.get().uuid, UUID)
