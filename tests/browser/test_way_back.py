"""In through a recruiter's link, and back there: not before the server has everything."""

import re

import pytest
from playwright.sync_api import Page, expect

from listening_tests.models import ListeningTest, Rating
from tests.browser.conftest import OpenPage, make_audible_test
from tests.browser.rating_page import NOT_SAVED, agree, scores_kept
from tests.browser.test_waiting_ratings import NOT_SAVED_BEFORE, close_in_a_new_tab, cut_short, give_in_vain

pytestmark = pytest.mark.django_db(transaction=True)

LINK = "?PROLIFIC_PID=5f1e0c3a9b7d2e4f6a8c0b1d&STUDY_ID=6a1e0c3a9b7d2e4f6a8c0b1d&SESSION_ID=7b1e0c3a9b7d2e4f6a8c0b1d"
PROLIFIC = "https://app.prolific.com/**"
LONGER_THAN_THE_WAIT = "00:30"


def open_with_clock(page: Page, path: str) -> None:
    """The page's clock can be put forward from then on."""
    page.clock.install()
    page.goto(path)


def test_it_goes_back_by_itself_and_not_before_the_last_score_is_saved(open_page: OpenPage) -> None:
    test = make_audible_test(["Only", "Another"])
    ListeningTest.objects.update(recruiter="prolific")
    asked: list[str] = []
    page = open_page(f"/t/{test.slug}/{LINK}")
    page.context.on("request", lambda request: asked.append(request.url))
    page.context.route(PROLIFIC, lambda route: route.fulfill(body="Prolific"))
    agree(page)
    give_in_vain(page, 8)
    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED)
    page = close_in_a_new_tab(page)
    cut_short(test)

    open_with_clock(page, f"/t/{test.slug}/")

    back = page.get_by_role("link", name="Go back to Prolific")
    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED_BEFORE)
    page.clock.fast_forward(LONGER_THAN_THE_WAIT)
    expect(back).to_be_hidden()
    assert Rating.objects.count() == 0 and scores_kept(page) == [8]

    page.context.unroute("**/ratings/")
    page.clock.fast_forward(LONGER_THAN_THE_WAIT)
    expect(back).to_be_visible()
    expect(page.get_by_text("Everything is saved. This page leads you back in a few seconds.")).to_be_visible()
    assert Rating.objects.count() == 1
    assert [url for url in asked if "prolific.com" in url] == []

    page.clock.fast_forward(LONGER_THAN_THE_WAIT)
    page.wait_for_url(re.compile(rf"https://app\.prolific\.com/submissions/complete\?cc={test.completion_code}$"))

    page.goto(f"/t/{test.slug}/")
    expect(back).to_be_visible()
    page.clock.fast_forward(LONGER_THAN_THE_WAIT)
    expect(page.get_by_role("button", name="Stay on this page")).to_be_hidden()
    expect(page).to_have_url(re.compile("/done/$"))
