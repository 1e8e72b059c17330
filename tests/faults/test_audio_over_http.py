"""Sounds as gunicorn and everything before it send them: in parts, whole, never compressed."""

from http.client import HTTPConnection, HTTPResponse

import pytest

from benchmarks.http_rater import HttpRater
from benchmarks.installation import Installation


class Sound:
    """The address of one clip, asked as players ask, over a connection of its own each time."""

    def __init__(self, installation: Installation, rater: HttpRater, path: str) -> None:
        self.port, self.path = installation.port, path
        self.cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in rater.cookies)

    def ask(self, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, self.path, headers={"Cookie": self.cookies, "Accept-Encoding": "gzip, br"} | sent)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body


@pytest.fixture(scope="module")
def sound(installation: Installation) -> Sound:
    installation.make_test("sounds", pairs=1, pairs_per_session=1)
    rater = HttpRater(installation.site, "sounds")
    assert rater.start()
    return Sound(installation, rater, rater.state()["next"]["audio"])


def test_it_works(sound: Sound) -> None:
    answer, content = sound.ask()
    assert (answer.status, content[:4]) == (200, b"fLaC")
    assert answer.headers["Content-Type"] == "audio/flac"
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Encoding"] is None
    assert "no-transform" in answer.headers["Cache-Control"]


def test_parts(sound: Sound) -> None:
    _, content = sound.ask()
    size = len(content)
    for header, first, last in [
        ("bytes=0-1", 0, 1),
        ("bytes=-5", size - 5, size - 1),
        ("bytes=70-", 70, size - 1),
        ("bytes=0-", 0, size - 1),
    ]:
        answer, part = sound.ask(Range=header)
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert answer.headers["Content-Length"] == str(last - first + 1)
        assert answer.headers["Content-Encoding"] is None
        assert part == content[first : last + 1]


def test_a_part_behind_the_end(sound: Sound) -> None:
    _, content = sound.ask()
    answer, part = sound.ask(Range=f"bytes={len(content)}-")
    assert (answer.status, part) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{len(content)}"


def test_head(sound: Sound) -> None:
    _, content = sound.ask()
    answer, nothing = sound.ask("HEAD")
    assert (answer.status, nothing) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(content))


def test_if_range_and_if_none_match(sound: Sound) -> None:
    whole, content = sound.ask()
    tag = whole.headers["ETag"]
    assert sound.ask(Range="bytes=0-9", If_Range=tag)[0].status == 206
    changed, body = sound.ask(Range="bytes=0-9", If_Range='"other"')
    assert (changed.status, body) == (200, content)
    known, nothing = sound.ask(If_None_Match=tag)
    assert (known.status, nothing) == (304, b"")
