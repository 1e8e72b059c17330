"""The scorer as the web process asks it. Few at a time, so that raters find threads of the web server free."""

import json
import socket
import threading
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from django.conf import settings

from listening_tests.exceptions import Refused
from worker.scoring.messages import ADDRESS, Answered, Asked, mime_type, pack, password, unpack_answer

# Of this process; the web server has more threads than this in each of its processes.
MOST_AT_ONCE = 16
# The scorer itself answers in time, or says that it is late; beyond this nobody is there.
GRACE_S = 2.0
CONNECT_S = 2.0
BUSY = "So many questions are on their way to the scorer that this one was not taken. Ask again in a second."
AWAY = "The scorer does not answer just now; it is started again by itself. Ask again in a few seconds."
SILENT = "The scorer has not answered within {seconds:g} s. Ask again, with fewer captions or a shorter sound."

_places = threading.BoundedSemaphore(MOST_AT_ONCE)
_kept = threading.local()


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
    line = _Line(settings.EARMARK_SCORER)
    try:
        line.open(answers_within_s=GRACE_S)
        line.request("GET", ADDRESS)
        return line.getresponse().status == HTTPStatus.UNAUTHORIZED
    except (OSError, HTTPException):
        return False
    finally:
        line.close()


def _ask(asked: Asked) -> Answered:
    try:
        status, content = _sent(asked)
    except TimeoutError as error:
        raise ScorerAway(SILENT.format(seconds=asked.within_s)) from error
    except (OSError, HTTPException) as error:
        raise ScorerAway(AWAY) from error
    if status == HTTPStatus.OK:
        return unpack_answer(content)
    detail = str(json.loads(content)["detail"])
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        raise Refused(detail)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ScorerBusy(detail)
    raise ScorerAway(detail)


def _sent(asked: Asked) -> tuple[int, bytes]:
    """The answer's status and content. Raises OSError and HTTPException."""
    line = _line(settings.EARMARK_SCORER)
    is_fresh = line.sock is None
    try:
        return line.ask(asked)
    except (ConnectionError, HTTPException):
        # A connection that was kept, and that the scorer closed at this moment. To ask twice changes nothing.
        if is_fresh:
            raise
        return line.ask(asked)


def _line(address: str) -> "_Line":
    """This thread's: threads of a web server stay, and each asks one thing at a time."""
    line: _Line | None = getattr(_kept, "line", None)
    if line is None or line.address != address:
        line = _kept.line = _Line(address)
    return line


class _Line(HTTPConnection):
    """A connection that is kept. `address` is http://host:port, or unix: and the path of a socket."""

    def __init__(self, address: str) -> None:
        super().__init__("scorer" if address.startswith("unix:") else urlsplit(address).netloc, timeout=CONNECT_S)
        self.address = address

    def connect(self) -> None:
        if not self.address.startswith("unix:"):
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(CONNECT_S)
        self.sock.connect(self.address.removeprefix("unix:"))

    def open(self, *, answers_within_s: float) -> None:
        """Raises ConnectionError where nobody is there."""
        try:
            if self.sock is None:
                self.connect()
        except TimeoutError as error:
            raise ConnectionError from error
        self.sock.settimeout(answers_within_s)

    def ask(self, asked: Asked) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {password()}", "Content-Type": mime_type()}
        try:
            self.open(answers_within_s=asked.within_s + GRACE_S)
            self.request("POST", ADDRESS, pack(asked), headers)
            response = self.getresponse()
            return response.status, response.read()
        except BaseException:
            self.close()
            raise
