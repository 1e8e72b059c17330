"""A rater at full speed: posts one rating after another over one kept connection, at as little cost as can be.

The client shares the processors with the server that it measures, so requests are written and answers read by hand.
"""

import json
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.http_rater import HttpRater

# A connection that was closed while it lay idle is opened anew, as browsers do: ratings are idempotent.
MOST_SENDS = 3


@dataclass
class KeptConnection:
    """One connection to `site`, kept from answer to answer."""

    site: str
    resends: int = 0
    _socket: socket.socket | None = None

    def ask(self, head: str, body: bytes = b"") -> tuple[int, bytes]:
        """Sends a request, `head` without its Host and Content-Length lines; the answer's status and body."""
        address = urlsplit(self.site)
        lines = f"{head}\r\nHost: {address.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
        request = lines.encode() + body
        for _ in range(MOST_SENDS - 1):
            try:
                return self._ask_once(request)
            except ConnectionError:
                self.resends += 1
                self.close()
        return self._ask_once(request)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _ask_once(self, request: bytes) -> tuple[int, bytes]:
        if self._socket is None:
            address = urlsplit(self.site)
            self._socket = socket.create_connection((address.hostname, address.port), timeout=60)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)
        read = b""
        while b"\r\n\r\n" not in read:
            read += self._receive()
        head, _, body = read.partition(b"\r\n\r\n")
        head = head.lower()
        _, _, length = head.partition(b"\r\ncontent-length:")
        if not length:
            raise RuntimeError("The answer does not tell its length, and this client reads no other.")
        missing = int(length.split(b"\r\n", 1)[0]) - len(body)
        while missing > 0:
            more = self._receive()
            body += more
            missing -= len(more)
        if b"\r\nconnection: close" in head:
            self.close()
        return int(head[9:12]), body

    def _receive(self) -> bytes:
        read = self._socket.recv(65_536) if self._socket else b""
        if not read:
            raise ConnectionResetError("The server closed the connection.")
        return read


@dataclass
class KeenRater:
    """Sits at one test after another sitting, as long as there is something to rate and `goes_on` says so."""

    site: str
    slug: str
    acknowledged: list[str] = field(default_factory=list)
    # When each rating was sent, by time.perf_counter, and how long its answer took, in milliseconds.
    answers: list[tuple[float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    resends: int = 0

    def rate_while(self, goes_on: Callable[["KeenRater"], bool]) -> None:
        while goes_on(self) and not self.errors:
            seat = HttpRater(self.site, self.slug)
            if not seat.start():
                return
            self._rate_one_sitting(seat, goes_on)

    def _rate_one_sitting(self, seat: HttpRater, goes_on: Callable[["KeenRater"], bool]) -> None:
        pair = seat.state()["next"]
        head = self._head(seat)
        connection = KeptConnection(self.site)
        while pair is not None and goes_on(self) and not self.errors:
            pair = self._rate(connection, head, pair)
        self.resends += connection.resends
        connection.close()

    def _head(self, seat: HttpRater) -> str:
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in seat.cookies)
        token = next(cookie.value for cookie in seat.cookies if cookie.name == "csrftoken")
        return (
            f"POST /t/{self.slug}/ratings/ HTTP/1.1\r\nContent-Type: application/json\r\nCookie: {cookies}\r\n"
            f"X-CSRFToken: {token}\r\nReferer: {self.site}"
        )

    def _rate(self, connection: KeptConnection, head: str, pair: dict[str, Any]) -> dict[str, Any] | None:
        rating = {
            "assignment": pair["assignment"],
            "client_uuid": str(uuid4()),
            "score": len(self.acknowledged) % 11,
            "plays": 1,
            "heard_s": pair["duration_s"],
            "elapsed_s": pair["duration_s"] + 1,
        }
        sent_at = time.perf_counter()
        status, body = connection.ask(head, json.dumps(rating).encode())
        self.answers.append((sent_at, 1000 * (time.perf_counter() - sent_at)))
        if status not in (200, 201):
            self.errors.append(f"{status}: {body[:200]!r}")
            return None
        self.acknowledged.append(rating["client_uuid"])
        following: dict[str, Any] | None = json.loads(body)["next"]
        return following
