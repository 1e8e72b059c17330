"""The headphone check in a real browser: one trial at a time, by touch alone and by keyboard alone."""

import pytest
from playwright.sync_api import Locator, Page, expect

from listening_tests.audio.headphone_sounds import TRIALS, anti_phase, anti_phase_place, huggins, huggins_place
from listening_tests.choices import CheckOutcome, HeadphoneCheck
from listening_tests.headphones import SOUND_NAMES, sound_content
from listening_tests.models import ListeningTest, Session
from tests.browser.conftest import DESK, OpenPage, make_audible_test
from tests.browser.rating_page import play_button
from tests.browser.test_accessibility import STILL, Inspect, inspect  # noqa: F401 -- a fixture
from tests.browser.test_pages_before import sound_button, tab_to

pytestmark = pytest.mark.django_db(transaction=True)

PLACES = ("First", "Second", "Third")
SKIP = "I cannot hear these sounds"


@pytest.fixture
def test(transactional_db: None) -> ListeningTest:
    test = make_audible_test(["First", "Second"])
    ListeningTest.objects.update(headphone_check=HeadphoneCheck.ANTI_PHASE)
    return test


@pytest.fixture
def huggins_test(test: ListeningTest) -> ListeningTest:
    ListeningTest.objects.update(headphone_check=HeadphoneCheck.HUGGINS, headphones_required=True)
    return test


def at_headphones(open_page: OpenPage, test: ListeningTest, **options: object) -> Page:
    page = open_page(f"/t/{test.slug}/", **options)
    page.get_by_role("button", name="I agree, start").click()
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_role("heading", name="Check your headphones")).to_be_visible()
    return page


def right_places() -> list[str]:
    """What somebody with headphones answers, in the order of the trials."""
    session = Session.objects.get()
    known = {
        sound(trial): PLACES[place(trial)]
        for sound, place in ((anti_phase, anti_phase_place), (huggins, huggins_place))
        for trial in range(TRIALS)
    }
    return [known[sound_content(session, name)] for name in SOUND_NAMES]


def radio(page: Page, place: str) -> Locator:
    """Of the one trial that is shown."""
    return page.get_by_role("radio", name=place, exact=True)


def go_on(page: Page, number: int) -> Locator:
    return page.get_by_role("button", name="Continue" if number == TRIALS else "Next", exact=True)


def test_by_touch(open_page: OpenPage, test: ListeningTest) -> None:
    page = at_headphones(open_page, test, viewport={"width": 320, "height": 568})
    for number, place in enumerate(right_places(), start=1):
        sound_button(page, f"Play sound {number}").tap()
        expect(sound_button(page, f"Stop sound {number}")).to_be_visible()
        expect(page.get_by_role("radio")).to_have_count(3)
        page.get_by_text(place, exact=True).locator("visible=true").tap()
        for control in [*page.get_by_role("button").all(), *page.locator(".choice:visible").all()]:
            box = control.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        go_on(page, number).tap()
    expect(play_button(page)).to_be_enabled()
    session = Session.objects.get()
    assert (session.headphones, session.headphones_right) == (CheckOutcome.PASSED, 6)


def test_by_keyboard(open_page: OpenPage, huggins_test: ListeningTest) -> None:
    """Without an answer it does not go on; a second attempt is told; Enter in an answer goes on as the button does."""
    page = at_headphones(open_page, huggins_test, **DESK)
    tab_to(page, sound_button(page, "Play the example"))
    page.keyboard.press("Enter")
    expect(sound_button(page, "Stop the example")).to_be_visible()
    page.keyboard.press("Space")
    expect(sound_button(page, "Play the example")).to_be_visible()
    tab_to(page, go_on(page, 1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Choose one of the answers. If you are not sure, guess.")
    expect(radio(page, "First")).to_be_focused()
    for _ in SOUND_NAMES:
        radio(page, "First").focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("You can try once more")
    for number, place in enumerate(right_places(), start=1):
        button = sound_button(page, f"Play sound {number}")
        tab_to(page, button)
        page.keyboard.press("Enter")
        expect(sound_button(page, f"Stop sound {number}")).to_be_visible()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        for _ in range(PLACES.index(place)):
            page.keyboard.press("ArrowRight")
        expect(radio(page, place)).to_be_checked()
        tab_to(page, go_on(page, number))
        page.keyboard.press("Enter")
    expect(play_button(page)).to_be_enabled()
    session = Session.objects.get()
    assert (session.headphones, session.headphones_right, session.headphone_attempts) == (CheckOutcome.PASSED, 6, 2)


def test_the_way_out_when_no_sound_comes(open_page: OpenPage, huggins_test: ListeningTest) -> None:
    page = open_page(f"/t/{huggins_test.slug}/")
    page.route("**/headphones/*/", lambda route: route.abort())
    page.get_by_role("button", name="I agree, start").click()
    page.get_by_role("button", name="Continue", exact=True).click()
    sound_button(page, "Play sound 1").click()
    expect(page.get_by_role("alert")).to_contain_text("The sound could not be loaded.")
    expect(sound_button(page, "Play sound 1")).to_be_visible()
    page.get_by_role("button", name=SKIP).click()
    expect(play_button(page)).to_be_enabled()
    assert Session.objects.get().headphones == CheckOutcome.UNCHECKED


def test_both_channels_reach_the_browser(open_page: OpenPage, test: ListeningTest) -> None:
    """As the browser decodes it, the channels differ for about a second: one tone of the three is in anti-phase."""
    page = at_headphones(open_page, test)
    script = """async () => {
        const bytes = await (await fetch('1/')).arrayBuffer();
        const sound = await new OfflineAudioContext(2, 1, 48000).decodeAudioData(bytes);
        const [left, right] = [0, 1].map((channel) => sound.getChannelData(channel));
        return left.reduce((n, sample, each) => n + (Math.abs(sample - right[each]) > 0.01), 0) / 48000;
    }"""
    assert page.evaluate(script) == pytest.approx(0.9, abs=0.1)


def test_no_violation(open_page: OpenPage, inspect: Inspect, huggins_test: ListeningTest) -> None:  # noqa: F811
    page = at_headphones(open_page, huggins_test, **STILL)
    inspect(page, "headphone check")
    page.get_by_role("button", name="Next", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    inspect(page, "headphone check, no answer")
    for attempt in (1, 2):
        for number in range(1, TRIALS + 1):
            radio(page, "First").check()
            if number == 2 and attempt == 1:
                inspect(page, "headphone check, the second sound")
            go_on(page, number).click()
        if attempt == 1:
            expect(page.get_by_role("status")).to_be_visible()
            inspect(page, "headphone check, the second attempt")
    expect(page.get_by_text("This test needs headphones, and the sounds")).to_be_visible()
    inspect(page, "headphone check, the end")
