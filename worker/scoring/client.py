"""The scorer as the web process asks it. Few at a time, so that raters find threads of the web server free."""

import threading
from functools import cache
from http import HTTPStatus

import httpx2
from django.conf import settings

from listening_tests.exceptions import Refused
from worker.scoring.messages import ADDRESS, Answered, Asked, mime_type, pack, password, unpack_answer

# Of this process; the web server has more threads than this in each of its processes.
MOST_AT_ONCE = 16
# The scorer itself answers in time, or says that it is late; beyond this nobody is there.
GRACE_S = 2.0
BUSY = "So many questions are on their way to the scorer that this one was not taken. Ask again in a second."
AWAY = "The scorer does not answer just now; it is started again by itself. Ask again in a few seconds."
SILENT = "The scorer has not answered within {seconds:g} s. Ask again, with fewer captions or a shorter sound."

_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class ScorerBusy(Exception):
    """Too many ask; the message is a sentence."""


class ScorerAway(Exception):
    """Nobody answers, or not in time, or the model cannot be opened; the message is a sentence."""


def ask(asked: Asked) -> Answered:
    """Raises Refused for the sound, ScorerBusy and ScorerAway."""
    if not _places.acquire(blocking=False):
        raise ScorerBusy(BUSY)
    try:
        return _ask(asked)
    finally:
        _places.release()


def is_there() -> bool:
    """Whether a scorer answers at all. It opens no model for this question, which lacks the password."""
    try:
        answer = _client(settings.EARMARK_SCORER).get(ADDRESS, timeout=GRACE_S)
    except httpx2.HTTPError:
        return False
    return answer.status_code == HTTPStatus.UNAUTHORIZED


def _ask(asked: Asked) -> Answered:
    try:
        try:
            response = _sent(asked)
        except httpx2.RemoteProtocolError:
            # A connection that was kept, and that the scorer closed at this moment. To ask twice changes nothing.
            response = _sent(asked)
    except httpx2.ReadTimeout as error:
        raise ScorerAway(SILENT.format(seconds=asked.within_s)) from error
    except httpx2.HTTPError as error:
        raise ScorerAway(AWAY) from error
    if response.status_code == HTTPStatus.OK:
        return unpack_answer(response.content)
    detail = str(response.json()["detail"])
    if response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        raise Refused(detail)
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise ScorerBusy(detail)
    raise ScorerAway(detail)


def _sent(asked: Asked) -> httpx2.Response:
    return _client(settings.EARMARK_SCORER).post(
        ADDRESS,
        content=pack(asked),
        headers={"Authorization": f"Bearer {password()}", "Content-Type": mime_type()},
        timeout=httpx2.Timeout(asked.within_s + GRACE_S, connect=2.0),
    )


@cache
def _client(address: str) -> httpx2.Client:
    """Keeps connections. `address` is http://host:port, or unix: and the path of a socket."""
    limits = httpx2.Limits(max_connections=MOST_AT_ONCE, max_keepalive_connections=MOST_AT_ONCE, keepalive_expiry=60)
    if address.startswith("unix:"):
        transport = httpx2.HTTPTransport(uds=address.removeprefix("unix:"), limits=limits, trust_env=False)
        return httpx2.Client(base_url="http://scorer", transport=transport)
    return httpx2.Client(base_url=address, transport=httpx2.HTTPTransport(limits=limits, trust_env=False))
