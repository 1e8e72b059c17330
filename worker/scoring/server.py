"""The scorer: a WSGI application of one process, which gunicorn runs, that holds models open and answers questions.

Its threads read questions and check what was sent; one more thread works on all that wait, together. It asks no
database. Who asks must know the site's key.
"""

import json
import logging
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.utils.crypto import constant_time_compare

from listening_tests.audio import decode
from listening_tests.exceptions import Refused
from worker.scoring.batcher import Batcher, Full, Late
from worker.scoring.messages import (
    ADDRESS,
    LARGEST_QUESTION_BYTES,
    LARGEST_SOUND_BYTES,
    Answered,
    Asked,
    Malformed,
    pack_answer,
    password,
    unpack,
)
from worker.scoring.residents import NoModel, Question, Residents

logger = logging.getLogger(__name__)

# Beyond it who asks is told to come back. gunicorn must have more threads than this and a batch together.
MOST_WAITING = 64
# How long a question waits for company.
GATHER_S = 0.003
BUSY = "So many questions wait for the scorer already that this one was not taken. Ask again in a second."
LATE = "The scorer did not come to this question in time. Ask again, with fewer captions or a shorter sound."
FAULT = "The scorer met a fault of Earmark; its log tells more. Ask again; if this happens again, tell who runs it."
# What is decoded at one time: a minute of sound takes a hundred megabytes.
DECODING_AT_ONCE = 2


class Scorer:
    """`application` is one; tests make their own."""

    def __init__(self, *, at_once: int, most_waiting: int = MOST_WAITING, residents: Residents | None = None) -> None:
        work = (residents or Residents()).answer
        self._batcher: Batcher[Question, Answered] = Batcher(
            work, at_once=at_once, most_waiting=most_waiting, gather_s=GATHER_S
        )
        self._decoding = threading.BoundedSemaphore(DECODING_AT_ONCE)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        code, body = self._respond(environ)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{code.value} {code.phrase}", headers)
        return [body]

    def _respond(self, environ: dict[str, Any]) -> tuple[HTTPStatus, bytes]:
        if not constant_time_compare(environ.get("HTTP_AUTHORIZATION", ""), f"Bearer {password()}"):
            return _told(HTTPStatus.UNAUTHORIZED, "This is the scorer of an Earmark; it answers its site alone.")
        if environ.get("PATH_INFO") != ADDRESS or environ.get("REQUEST_METHOD") != "POST":
            return _told(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
        try:
            return HTTPStatus.OK, pack_answer(self._answer(unpack(_body(environ))))
        except Malformed as error:
            return _told(HTTPStatus.BAD_REQUEST, str(error))
        except Refused as refusal:
            return _told(HTTPStatus.UNPROCESSABLE_ENTITY, str(refusal))
        except Full:
            return _told(HTTPStatus.TOO_MANY_REQUESTS, BUSY)
        except (NoModel, Late) as error:
            return _told(HTTPStatus.SERVICE_UNAVAILABLE, str(error) or LATE)
        except Exception:
            logger.exception("A question could not be answered.")
            return _told(HTTPStatus.INTERNAL_SERVER_ERROR, FAULT)

    def _answer(self, asked: Asked) -> Answered:
        with self._file(asked) as path:
            question = Question(asked.model, asked.is_stored, path, asked.name, asked.captions)
            return self._batcher.ask(question, within_s=asked.within_s)

    @contextmanager
    def _file(self, asked: Asked) -> Iterator[Path]:
        """Where the sound lies. What was sent is decoded first as an upload of clips is, within its limits."""
        if asked.sound:
            yield Path(settings.MEDIA_ROOT) / asked.sound
            return
        with self._decoding:
            decode(asked.content, name=asked.name)
        # No ending: what is in it decides how it is read.
        with tempfile.NamedTemporaryFile(prefix="earmark-sound-") as file:
            file.write(asked.content)
            file.flush()
            yield Path(file.name)


def _body(environ: dict[str, Any]) -> bytes:
    """Raises Malformed for what is larger than any question."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not 0 < length <= LARGEST_SOUND_BYTES + LARGEST_QUESTION_BYTES:
        raise Malformed("A question is not so long.")
    return bytes(environ["wsgi.input"].read(length))


def _told(code: HTTPStatus, detail: str) -> tuple[HTTPStatus, bytes]:
    return code, json.dumps({"detail": detail}).encode()


def make_application() -> Scorer:
    """What gunicorn runs: `gunicorn "worker.scoring.server:make_application()"`."""
    django.setup()
    return Scorer(at_once=settings.EARMARK_SCORE_BATCH)
