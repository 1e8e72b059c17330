"""A rater's browser without a screen: starts a sitting and rates over HTTP, as the pages do."""

import json
import uuid
from typing import Any

from django.test import Client

from listening_tests.models import ListeningTest, Rating, Session

STORED = ("client_uuid", "score", "plays", "heard_s", "assignment__uuid")


def start_sitting(client: Client, test: ListeningTest, query: str = "") -> Session:
    """Agrees on the consent page, and passes the sound set-up."""
    page = client.get(f"/t/{test.slug}/{query}")
    client.post(f"/t/{test.slug}/start/", consent_form(page))
    client.post(f"/t/{test.slug}/sound/")
    return Session.objects.latest("pk")


def rate_all(client: Client, test: ListeningTest) -> None:
    """To the last pair; the questions at the end come next."""
    state = current_state(client, test)
    while state["next"]:
        state = send(client, test, an_answer(state)).json()


def skip_the_questions(client: Client, test: ListeningTest) -> None:
    client.post(f"/t/{test.slug}/questions/", {"skip": "1"})


def send_withdrawal(client: Client, test: ListeningTest, *, follow: bool = True) -> Any:
    """Presses the button of the page, whose form names the sitting; the page that comes then."""
    session = client.get(f"/t/{test.slug}/withdraw/").context.get("session")
    return client.post(f"/t/{test.slug}/withdraw/", {"sitting": session.uuid} if session else {}, follow=follow)


def consent_form(page: Any) -> dict[str, str]:
    """What the button of the consent page sends."""
    claim, newcomer, test = (page.context[name] for name in ("claim", "newcomer", "test"))
    return {
        "newcomer": newcomer,
        "terms": test.consent_terms,
        "recruiter": claim.recruiter,
        "claimed_id": claim.claimed_id,
        "study": claim.study,
        "submission": claim.submission,
    }


def current_state(client: Client, test: ListeningTest) -> dict[str, Any]:
    """What the rating page was given."""
    state: dict[str, Any] = client.get(f"/t/{test.slug}/rate/").context["state"]
    return state


def an_answer(state: dict[str, Any], **changes: object) -> dict[str, object]:
    heard_s = state["next"]["duration_s"]
    return {
        "assignment": state["next"]["assignment"],
        "client_uuid": str(uuid.uuid4()),
        "score": 7,
        "plays": 1,
        "heard_s": heard_s,
        "elapsed_s": 0.01,
    } | changes


def send(client: Client, test: ListeningTest, answer: object) -> Any:
    body = answer if isinstance(answer, (str, bytes)) else json.dumps(answer)
    return client.post(f"/t/{test.slug}/ratings/", body, content_type="application/json")


def stored_ratings() -> list[tuple[Any, ...]]:
    return list(Rating.objects.order_by("pk").values_list(*STORED))
