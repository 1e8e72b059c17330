"""The rating page as tests find their way on it: its controls by the names that people and screen readers know."""

from uuid import uuid4

from django.http import HttpResponse
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from listening_tests import rater_cookie
from listening_tests.models import ListeningTest, Session
from listening_tests.services.sessions import session_start
from tests.browser.conftest import OpenPage

NOT_SAVED = "Not saved yet, trying again. Your scores are kept."


READ_OUTBOX = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("earmark", 1);
  opening.onupgradeneeded = reject;
  opening.onsuccess = () => {
    const reading = opening.result.transaction("outbox").objectStore("outbox").getAll();
    reading.onsuccess = () => { opening.result.close(); resolve(reading.result.map((entry) => entry.body.score)); };
  };
})"""


def scores_kept(page: Page) -> list[int]:
    """What this browser has not yet seen acknowledged, of all its raters."""
    kept: list[int] = page.evaluate(READ_OUTBOX)
    return kept


def play_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Play", exact=True)


def next_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Next", exact=True)


def score(page: Page, value: int) -> Locator:
    return page.get_by_role("radio", name=str(value), exact=True)


def caption(page: Page) -> Locator:
    return page.locator("#caption")


def agree(page: Page) -> None:
    page.get_by_role("button", name="I agree, start").click()
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(play_button(page)).to_be_enabled()


# Where the machine was so busy that the sound stood still, the page takes it for interrupted and Play goes on.
IS_UNLOCKED = """() => {
  if (document.querySelector(".from-start:not([hidden])")) document.querySelector(".play").click();
  return document.querySelector(".scale input, .line input")?.disabled === false;
}"""


def listen(page: Page) -> None:
    play_button(page).click()
    # expect() looks less and less often, and most tests listen.
    page.wait_for_function(IS_UNLOCKED, polling=50)


def finish(page: Page) -> None:
    """From the last rating to the code, without answers to the last questions."""
    page.get_by_role("button", name="Skip", exact=True).click()
    page.wait_for_url("**/done/")


def rate(page: Page, value: int) -> str:
    """Hears the pair that is shown and gives it a score. Returns its caption."""
    shown = caption(page).inner_text()
    listen(page)
    score(page, value).check()
    next_button(page).click()
    # Until the browser has kept the score, Play rests with the pair that is rated.
    page.wait_for_function(
        "() => !document.querySelector('.play:disabled') || document.querySelector('#rating[hidden]')"
    )
    return shown


def expect_loaded_ahead(page: Page, clips: int) -> None:
    """Waits until the browser holds so many clips."""
    page.wait_for_function(
        "(n) => performance.getEntriesByType('resource').filter((e) => e.name.includes('/audio/')).length >= n",
        arg=clips,
    )


def begin(open_page: OpenPage, test: ListeningTest, **options: object) -> Page:
    page = open_page(f"/t/{test.slug}/", **options)
    agree(page)
    return page


def sit_down(
    open_page: OpenPage, test: ListeningTest, *, script: str = "", first_button: str = "Play", **options: object
) -> Page:
    """Opens the rating page of a new sitting whose rater has come past consent and sound set-up. `script` runs before
    the page's own scripts; `first_button` plays the first sound."""
    page = open_page("about:blank", **options)
    if script:
        page.context.add_init_script(script)
    rater_uuid = uuid4()
    Session.objects.filter(pk=session_start(test=test, rater_uuid=rater_uuid).pk).update(sound_set_up_at=timezone.now())
    response = HttpResponse()
    rater_cookie.rater_write(response, rater_uuid)
    cookie = {"name": rater_cookie.NAME, "value": response.cookies[rater_cookie.NAME].value}
    page.context.add_cookies([{**cookie, "domain": "localhost", "path": "/"}])
    page.goto(f"/t/{test.slug}/rate/")
    expect(page.get_by_role("button", name=first_button, exact=True)).to_be_enabled()
    return page
