"""A continuous scale: a line without a mark until the rater sets one, by touch, mouse or keyboard."""

import pytest
from playwright.sync_api import Page, expect

from listening_tests.choices import PairRole
from listening_tests.models import ListeningTest, Question, Rating
from tests.browser.conftest import DESK, OpenPage
from tests.browser.kinds_pages import (
    ENGLISH,
    ORDER,
    add_line,
    another_tone,
    assert_no_sideways_scrolling,
    bodies_kept,
    button,
    expect_heard,
    make_three_questions,
    question,
    shown_value,
    slider,
    tab_to,
    tap_line,
)
from tests.browser.rating_page import caption, sit_down
from tests.factories import make_caption, make_pair, make_test

pytestmark = pytest.mark.django_db(transaction=True)


def make_line() -> ListeningTest:
    test = make_test(pairs_per_session=1)
    make_pair(test, clip=another_tone(), caption=make_caption("Only"))
    add_line(test)
    test.questions.exclude(name="order").delete()
    return test


def hear(page: Page) -> None:
    button(page, ENGLISH.play).click()
    expect_heard(page, 1)


def test_a_line_has_no_mark_until_the_rater_sets_one(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_line())
    line = question(page, ORDER)
    tap_line(page, line, 0.5)
    expect(slider(line)).to_be_disabled()
    hear(page)
    expect(slider(line)).to_be_enabled()
    expect(slider(line)).to_have_attribute("aria-valuetext", ENGLISH.no_mark)
    expect(slider(line)).to_have_accessible_name(ORDER)
    expect(line.locator(".line-mark")).to_be_hidden()
    expect(shown_value(line)).to_have_text("–")
    expect(button(page, ENGLISH.next)).to_be_disabled()
    slider(line).focus()
    page.keyboard.press("Enter")
    expect(button(page, ENGLISH.next)).to_be_disabled()
    assert Rating.objects.count() == 0
    assert bodies_kept(page) == []
    # In the very middle, where a hidden mark would not move.
    tap_line(page, line, 0.5)
    expect(line.locator(".line-mark")).to_be_visible()
    shown = shown_value(line).inner_text()
    assert float(shown) == pytest.approx(50, abs=0.6)
    expect(slider(line)).to_have_attribute("aria-valuetext", shown)
    button(page, ENGLISH.next).tap()
    page.wait_for_url("**/questions/")
    assert Rating.objects.get().score == float(shown)


def test_scrolling_past_a_line_sets_no_mark(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_three_questions())
    hear(page)
    line = question(page, ORDER)
    slider(line).scroll_into_view_if_needed()
    box = line.locator(".line-track").bounding_box()
    assert box is not None
    x, y = box["x"] + 100, box["y"] + box["height"] / 2
    client = page.context.new_cdp_session(page)
    finger = {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]}
    client.send("Input.dispatchTouchEvent", finger)
    for down in range(10, 160, 10):
        client.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + 2, "y": y + down}]})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(slider(line)).to_have_attribute("aria-valuetext", ENGLISH.no_mark)
    expect(shown_value(line)).to_have_text("–")


def test_the_keys_of_a_line(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_line(), **DESK)
    hear(page)
    line = question(page, ORDER)
    tab_to(page, slider(line))
    # The first press sets the mark in the middle, which favours neither end.
    for keys, value in [
        (["ArrowLeft"], "50"),
        (["ArrowRight", "ArrowUp", "ArrowRight"], "53"),
        (["ArrowLeft", "ArrowDown"], "51"),
        (["PageUp"], "61"),
        (["PageDown", "PageDown"], "41"),
        (["End"], "100"),
        (["Home"], "0"),
        (["ArrowLeft"], "0"),
        (["6"], "6"),
        (["3"], "63"),
        (["."], "63"),
        (["2"], "63.2"),
        (["5"], "63.2"),
        (["ArrowRight"], "64.2"),
        (["1", "0", "1"], "1"),
    ]:
        for key in keys:
            page.keyboard.press(key)
        expect(shown_value(line)).to_have_text(value)
        expect(slider(line)).to_have_attribute("aria-valuetext", value)
    page.keyboard.press("Enter")
    page.wait_for_url("**/questions/")
    assert Rating.objects.get().score == 1


def test_a_mark_is_dragged_with_the_mouse(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_line(), **DESK)
    hear(page)
    line = question(page, ORDER)
    box = line.locator(".line-track").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 10, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] + 300, y + 50)
    page.mouse.up()
    expect(shown_value(line)).to_have_text("100")
    expect(slider(line)).to_be_focused()


def test_from_right_to_left_numbers_ascend_from_the_right(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_line())
    page.evaluate("document.documentElement.dir = 'rtl'")
    hear(page)
    tap_line(page, question(page, ORDER), 0.1)
    assert float(shown_value(question(page, ORDER)).inner_text()) == pytest.approx(90, abs=0.6)
    page.keyboard.press("ArrowLeft")
    assert float(shown_value(question(page, ORDER)).inner_text()) == pytest.approx(91, abs=0.6)
    assert_no_sideways_scrolling(page)


def test_practice_on_a_line(open_page: OpenPage) -> None:
    test = make_line()
    make_pair(test, role=PairRole.PRACTICE, clip=another_tone(), expected_min=80, expected_max=100)
    page = sit_down(open_page, test)
    hear(page)
    tap_line(page, question(page, ORDER), 0.1)
    button(page, ENGLISH.next).tap()
    expect(page.locator("#feedback")).to_contain_text("Most people give 80 to 100 here.")
    expect(page.locator(".line-expected")).to_be_visible()
    before = page.evaluate("scrollY")
    expect(button(page, ENGLISH.next)).to_be_focused()
    assert page.evaluate("scrollY") == before
    tap_line(page, question(page, ORDER), 0.9)
    expect(page.locator("#feedback")).to_contain_text("fits: most people give 80 to 100 here.")
    button(page, ENGLISH.next).tap()
    expect(caption(page)).to_have_text("Only")
    expect(page.locator(".line-expected")).to_be_hidden()
    expect(shown_value(question(page, ORDER))).to_have_text("–")


def test_more_steps_than_buttons_are_a_line_with_steps(open_page: OpenPage) -> None:
    test = make_line()
    Question.objects.filter(test=test).update(scale_step=2.5)
    page = sit_down(open_page, test)
    hear(page)
    tap_line(page, question(page, ORDER), 0.43)
    expect(shown_value(question(page, ORDER))).to_have_text("42.5")
    page.keyboard.press("ArrowRight")
    expect(shown_value(question(page, ORDER))).to_have_text("45")
    button(page, ENGLISH.next).tap()
    page.wait_for_url("**/questions/")
    assert Rating.objects.get().score == 45
