"""A rater who loads what a browser would load, through locust's client, which counts and times every request."""

import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

from locust.contrib.fasthttp import FastHttpSession, FastResponse

from benchmarks.http_rater import HttpRater
from benchmarks.thousand_raters.server_timings import SENT_AT

# What a page names and a browser loads by itself.
_PARTS = re.compile(r'<(?:link|script|img|audio|source)\b[^>]*?\s(?:src|href)="(/[^"]+)"')
# A kept connection that the server has closed is opened anew and the request sent again, as browsers do.
MOST_SENDS = 3


@dataclass
class BrowsingRater(HttpRater):
    """Keeps parts of pages, and a clip for each assignment, as a browser's cache does."""

    client: FastHttpSession = field(kw_only=True)
    etags: dict[str, str] = field(default_factory=dict)
    resends: int = 0
    _parts: set[str] = field(default_factory=set)

    def load_clip(self, pair: dict[str, Any]) -> None:
        """The whole clip the first time; afterwards only whether it is still the same."""
        address = pair["audio"]
        if address not in self.etags:
            answer = self._ask("GET", self.site + address, name="clip, first time")
            self.etags[address] = answer.headers["ETag"]
            return
        headers = {"If-None-Match": self.etags[address]}
        answer = self._ask("GET", self.site + address, name="clip, again", headers=headers)
        if answer.status_code != 304:
            raise RuntimeError(f"A clip that is the same was answered with {answer.status_code}.")

    def load_clips(self, state: dict[str, Any]) -> None:
        """Of the pair to rate now and of those ahead, what is not there yet."""
        for pair in [state["next"], *state.get("ahead", [])]:
            if pair is not None and pair["audio"] not in self.etags:
                self.load_clip(pair)

    def _read(self, request: Request) -> str:
        is_rating = request.full_url.endswith("/ratings/")
        answer = self._ask(
            request.get_method(),
            request.full_url,
            name="rating" if is_rating else "page",
            data=request.data,
            # As urllib adds it to a form.
            headers={"Content-type": "application/x-www-form-urlencoded", **request.headers} if request.data else None,
        )
        text = answer.content.decode()
        if not is_rating:
            self._load_parts(text)
        return text

    def _load_parts(self, page: str) -> None:
        for address in set(_PARTS.findall(page)) - self._parts:
            self._parts.add(address)
            self._ask("GET", self.site + address, name="part of a page")

    def _ask(self, method: str, url: str, *, name: str, data: Any = None, headers: Any = None) -> FastResponse:
        """Raises HTTPError for an answer that is none of success, and where none came at all."""
        start = time.perf_counter()
        for number in range(MOST_SENDS):
            sent = {**(headers or {}), SENT_AT: f"{time.time():.6f}"}
            answer = self.client.request(method, url, name=name, data=data, headers=sent, catch_response=True)
            if answer.status_code or number == MOST_SENDS - 1:
                break
            self.resends += 1
        answer.request_meta["response_time"] = 1000 * (time.perf_counter() - start)
        with answer:
            pass
        if not 200 <= answer.status_code < 400:
            raise HTTPError(url, answer.status_code, f"{method} {url}: {answer.error!r}", answer.headers, None)
        return answer
