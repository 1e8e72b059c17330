"""Scores that were given while the network was away, and a tab that was closed on them: no page lets them lie."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from listening_tests.choices import SessionStatus, TestStatus
from listening_tests.models import Assignment, ListeningTest, Rating, Session
from tests.browser.conftest import OpenPage, make_audible_test
from tests.browser.rating_page import (
    NOT_SAVED,
    agree,
    begin,
    caption,
    finish,
    listen,
    next_button,
    rate,
    score,
    scores_kept,
    sit_down,
)

pytestmark = pytest.mark.django_db(transaction=True)

NOT_SAVED_BEFORE = "A score that you gave before is not saved yet. Trying again: keep this page open."


# A request that a route holds while its tab is closed goes on to the server, for it is kept alive beyond the tab.
# So the tab that will be closed has no network at all for ratings, and none of its requests is ever on its way.
NO_RATING_LEAVES_THE_TAB = """
const send = window.fetch
window.fetch = (url, ...rest) =>
  String(url).includes('/ratings/') ? Promise.reject(new TypeError('no network')) : send(url, ...rest)
window.mendTheNetwork = () => { window.fetch = send }
"""


def give_in_vain(page: Page, value: int) -> str:
    """Gives a score that does not reach the server, and tells for which caption."""
    listen(page)
    score(page, value).check()
    shown = caption(page).inner_text()
    page.evaluate(f"() => {{ {NO_RATING_LEAVES_THE_TAB} }}")
    page.context.route("**/ratings/", lambda route: route.abort())
    next_button(page).click()
    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED)
    return shown


def close_in_a_new_tab(page: Page) -> Page:
    """The tab is closed, unsaved score or not; the browser goes on."""
    other = page.context.new_page()
    page.close()
    return other


def pause(test: ListeningTest) -> None:
    ListeningTest.objects.filter(pk=test.pk).update(status=TestStatus.PAUSED)


def end_the_lease(test: ListeningTest) -> None:
    Assignment.objects.update(lease_expires_at=timezone.now())


def cut_short(test: ListeningTest) -> None:
    end_the_lease(test)
    ListeningTest.objects.filter(pk=test.pk).update(status=TestStatus.CLOSED)
    Session.objects.update(status=SessionStatus.CUT_SHORT, finished_at=timezone.now(), questionnaire_at=timezone.now())


@pytest.mark.parametrize(
    ("happens", "before", "after"),
    [
        (pause, "This test is paused", "every score that reached us is saved"),
        (end_the_lease, "You have rated 0 of 2 sounds.", "You have rated 1 of 2 sounds; all of that is saved."),
        (cut_short, "0 ratings of yours are saved.", "1 rating of yours is saved."),
    ],
)
def test_a_score_given_offline_is_saved_by_the_page_that_the_rater_comes_back_to(
    open_page: OpenPage, happens: Callable[[ListeningTest], None], before: str, after: str
) -> None:
    test = make_audible_test(["First", "Second"])
    page = begin(open_page, test)
    shown = give_in_vain(page, 8)
    page = close_in_a_new_tab(page)
    happens(test)

    page.goto(f"/t/{test.slug}/")

    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED_BEFORE)
    expect(page.get_by_role("main")).to_contain_text(before)
    assert Rating.objects.count() == 0

    page.context.unroute("**/ratings/")

    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.get_by_role("main")).to_contain_text(after)
    assert list(Rating.objects.values_list("pair__caption__text", "score")) == [(shown, 8)]
    assert scores_kept(page) == []


def test_the_score_that_ends_the_sitting_leads_to_the_code(open_page: OpenPage) -> None:
    test = make_audible_test(["Only"])
    page = begin(open_page, test)
    give_in_vain(page, 8)
    page = close_in_a_new_tab(page)
    page.context.unroute("**/ratings/")

    page.goto(f"/t/{test.slug}/")

    finish(page)
    expect(page.get_by_text(test.completion_code, exact=True)).to_be_visible()
    assert Rating.objects.get().score == 8


def test_a_refusal_is_told_and_the_score_let_go(open_page: OpenPage) -> None:
    """The same sound was rated elsewhere meanwhile: the first score is kept."""
    test = make_audible_test(["First", "Second"])
    page = begin(open_page, test)
    give_in_vain(page, 8)
    page = close_in_a_new_tab(page)
    page.context.unroute("**/ratings/")
    Assignment.objects.update(rated_at=timezone.now())

    page.goto(f"/t/{test.slug}/")

    expect(page.get_by_role("alert")).to_contain_text("You have rated this sound before.")
    assert scores_kept(page) == []
    page.reload()
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_the_next_rater_of_the_browser_does_not_send_the_score_of_the_one_before(open_page: OpenPage) -> None:
    test = make_audible_test(["First", "Second"])
    page = open_page(f"/t/{test.slug}/?PROLIFIC_PID=one")
    agree(page)
    give_in_vain(page, 8)
    page = close_in_a_new_tab(page)
    page.context.unroute("**/ratings/")

    page.goto(f"/t/{test.slug}/?PROLIFIC_PID=two")
    agree(page)
    listen(page)
    score(page, 3).check()
    next_button(page).click()

    expect(page.locator("#saved")).to_have_text("Saved 1 of 2")
    assert list(Rating.objects.values_list("rater__identity__claimed_id", "score")) == [("two", 3)]
    assert scores_kept(page) == [8]


def test_a_tab_of_the_rater_before_keeps_the_score(open_page: OpenPage) -> None:
    """Its requests come under the next rater's cookie by now, and are refused as such."""
    test = make_audible_test(["First", "Second"])
    page = open_page(f"/t/{test.slug}/?PROLIFIC_PID=one")
    agree(page)
    give_in_vain(page, 8)
    other_tab = page.context.new_page()
    other_tab.goto(f"/t/{test.slug}/?PROLIFIC_PID=two")
    agree(other_tab)
    statuses: list[int] = []

    def note_the_status(route: Route) -> None:
        response = route.fetch()
        statuses.append(response.status)
        route.fulfill(response=response)

    page.route("**/ratings/", note_the_status)
    page.evaluate("mendTheNetwork()")

    expect(page.get_by_role("alert")).to_contain_text("This sound was not given to you.")
    assert statuses == [422]
    assert Rating.objects.count() == 0
    assert scores_kept(page) == [8]


def test_a_page_beside_the_rating_page_stays_as_it_is(open_page: OpenPage) -> None:
    """It saved nothing itself, and has no reason to load again."""
    test = make_audible_test(["First", "Second"])
    page = sit_down(open_page, test)
    beside = page.context.new_page()
    beside.goto(f"/t/{test.slug}/")
    expect(beside.get_by_role("heading", name="Welcome back")).to_be_visible()
    beside.evaluate("window.isAsItWas = true")
    page.bring_to_front()
    rate(page, 8)
    expect(page.locator("#saved")).to_have_text("Saved 1 of 2")
    assert beside.evaluate("window.isAsItWas")


def test_a_tab_sends_what_another_one_left_behind(open_page: OpenPage) -> None:
    test = make_audible_test(["Only"])
    page = sit_down(open_page, test)
    beside = page.context.new_page()
    beside.goto(f"/t/{test.slug}/rate/")
    page.bring_to_front()
    page.context.route("**/ratings/", lambda route: route.abort())
    rate(page, 8)
    expect(beside.get_by_role("heading", name="One moment")).to_be_visible()
    page = close_in_a_new_tab(page)
    page.context.unroute("**/ratings/")
    beside.wait_for_url("**/questions/")
    assert Rating.objects.get().score == 8
