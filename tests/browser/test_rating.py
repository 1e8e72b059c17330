"""Whole sittings in a real browser: by touch, by keyboard, through reloads, with captions of all kinds."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from listening_tests.choices import PairRole, SessionStatus
from listening_tests.models import Assignment, Rating, Session
from tests.browser.conftest import CLIP_S, DESK, PLAYED_WITHIN_S, OpenPage, make_audible_test
from tests.browser.rating_page import (
    agree,
    begin,
    caption,
    finish,
    listen,
    next_button,
    play_button,
    rate,
    score,
    sit_down,
)

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = "<script>alert(1)</script> &amp; \"quoted\" & 50 % + 'more' \\n {{ 7 }}\n second line 🐶 שלום"
LONG = ('Rain & <wind> + 100 % "hail" 🌧 مطر ' * 60)[:2000]


def scores_by_caption() -> dict[str, float]:
    return dict(Rating.objects.values_list("pair__caption__text", "score"))


def assert_no_sideways_scrolling(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_whole_session_by_touch(open_page: OpenPage) -> None:
    test = make_audible_test(["A low tone", "A tone", "A high tone"], practice=1)
    page = open_page(f"/t/{test.slug}/")
    assert_no_sideways_scrolling(page)
    page.get_by_role("button", name="I agree, start").tap()
    page.get_by_role("button", name="Continue", exact=True).tap()
    given: dict[str, int] = {}
    for number, value in enumerate([5, 0, 7, 10]):
        expect(page.locator("#saved")).to_have_text(f"Saved {max(0, number - 1)} of 3")
        expect(page.get_by_text("Practice", exact=True)).to_be_visible(visible=number == 0)
        play_button(page).tap()
        score(page, value).tap()
        assert_no_sideways_scrolling(page)
        shown = caption(page).inner_text()
        given[shown] = value
        next_button(page).tap()
        if number < 3:
            expect(caption(page)).not_to_have_text(shown)
    finish(page)
    expect(page.get_by_text(test.completion_code, exact=True)).to_be_visible()
    assert_no_sideways_scrolling(page)
    assert scores_by_caption() == given
    for rating in Rating.objects.select_related("assignment"):
        assert rating.plays == 1
        assert rating.heard_s == pytest.approx(CLIP_S, abs=PLAYED_WITHIN_S)
        assert rating.assignment.leased_at <= rating.shown_at < rating.submitted_at
    assert Session.objects.get().status == SessionStatus.COMPLETE


def test_a_whole_session_by_keyboard(open_page: OpenPage) -> None:
    test = make_audible_test(["First", "Second", "Third"])
    page = open_page(f"/t/{test.slug}/", **DESK)
    page.get_by_role("button", name="I agree, start").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Continue", exact=True).press("Enter")
    given = {}
    for number, (digits, value) in enumerate([("10", 10), ("1", 1), ("07", 7)]):
        expect(page.locator("#saved")).to_have_text(f"Saved {number} of 3")
        expect(play_button(page)).to_be_enabled()
        page.keyboard.press("Space")
        expect(score(page, 0)).to_be_enabled()
        page.keyboard.type(digits)
        expect(score(page, value)).to_be_checked()
        shown = caption(page).inner_text()
        given[shown] = value
        page.keyboard.press("Enter")
        if number < 2:
            expect(caption(page)).not_to_have_text(shown)
            expect(page.locator("#pair")).to_be_focused()
    finish(page)
    assert scores_by_caption() == given


def test_space_plays_while_a_score_has_the_focus(open_page: OpenPage) -> None:
    page = begin(open_page, make_audible_test(["Only"], duration_s=1.0), **DESK)
    listen(page)
    expect(play_button(page)).to_be_visible()
    page.keyboard.type("4")
    expect(score(page, 4)).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    expect(play_button(page)).to_be_visible()
    expect(score(page, 4)).to_be_checked()
    page.keyboard.press("Enter")
    finish(page)
    rating = Rating.objects.get()
    assert (rating.plays, rating.score) == (2, 4)
    assert rating.heard_s == pytest.approx(1.0, abs=0.03)


def test_the_scores_are_locked_until_the_clip_is_heard(open_page: OpenPage) -> None:
    page = begin(open_page, make_audible_test(["Only"], duration_s=1.5), **DESK)
    for radio in page.get_by_role("radio").all():
        expect(radio).to_be_disabled()
        expect(radio).not_to_be_checked()
    expect(score(page, 3)).to_have_accessible_description("Hear the whole sound to unlock the scores.")
    expect(next_button(page)).to_be_disabled()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    play_button(page).click()
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(play_button(page)).to_be_visible()
    expect(score(page, 3)).to_be_disabled()
    play_button(page).click()
    expect(score(page, 3)).to_be_enabled()
    expect(next_button(page)).to_be_disabled()
    assert Rating.objects.count() == 0
    score(page, 3).check()
    next_button(page).click()
    finish(page)
    assert Rating.objects.get().plays == 1


def test_skipping_to_the_end_unlocks_nothing(open_page: OpenPage) -> None:
    page = begin(open_page, make_audible_test(["Only"], duration_s=1.0), **DESK)
    expect(page.locator("audio")).to_have_js_property("readyState", 4)
    page.evaluate("() => { const audio = document.querySelector('audio'); audio.currentTime = 0.7; audio.play(); }")
    expect(page.locator(".clip-bar")).to_have_js_property("value", 1)
    expect(play_button(page)).to_be_visible()
    expect(score(page, 3)).to_be_disabled()
    listen(page)


@pytest.mark.parametrize("duration_s", [0.1, 0.25])
def test_a_very_short_clip_unlocks(open_page: OpenPage, duration_s: float) -> None:
    page = begin(open_page, make_audible_test(["Only"], duration_s=duration_s), **DESK)
    listen(page)
    score(page, 6).check()
    next_button(page).click()
    finish(page)
    assert Rating.objects.get().heard_s == pytest.approx(duration_s, abs=0.01)


def test_a_choice_can_be_changed_until_it_is_sent(open_page: OpenPage) -> None:
    page = begin(open_page, make_audible_test(["Only"]))
    listen(page)
    score(page, 2).check()
    score(page, 9).check()
    next_button(page).click()
    finish(page)
    assert Rating.objects.get().score == 9


def test_a_reload_in_the_middle_comes_back_to_the_same_pair(open_page: OpenPage) -> None:
    test = make_audible_test(["First", "Second", "Third"])
    page = begin(open_page, test)
    listen(page)
    score(page, 8).check()
    first = caption(page).inner_text()
    next_button(page).click()
    expect(caption(page)).not_to_have_text(first)
    shown = caption(page).inner_text()
    page.reload()
    expect(caption(page)).to_have_text(shown)
    expect(page.locator("#saved")).to_have_text("Saved 1 of 3")
    page.goto(f"/t/{test.slug}/")
    page.get_by_role("button", name="Continue").click()
    expect(caption(page)).to_have_text(shown)
    assert Assignment.objects.count() == 3


def test_a_late_rating_is_taken(open_page: OpenPage) -> None:
    page = begin(open_page, make_audible_test(["Only"]))
    listen(page)
    Assignment.objects.update(lease_expires_at=timezone.now())
    score(page, 8).check()
    next_button(page).click()
    finish(page)
    assert Rating.objects.get().late


def test_a_hostile_caption_is_text(open_page: OpenPage) -> None:
    test = make_audible_test([HOSTILE, HOSTILE + "!"])
    page = open_page(f"/t/{test.slug}/")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    agree(page)
    texts = [caption(page).evaluate("node => node.textContent")]
    listen(page)
    score(page, 0).check()
    next_button(page).click()
    expect(page.locator("#saved")).to_have_text("Saved 1 of 2")
    texts.append(caption(page).evaluate("node => node.textContent"))
    assert sorted(texts) == sorted([HOSTILE, HOSTILE + "!"])
    expect(caption(page)).to_have_attribute("dir", "auto")
    expect(caption(page)).to_have_attribute("lang", "en")
    assert_no_sideways_scrolling(page)


def test_a_caption_of_two_thousand_characters_is_text(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test([LONG]), viewport={"width": 320, "height": 568})
    assert caption(page).evaluate("node => node.textContent") == LONG
    assert_no_sideways_scrolling(page)
    rate(page, 4)
    page.wait_for_url("**/questions/")
    assert scores_by_caption() == {LONG: 4}


def test_number_keys_can_be_switched_off_for_good(open_page: OpenPage) -> None:
    page = sit_down(open_page, make_audible_test(["First", "Second"]), **DESK)
    switch = page.get_by_role("checkbox", name="Number keys choose a score")
    # Shown to those who have a keyboard, be it at a phone.
    expect(switch).to_be_hidden()
    page.keyboard.press("Tab")
    expect(switch).to_be_checked()
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).not_to_be_checked()
    expect(play_button(page)).to_be_visible()
    page.reload()
    listen(page)
    page.keyboard.type("4")
    expect(score(page, 4)).not_to_be_checked()
    switch.check()
    page.keyboard.type("4")
    expect(score(page, 4)).to_be_checked()


def test_the_time_left_is_told(open_page: OpenPage) -> None:
    test = make_audible_test(["First", "Second"])
    page = sit_down(open_page, test)
    expect(page.locator("#time-left")).to_have_text("About a minute left")
    Session.objects.update(pair_estimate_s=100)
    page.reload()
    expect(page.locator("#time-left")).to_have_text("About 4 minutes left")


def test_an_unbroken_caption_does_not_widen_the_page(open_page: OpenPage) -> None:
    page = begin(open_page, make_audible_test(["W" * 400]), viewport={"width": 320, "height": 568})
    assert_no_sideways_scrolling(page)


def test_what_is_touched_is_large_enough(open_page: OpenPage) -> None:
    page = begin(open_page, make_audible_test(["Only"]), viewport={"width": 320, "height": 568})
    expect(page.get_by_text("Keys:")).to_be_hidden()
    for control in [play_button(page), next_button(page), *page.get_by_role("radio").all()]:
        box = control.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44


def test_the_code_can_be_copied(open_page: OpenPage) -> None:
    test = make_audible_test(["Only"])
    page = begin(open_page, test, permissions=["clipboard-read", "clipboard-write"])
    listen(page)
    score(page, 1).check()
    next_button(page).click()
    finish(page)
    page.get_by_role("button", name="Copy the code").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == test.completion_code


def test_an_anchor_is_rated_like_any_pair(open_page: OpenPage) -> None:
    test = make_audible_test(["Only"])
    test.pairs.update(role=PairRole.ANCHOR)
    page = begin(open_page, test)
    expect(page.get_by_text("Practice", exact=True)).to_be_hidden()
    assert "anchor" not in page.content()
