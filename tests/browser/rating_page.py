"""The rating page as tests find their way on it: its controls by the names that people and screen readers know."""

from playwright.sync_api import Locator, Page, expect

from listening_tests.models import ListeningTest
from tests.browser.conftest import OpenPage

NOT_SAVED = "Not saved yet, trying again. Your score is kept."


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


def listen(page: Page) -> None:
    play_button(page).click()
    expect(score(page, 0)).to_be_enabled()


def finish(page: Page) -> None:
    """From the last rating to the code, without answers to the last questions."""
    page.get_by_role("button", name="Skip", exact=True).click()
    page.wait_for_url("**/done/")


def begin(open_page: OpenPage, test: ListeningTest, **options: object) -> Page:
    page = open_page(f"/t/{test.slug}/", **options)
    agree(page)
    return page
