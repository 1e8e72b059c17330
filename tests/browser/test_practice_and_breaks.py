"""Practice that tells what most people give, and the break that is offered in between."""

import pytest
from playwright.sync_api import Page, expect

from listening_tests.models import ListeningTest, Rating, Session
from tests.browser.conftest import DESK, OpenPage, make_audible_test
from tests.browser.rating_page import caption, listen, next_button, play_button, rate, score, sit_down

pytestmark = pytest.mark.django_db(transaction=True)

BREAK = "Time for a break?"


def make_practice_test(*, expected: tuple[float, float] | None) -> ListeningTest:
    test = make_audible_test(["Only"], practice=1, duration_s=0.5)
    low, high = expected or (None, None)
    test.pairs.filter(role="practice").update(expected_min=low, expected_max=high)
    return test


def marked(page: Page) -> list[str]:
    values: list[str] = page.locator(".is-expected input").evaluate_all("(all) => all.map((one) => one.value)")
    return values


def test_practice_tells_what_most_people_give(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_practice_test(expected=(0, 2)))
    told = page.locator("#feedback")
    practised = rate(page, 7)
    expect(told).to_have_text("You gave 7. Most people give 0 to 2 here.")
    expect(told).to_have_role("status")
    expect(caption(page)).to_have_text(practised)
    assert marked(page) == ["0", "1", "2"]

    score(page, 1).check()
    expect(told).to_have_text("1 fits: most people give 0 to 2 here.")
    score(page, 5).check()
    expect(told).to_have_text("5 does not fit: most people give 0 to 2 here.")
    play_button(page).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    next_button(page).click()

    expect(caption(page)).to_have_text("Only")
    expect(page.get_by_text("Practice is over: from now on every score counts.").first).to_be_visible()
    expect(told).to_have_text("")
    assert marked(page) == []
    # What was sent first stands.
    assert list(Rating.objects.values_list("score", flat=True)) == [7]
    rate(page, 3)
    page.wait_for_url("**/questions/")


def test_a_score_that_fits_is_told_so(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_practice_test(expected=(9, 9)), **DESK)
    page.keyboard.press("Space")
    expect(score(page, 0)).to_be_enabled()
    page.keyboard.type("9")
    page.keyboard.press("Enter")
    expect(page.locator("#feedback")).to_have_text("You gave 9. That fits: most people give 9 here.")
    expect(next_button(page)).to_be_focused()
    page.keyboard.press("Enter")
    expect(caption(page)).to_have_text("Only")


def test_practice_without_a_known_answer_goes_straight_on(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_practice_test(expected=None))
    rate(page, 7)
    expect(caption(page)).to_have_text("Only")


def test_a_double_click_does_not_hide_the_answer(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_practice_test(expected=(0, 2)), **DESK)
    listen(page)
    score(page, 1).check()
    next_button(page).dblclick()
    expect(next_button(page)).to_be_enabled()
    expect(page.locator("#feedback")).to_have_text("You gave 1. That fits: most people give 0 to 2 here.")


def test_a_break_is_offered_when_its_time_has_come(open_page: OpenPage) -> None:
    test = make_audible_test(["First", "Second", "Third", "Fourth"])
    ListeningTest.objects.filter(pk=test.pk).update(break_after_minutes=1)
    page = sit_down(open_page, test, **DESK)
    rate(page, 1)
    expect(page.locator("#saved")).to_have_text("Saved 1 of 4")
    expect(page.get_by_role("heading", name=BREAK)).to_be_hidden()
    Session.objects.update(elapsed_s=61)
    rate(page, 2)
    expect(page.locator("#saved")).to_have_text("Saved 2 of 4")

    shown = rate(page, 3)

    expect(page.get_by_role("heading", name=BREAK)).to_be_visible()
    expect(caption(page)).to_be_hidden()
    expect(next_button(page)).to_be_hidden()
    expect(page.locator("#saved")).to_have_text("Saved 3 of 4")
    expect(page.get_by_role("button", name="Go on")).to_be_enabled()
    page.keyboard.press("Enter")
    expect(caption(page)).not_to_have_text(shown)
    # Offered once, and not again before the next minute.
    rate(page, 4)
    page.wait_for_url("**/questions/")
    assert Rating.objects.count() == 4


def test_no_break_is_offered_where_the_test_sets_none(open_page: OpenPage) -> None:
    test = make_audible_test(["First", "Second", "Third"])
    ListeningTest.objects.filter(pk=test.pk).update(break_after_minutes=0)
    page = sit_down(open_page, test)
    Session.objects.update(elapsed_s=10_000)
    for value in (1, 2, 3):
        rate(page, value)
    page.wait_for_url("**/questions/")
