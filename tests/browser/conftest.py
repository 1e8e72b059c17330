"""A real Chromium against the live site: pages as raters meet them, on a phone unless a test asks for a desk."""

import io
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import numpy
import pytest
import soundfile
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.core.files.base import ContentFile
from django.test import Client, override_settings
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from listening_tests.models import Clip, ListeningTest
from tests.factories import make_caption, make_clip, make_pair, make_test
from tests.webapp.factories import make_staff

PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True, "device_scale_factor": 1}
DESK = {"viewport": {"width": 1280, "height": 800}}
SAMPLE_RATE_HZ = 48_000
# The machine may be busy; nothing waits this long where all is well.
LONGEST_WAIT_MS = 30_000

# As long as a clip is, where a test does not say. Of what is heard before it, as little.
CLIP_S = 0.2
# What the page takes for heard to the end: 95 % of the clip, less the .05 s that players round off.
PLAYED_WITHIN_S = 0.061
LEAD_IN_S = 0.1

OpenPage = Callable[..., Page]


@pytest.fixture(scope="session", autouse=True)
def short_lead_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every page plays it before its first clip, and no earphones sleep here."""
    folder = tmp_path_factory.mktemp("static")
    whole = finders.find("rater/lead_in.wav")
    samples, rate_hz = soundfile.read(whole, dtype="int16")
    (folder / "rater").mkdir()
    soundfile.write(folder / "rater" / "lead_in.wav", samples[: round(LEAD_IN_S * rate_hz)], rate_hz)
    with override_settings(STATICFILES_DIRS=[folder, *django_settings.STATICFILES_DIRS]):
        yield


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer) -> Iterator[OpenPage]:
    """Opens a path of the site in a new browser profile; fails the test at its end where a page's script failed."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_path(path: str, **options: object) -> Page:
        context = browser.new_context(base_url=live_server.url, **(PHONE | options))  # type: ignore[arg-type]
        context.set_default_timeout(LONGEST_WAIT_MS)
        context.on("weberror", lambda error: faults.append(str(error.error)))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
        page.goto(path)
        return page

    yield open_path
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def signed_in(client: Client, live_server: LiveServer) -> dict[str, object]:
    """Options of a page whose browser has signed in as staff."""
    client.force_login(make_staff())
    session = {
        "name": django_settings.SESSION_COOKIE_NAME,
        "value": client.cookies[django_settings.SESSION_COOKIE_NAME].value,
        "domain": urlsplit(live_server.url).hostname,
        **{"path": "/", "expires": -1, "httpOnly": True, "secure": False, "sameSite": "Lax"},
    }
    return {"storage_state": {"cookies": [session], "origins": []}}


@pytest.fixture
def open_as_staff(open_page: OpenPage, signed_in: dict[str, object]) -> OpenPage:
    """Opens a path as somebody who has signed in. Charts stand still, so that a click meets what it aims at."""

    def open_path(path: str, **options: object) -> Page:
        return open_page(path, **(DESK | {"reduced_motion": "reduce"} | signed_in | options))

    return open_path


def tone_flac(*, hertz: float, duration_s: float) -> bytes:
    time_s = numpy.arange(round(SAMPLE_RATE_HZ * duration_s)) / SAMPLE_RATE_HZ
    stream = io.BytesIO()
    soundfile.write(stream, 0.1 * numpy.sin(2 * numpy.pi * hertz * time_s), SAMPLE_RATE_HZ, format="FLAC")
    return stream.getvalue()


def make_tone(*, hertz: float, duration_s: float = CLIP_S) -> Clip:
    """A clip that a browser can play."""
    content = tone_flac(hertz=hertz, duration_s=duration_s)
    clip = make_clip(content=content, duration_s=duration_s)
    clip.rendition.save("tone.flac", ContentFile(content))
    return clip


def make_audible_test(captions: list[str], *, practice: int = 0, duration_s: float = CLIP_S) -> ListeningTest:
    """An open test with one pair of a tone for each caption, every one of them asked for in a session."""
    test = make_test(pairs_per_session=len(captions), contact_email="lab@example.org")
    for number, text in enumerate(captions):
        make_pair(test, clip=make_tone(hertz=300 + 20 * number, duration_s=duration_s), caption=make_caption(text))
    for number in range(practice):
        clip = make_tone(hertz=200 + 10 * number, duration_s=duration_s)
        make_pair(test, role="practice", clip=clip, caption=make_caption(f"A practice tone, number {number + 1}"))
    return test
