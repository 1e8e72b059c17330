"""Every kind of test in Japanese, from consent to the code: by touch alone on a phone, by keyboard alone at a desk."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.utils.translation import override
from playwright.sync_api import Page, expect

from listening_tests.choices import SessionStatus
from listening_tests.default_texts import as_shown
from listening_tests.models import Comparison, ListeningTest, Rating, Session
from tests.browser.conftest import DESK, OpenPage
from tests.browser.kinds_pages import (
    BETTER,
    RELEVANCE,
    Names,
    button,
    compare_by_keyboard,
    compare_by_touch,
    enter_by_keyboard,
    enter_by_touch,
    make_comparison,
    make_side_by_side,
    make_three_questions,
    rate_by_keyboard,
    rate_by_touch,
    score_side_by_side_by_keyboard,
    score_side_by_side_by_touch,
    tab_to,
)
from tests.browser.test_accessibility import STILL, Inspect, inspect

__all__ = ["inspect"]
pytestmark = pytest.mark.django_db(transaction=True)
IN_JAPAN = {"locale": "ja-JP"}
with override("ja"):
    JAPANESE = Names(
        agree="同意して始める",
        go_on="続ける",
        play="再生",
        play_sound="{letter}を再生",
        sound="音{letter}",
        none="差はない",
        next="次へ",
        skip="答えずに進む",
        no_mark="まだ印がついていません。",
        relevance=as_shown(RELEVANCE),
        better=as_shown(BETTER),
    )


def scores() -> set[float]:
    return set(Rating.objects.values_list("score", flat=True))


def choices() -> set[str]:
    return set(Comparison.objects.values_list("choice", flat=True))


@dataclass(frozen=True)
class Sitting:
    """One step of a kind of test by touch and by keyboard, and what is stored of it."""

    make: Callable[..., ListeningTest]
    by_touch: Callable[[Page], None]
    by_keyboard: Callable[[Page], None]
    stored: Callable[[], set[object]]
    expected: set[object]
    # What a phone stores besides, as exact as a finger.
    by_finger: int = 0


SITTINGS = {
    "rating": Sitting(
        make_three_questions,
        lambda page: rate_by_touch(page, (10, 1, 0.5), JAPANESE),
        lambda page: rate_by_keyboard(page, (10, 1, "63.5"), JAPANESE),
        scores,
        {10, 1, 63.5},
        by_finger=1,
    ),
    "comparison": Sitting(
        make_comparison,
        lambda page: compare_by_touch(page, "none", JAPANESE),
        lambda page: compare_by_keyboard(page, "none", JAPANESE),
        choices,
        {"none"},
    ),
    "side_by_side": Sitting(
        # An anchor needs another caption, which a sitting of one trial never shows.
        make_side_by_side,
        lambda page: score_side_by_side_by_touch(page, [3, 10, 0], JAPANESE),
        lambda page: score_side_by_side_by_keyboard(page, [3, 10, 0], JAPANESE),
        scores,
        {3, 10, 0},
    ),
}


@pytest.fixture(params=SITTINGS)
def sitting(request: pytest.FixtureRequest, transactional_db: None) -> Sitting:
    return SITTINGS[request.param]


def one_step(sitting: Sitting) -> ListeningTest:
    test = sitting.make()
    ListeningTest.objects.update(pairs_per_session=1)
    return test


def expect_the_end(page: Page, test: ListeningTest) -> None:
    expect(page.get_by_text(test.completion_code, exact=True)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    assert Session.objects.get().status == SessionStatus.COMPLETE


def expect_no_english(page: Page) -> None:
    words = page.locator("main").inner_text() + page.locator("footer").inner_text()
    for left in ("Saved", "Caption", "Play", "Hear", "Next", "Report", "Withdraw", "Keys"):
        assert left not in words.replace("Caption 1", "").replace("Caption 2", "")


def test_by_touch(open_page: OpenPage, inspect: Inspect, sitting: Sitting) -> None:
    test = one_step(sitting)
    page = open_page(f"/t/{test.slug}/", **IN_JAPAN, **STILL)
    enter_by_touch(page, JAPANESE)
    expect(page.locator(".play").first).to_be_enabled()
    inspect(page, "locked")
    expect_no_english(page)
    sitting.by_touch(page)
    button(page, JAPANESE.skip).tap()
    expect_the_end(page, test)
    stored = sitting.stored()
    assert len(stored - sitting.expected) == sitting.by_finger
    assert len(stored & sitting.expected) == len(sitting.expected) - sitting.by_finger


def test_by_keyboard(open_page: OpenPage, sitting: Sitting) -> None:
    test = one_step(sitting)
    page = open_page(f"/t/{test.slug}/", **DESK, **IN_JAPAN)
    enter_by_keyboard(page, JAPANESE)
    sitting.by_keyboard(page)
    expect(button(page, JAPANESE.skip)).to_be_visible()
    tab_to(page, button(page, JAPANESE.skip))
    page.keyboard.press("Enter")
    expect_the_end(page, test)
    assert sitting.stored() == sitting.expected
