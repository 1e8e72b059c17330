"""No rating is ever lost, and none is given twice: through cuts, reloads, closed and doubled tabs, and wrong clocks."""

import pytest
from playwright.sync_api import Dialog, Page, Route, expect

from listening_tests.models import Rating
from tests.browser.conftest import DESK, OpenPage, make_audible_test
from tests.browser.rating_page import (
    NOT_SAVED,
    caption,
    expect_loaded_ahead,
    listen,
    next_button,
    play_button,
    rate,
    score,
    scores_kept,
    sit_down,
)

pytestmark = pytest.mark.django_db(transaction=True)

NO_BROADCAST = "delete window.BroadcastChannel;"
NO_INDEXED_DB = "Object.defineProperty(window, 'indexedDB', { value: undefined });"
# What of the web exists over https alone.
NO_SECURE_CONTEXT = """
delete Crypto.prototype.randomUUID;
delete Navigator.prototype.locks;
delete Navigator.prototype.wakeLock;
delete Navigator.prototype.storage;
"""


def scores_by_caption() -> dict[str, float]:
    return dict(Rating.objects.values_list("pair__caption__text", "score"))


def expect_saved(page: Page, saved: int, planned: int) -> None:
    expect(page.locator("#saved")).to_have_text(f"Saved {saved} of {planned}")


def test_the_next_pair_is_shown_before_the_score_is_saved(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second"]))
    held: list[Route] = []
    page.route("**/ratings/", lambda route: held.append(route))

    shown = rate(page, 8)

    expect(caption(page)).not_to_have_text(shown)
    expect(page.locator("#on-its-way")).to_have_text("1 more on its way")
    expect_saved(page, 0, 2)
    held.pop().continue_()
    expect_saved(page, 1, 2)
    expect(page.locator("#on-its-way")).to_have_text("")


@pytest.mark.parametrize("script", ["", NO_INDEXED_DB, NO_SECURE_CONTEXT])
def test_pairs_rated_offline_are_saved_when_the_network_is_back(open_page: OpenPage, script: str) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second", "Third", "Fourth"]), script=script)
    expect_loaded_ahead(page, 3)
    page.context.set_offline(True)

    given = {rate(page, value): value for value in (8, 2)}
    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED)
    given[rate(page, 5)] = 5

    expect(page.get_by_role("heading", name="One moment")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED)
    expect(page.locator("#on-its-way")).to_have_text("3 more on their way")
    expect(next_button(page)).to_be_hidden()
    expect_saved(page, 0, 4)
    assert Rating.objects.count() == 0
    page.context.set_offline(False)
    expect_saved(page, 3, 4)
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(caption(page)).to_be_visible()
    assert scores_by_caption() == given
    assert caption(page).inner_text() not in given


def test_the_answer_is_lost_on_its_way_back(open_page: OpenPage) -> None:
    """The server has stored the rating, but the browser never hears of it: the repeat finds the row."""
    page = sit_down(open_page, make_audible_test(["First", "Second"]))
    statuses: list[int] = []

    def lose_the_first(route: Route) -> None:
        response = route.fetch()
        statuses.append(response.status)
        if len(statuses) == 1:
            route.abort()
        else:
            route.fulfill(response=response)

    page.route("**/ratings/", lose_the_first)
    rate(page, 8)
    expect_saved(page, 1, 2)
    assert statuses == [201, 200]
    assert Rating.objects.count() == 1
    assert scores_kept(page) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 502, "body": "Bad Gateway"},
        {"status": 429, "json": {"error": "Too many."}},
        {"status": 200, "body": "<h1>Sign in to the hotel's network</h1>"},
        {"status": 400, "body": "Bad Request"},
    ],
)
def test_an_answer_that_is_not_of_the_rating_is_no_answer(open_page: OpenPage, answer: dict[str, object]) -> None:
    page = sit_down(open_page, make_audible_test(["Only"]))
    page.route("**/ratings/", lambda route: route.fulfill(**answer), times=1)  # type: ignore[arg-type]
    rate(page, 8)
    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED)
    page.wait_for_url("**/questions/")
    assert Rating.objects.get().score == 8


def test_a_reload_while_offline_keeps_the_score_and_the_place(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second"]))
    page.route("**/ratings/", lambda route: route.abort())
    shown = rate(page, 8)
    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED)
    second = caption(page).inner_text()

    page.reload()

    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED)
    expect(caption(page)).to_have_text(second)
    assert scores_kept(page) == [8]
    page.unroute("**/ratings/")
    expect_saved(page, 1, 2)
    assert scores_by_caption() == {shown: 8}
    assert scores_kept(page) == []


def test_a_page_that_is_older_than_the_last_saved_score_is_loaded_again(open_page: OpenPage) -> None:
    """The reload is answered before the server has the score, and comes after it. Once, and not for ever."""
    page = sit_down(open_page, make_audible_test(["First", "Second", "Third"]))
    old = page.request.get(page.url)
    rate(page, 8)
    expect_saved(page, 1, 3)
    second = caption(page).inner_text()
    loads: list[Route] = []

    def old_page_first(route: Route) -> None:
        loads.append(route)
        if len(loads) == 1:
            route.fulfill(response=old)
        else:
            route.continue_()

    page.route("**/rate/", old_page_first)
    page.reload()
    expect(caption(page)).to_have_text(second)
    expect_saved(page, 1, 3)
    expect(play_button(page)).to_be_enabled()
    assert len(loads) == 2
    assert page.evaluate("sessionStorage.length") == 0


def test_the_last_score_is_waited_for_before_the_end(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["Only"]))
    page.route("**/ratings/", lambda route: route.abort())
    rate(page, 8)
    expect(page.get_by_role("heading", name="One moment")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="One moment")).to_be_visible()
    page.unroute("**/ratings/")
    page.wait_for_url("**/questions/")
    assert Rating.objects.get().score == 8


def test_a_tab_goes_on_where_its_pair_was_rated_in_another(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second", "Third"]))
    other_tab = page.context.new_page()
    other_tab.goto(page.url)
    first = caption(page).inner_text()
    expect(caption(other_tab)).to_have_text(first)
    page.bring_to_front()

    rate(page, 8)

    expect(caption(other_tab)).not_to_have_text(first)
    expect(caption(other_tab)).to_have_text(caption(page).inner_text())
    expect_saved(other_tab, 1, 3)
    assert scores_by_caption() == {first: 8}


def test_the_second_of_two_tabs_is_told_and_goes_on(open_page: OpenPage) -> None:
    """Without a channel between them: the first score is kept."""
    page = sit_down(open_page, make_audible_test(["First", "Second"]), script=NO_BROADCAST)
    other_tab = page.context.new_page()
    other_tab.goto(page.url)
    expect(caption(other_tab)).to_have_text(caption(page).inner_text())
    page.bring_to_front()
    rate(page, 8)
    expect_saved(page, 1, 2)
    other_tab.bring_to_front()

    rate(other_tab, 2)

    expect(other_tab.get_by_role("alert")).to_contain_text("You have rated this sound before.")
    expect(caption(other_tab)).to_have_text(caption(page).inner_text())
    expect_saved(other_tab, 1, 2)
    rate(other_tab, 3)
    other_tab.wait_for_url("**/questions/")
    assert sorted(Rating.objects.values_list("score", flat=True)) == [3, 8]


def test_two_tabs_give_one_score_while_nothing_is_sent(open_page: OpenPage) -> None:
    """The browser itself keeps one answer for a pair, whichever tab it comes from."""
    page = sit_down(open_page, make_audible_test(["First", "Second"]), script=NO_BROADCAST)
    other_tab = page.context.new_page()
    other_tab.goto(page.url)
    expect(caption(other_tab)).to_have_text(caption(page).inner_text())
    page.context.route("**/ratings/", lambda route: route.abort())
    page.bring_to_front()
    first = rate(page, 8)
    expect(caption(page)).not_to_have_text(first)
    other_tab.bring_to_front()

    rate(other_tab, 2)

    expect(caption(other_tab)).to_have_text(caption(page).inner_text())
    assert scores_kept(page) == [8]


def test_a_double_click_gives_one_score(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second", "Third"]), **DESK)
    for saved, twice in enumerate([lambda: next_button(page).dblclick(), lambda: press_twice(page)], start=1):
        listen(page)
        score(page, 8).check()
        twice()
        expect_saved(page, saved, 3)
    expect(score(page, 8)).not_to_be_checked()
    assert list(Rating.objects.values_list("score", flat=True)) == [8, 8]


def press_twice(page: Page) -> None:
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")


@pytest.mark.parametrize("years", [-60, 60])
def test_a_clock_that_is_set_right_in_between_says_nothing_false(open_page: OpenPage, years: int) -> None:
    script = f"""
      const now = Date.now;
      window.error_ms = 0;
      Date.now = () => now() + window.error_ms;
      window.jump = () => {{ window.error_ms = {years} * 365 * 24 * 3600 * 1000; }};
    """
    page = sit_down(open_page, make_audible_test(["First", "Second"]), script=script)
    page.route("**/ratings/", lambda route: route.abort())
    rate(page, 8)
    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED)
    page.evaluate("window.jump()")
    page.unroute("**/ratings/")
    expect_saved(page, 1, 2)
    rating = Rating.objects.select_related("assignment").get()
    assert rating.assignment is not None
    assert rating.shown_at is not None
    assert rating.assignment.leased_at <= rating.shown_at <= rating.submitted_at


def test_leaving_is_warned_of_only_while_something_is_unsaved(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second"]))
    warned: list[str] = []

    def note_and_leave(dialog: Dialog) -> None:
        warned.append(dialog.type)
        dialog.accept()

    page.on("dialog", note_and_leave)
    page.route("**/ratings/", lambda route: route.abort())
    rate(page, 8)
    expect(page.get_by_role("alert")).to_have_text(NOT_SAVED)
    page.reload()
    assert warned == ["beforeunload"]
    page.unroute("**/ratings/")
    expect_saved(page, 1, 2)
    listen(page)
    page.reload()
    assert warned == ["beforeunload"]


def test_the_back_button_gives_nothing_twice(open_page: OpenPage) -> None:
    test = make_audible_test(["First", "Second", "Third"])
    page = sit_down(open_page, test)
    first = rate(page, 8)
    expect_saved(page, 1, 3)
    page.goto(f"/t/{test.slug}/")
    page.go_back()
    expect(caption(page)).not_to_have_text(first)
    expect_saved(page, 1, 3)
    rate(page, 2)
    expect_saved(page, 2, 3)
    assert sorted(Rating.objects.values_list("score", flat=True)) == [2, 8]


def test_a_refused_score_is_told_and_the_pair_comes_again(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second"]))
    refusal = "The score 8 is not on the scale from 0 to 5. Choose one of the numbers shown."
    page.route("**/ratings/", lambda route: route.fulfill(status=422, json={"error": refusal}), times=1)
    shown = rate(page, 8)
    expect(page.get_by_role("alert")).to_have_text(refusal)
    assert scores_kept(page) == []
    page.get_by_role("button", name="Reload the page").click()
    expect(caption(page)).to_have_text(shown)
    expect(page.get_by_role("alert")).to_be_hidden()
    rate(page, 5)
    expect_saved(page, 1, 2)
    assert scores_by_caption() == {shown: 5}


def test_a_browser_that_is_not_known_keeps_the_score(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second"]))
    page.context.clear_cookies(name="earmark_rater")
    rate(page, 8)
    expect(page.get_by_role("alert")).to_contain_text("This browser is not known to the listening test any more.")
    expect(next_button(page)).to_be_hidden()
    assert scores_kept(page) == [8]


def test_a_token_that_changes_under_the_open_page_is_followed(open_page: OpenPage) -> None:
    """As it does when somebody signs in to the same site in another tab."""
    page = sit_down(open_page, make_audible_test(["First", "Second"]))
    token = {"name": "csrftoken", "value": "c" * 32, "domain": "localhost", "path": "/"}
    page.context.add_cookies([token])  # type: ignore[list-item]
    rate(page, 8)
    expect_saved(page, 1, 2)


def test_what_waits_of_a_rater_who_has_withdrawn_is_forgotten(open_page: OpenPage) -> None:
    test = make_audible_test(["First", "Second"])
    page = sit_down(open_page, test)
    page.route("**/ratings/", lambda route: route.fulfill(status=410, json={"error": "You have withdrawn."}))
    rate(page, 8)
    # The way in leads on to where the sitting stands.
    page.wait_for_url(lambda url: not url.endswith("/rate/"))
    assert scores_kept(page) == []
