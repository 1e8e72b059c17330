"""A rater without a browser: real HTTP, cookies and CSRF as a page sends them, and a listener's plausible evidence."""

import json
import re
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener
from uuid import uuid4

# The check on the instructions that new tests have in the admin.
RIGHT_ANSWER = "How well the caption matches the sound"
_ANSWER = re.compile(r'<input type="radio" name="([^"]+)" value="([^"]*)"[^>]*>\s*<span dir="auto">([^<]*)</span>')


@dataclass
class HttpRater:
    """Sits at one test. `acknowledged` holds the client uuid of every rating that the server said it stored; `link` is
    what the recruiter's link says after its question mark.
    """

    site: str
    slug: str
    link: str = ""
    cookies: CookieJar = field(default_factory=CookieJar)
    acknowledged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(self.cookies))

    def start(self) -> bool:
        """Agrees to the consent text and passes the sound set-up; False where the server says that nothing is left."""
        address = self._address(f"?{self.link}" if self.link else "")
        fields = _hidden_fields(self._read(Request(address)))  # noqa: S310 -- our own address
        if "newcomer" not in fields:
            return False
        try:
            page = self._send("start/", fields)
        except HTTPError as error:
            if error.code == 409:
                return False
            raise
        self._send("sound/", _hidden_fields(self._show_to_have_understood(page)))
        return True

    def _show_to_have_understood(self, page: str) -> str:
        """Answers the check on the instructions, if `page` is one as new tests have it; the page after it."""
        fields = _hidden_fields(page)
        if "attempt" not in fields:
            return page
        answers = {name: value for name, value, words in _ANSWER.findall(page) if words == RIGHT_ANSWER}
        return self._send("check/", fields | answers)

    def state(self) -> dict[str, Any]:
        """What the rating page knows: the pair to rate now."""
        page = self._read(Request(self._address("rate/")))  # noqa: S310 -- our own address
        found = re.search(r'<script id="state" type="application/json">(.*?)</script>', page)
        return json.loads(found[1]) if found else {"next": None}

    def rate(self, pair: dict[str, Any], *, score: int, client_uuid: str = "", **evidence: float) -> dict[str, Any]:
        """Submits a score for `pair` and returns the server's answer, with the next pair in it. `evidence` is other
        than that of who plays a clip once and thinks for a second.
        """
        rating = {
            "assignment": pair["assignment"],
            "client_uuid": client_uuid or str(uuid4()),
            "score": score,
            "plays": 1,
            "heard_s": pair["duration_s"],
            "elapsed_s": pair["duration_s"] + 1,
        } | evidence
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        headers = {"Content-Type": "application/json", "X-CSRFToken": token or "", "Referer": self.site}
        request = Request(self._address("ratings/"), json.dumps(rating).encode(), headers)  # noqa: S310 -- as above
        answer: dict[str, Any] = json.loads(self._read(request))
        self.acknowledged.append(rating["client_uuid"])
        return answer

    def rate_to_the_end(self) -> int:
        """The whole sitting; how many ratings were acknowledged."""
        if not self.start():
            return 0
        pair = self.state()["next"]
        while pair is not None:
            pair = self.rate(pair, score=len(self.acknowledged) % 11)["next"]
        return len(self.acknowledged)

    def finish(self) -> str:
        """Skips the last questions; the code that was given."""
        fields = _hidden_fields(self._read(Request(self._address("questions/"))))  # noqa: S310 -- our own address
        found = re.search(r'id="code"[^>]*>([^<]*)<', self._send("questions/", fields | {"skip": "1"}))
        return found[1] if found else ""

    def _send(self, path: str, fields: dict[str, str]) -> str:
        """Sends a form, and returns the page that the answer leads to."""
        return self._read(Request(self._address(path), urlencode(fields).encode()))  # noqa: S310 -- our own address

    def _address(self, path: str) -> str:
        return f"{self.site}/t/{self.slug}/{path}"

    def _read(self, request: Request) -> str:
        with self._opener.open(request, timeout=60) as answer:
            return str(answer.read().decode())


def _hidden_fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
