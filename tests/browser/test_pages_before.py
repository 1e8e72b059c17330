"""The pages before the first pair in a real browser: the comprehension check and the sound set-up."""

import pytest
from playwright.sync_api import Locator, Page, expect

from listening_tests.choices import CheckOutcome, SessionStatus
from listening_tests.models import ListeningTest, Session
from tests.browser.conftest import DESK, OpenPage, make_audible_test
from tests.browser.rating_page import play_button

pytestmark = pytest.mark.django_db(transaction=True)

RIGHT, WRONG = "How well the caption matches the sound", "How much I like the sound"
NOT_LOADED = (
    "The sound could not be loaded. Check the connection and press the button again. You can also go on without it."
)


@pytest.fixture
def test(transactional_db: None) -> ListeningTest:
    return make_audible_test(["First", "Second"])


def start(open_page: OpenPage, test: ListeningTest, **options: object) -> Page:
    page = open_page(f"/t/{test.slug}/", **options)
    page.get_by_role("button", name="I agree, start").click()
    return page


def at_sound(open_page: OpenPage, test: ListeningTest, **options: object) -> Page:
    page = start(open_page, test, **options)
    expect(page.get_by_role("heading", name="Set up the sound")).to_be_visible()
    return page


def sound_button(page: Page, words: str) -> Locator:
    return page.get_by_role("button", name=words, exact=True)


def tab_to(page: Page, target: Locator) -> None:
    expect(target).to_be_enabled()
    for _ in range(30):
        if target.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"The Tab key does not come to {target}.")


class TestCheck:
    @pytest.fixture
    def test(self, test: ListeningTest) -> ListeningTest:
        test.check_questions.create()
        return test

    def test_by_touch(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = start(open_page, test)
        page.get_by_label(RIGHT).tap()
        page.get_by_role("button", name="Check my answers").tap()
        expect(page.get_by_role("heading", name="Set up the sound")).to_be_visible()

    def test_by_keyboard_with_a_wrong_answer_first(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = start(open_page, test, **DESK)
        tab_to(page, page.get_by_role("radio").first)
        page.get_by_label(WRONG).focus()
        page.keyboard.press("Space")
        tab_to(page, page.get_by_role("button", name="Check my answers"))
        page.keyboard.press("Enter")
        faults = page.get_by_role("alert")
        expect(faults).to_contain_text("Not all of this is right yet")
        expect(faults).to_be_focused()
        expect(page.get_by_label(WRONG)).to_be_checked()
        expect(page.get_by_role("group")).to_have_accessible_description("This answer is not right.")
        tab_to(page, faults.get_by_role("link"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("radio").first).to_be_focused()
        page.get_by_label(RIGHT).focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Set up the sound")).to_be_visible()

    def test_a_double_click_uses_up_one_attempt(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = start(open_page, test)
        page.get_by_label(WRONG).check()
        page.get_by_role("button", name="Check my answers").dblclick()
        expect(page.get_by_role("alert")).to_contain_text("This answer is not right.")
        assert Session.objects.get().check_attempts == 1

    def test_back_and_reload_use_up_nothing(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = start(open_page, test)
        page.get_by_label(WRONG).check()
        page.get_by_role("button", name="Check my answers").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("This answer is not right.")
        page.go_back()
        page.go_forward()
        expect(page.get_by_role("alert")).to_be_visible()
        assert Session.objects.get().check_attempts == 1

    def test_the_second_wrong_answer_ends_it(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = start(open_page, test)
        for _ in range(2):
            page.get_by_label(WRONG).check()
            page.get_by_role("button", name="Check my answers").click()
            expect(page.locator(".notice, h1:has-text('ends here')").first).to_be_visible()
        expect(page.get_by_text("It is not held against you.")).to_be_visible()
        page.go_back()
        page.reload()
        expect(page.get_by_text("It is not held against you.")).to_be_visible()
        assert Session.objects.get().status == SessionStatus.SCREENED

    def test_long_and_hostile_words_of_the_researcher(self, open_page: OpenPage, test: ListeningTest) -> None:
        test.check_questions.all().delete()
        test.check_questions.create(
            prompt="W" * 300, right_answer="W" * 200, wrong_answer="<img src=x onerror=alert(1)>" + "m" * 170
        )
        page = open_page(f"/t/{test.slug}/", viewport={"width": 320, "height": 568})
        page.on("dialog", lambda dialog: pytest.fail(dialog.message))
        page.get_by_role("button", name="I agree, start").click()
        page.get_by_label("<img src=x onerror=alert(1)>").check()
        page.get_by_role("button", name="Check my answers").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


class TestSound:
    def test_by_touch(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = at_sound(open_page, test)
        sound_button(page, "Play the volume sound").tap()
        expect(sound_button(page, "Stop the volume sound")).to_be_visible()
        sound_button(page, "Play the first sound").tap()
        expect(sound_button(page, "Stop the first sound")).to_be_visible()
        expect(sound_button(page, "Play the volume sound")).to_be_visible()
        for number in range(2):
            page.get_by_label("Both, or cannot tell").nth(number).tap()
        page.get_by_role("button", name="Continue", exact=True).tap()
        expect(play_button(page)).to_be_enabled()
        assert Session.objects.get().left_right == CheckOutcome.UNCHECKED

    def test_by_keyboard(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = at_sound(open_page, test, **DESK)
        for words in ("the volume sound", "the first sound", "the second sound"):
            tab_to(page, page.get_by_role("button", name=words))
            page.keyboard.press("Enter")
            expect(sound_button(page, f"Stop {words}")).to_be_visible()
            page.keyboard.press("Space")
            expect(sound_button(page, f"Play {words}")).to_be_visible()
        left = page.get_by_role("radio", name="Left").first
        left.focus()
        page.keyboard.press("Space")
        expect(left).to_be_checked()
        tab_to(page, page.get_by_role("button", name="Continue", exact=True))
        page.keyboard.press("Enter")
        expect(play_button(page)).to_be_enabled()

    def test_a_sound_for_one_ear_ends_and_the_volume_goes_on(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = at_sound(open_page, test)
        sound_button(page, "Play the second sound").click()
        expect(sound_button(page, "Stop the second sound")).to_be_visible()
        expect(sound_button(page, "Play the second sound")).to_be_visible()

    def test_a_sound_that_does_not_load_can_be_tried_again(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/")
        page.route("**/sound/first/", lambda route: route.abort())
        page.get_by_role("button", name="I agree, start").click()
        sound_button(page, "Play the first sound").click()
        expect(page.get_by_role("alert")).to_have_text(NOT_LOADED)
        expect(sound_button(page, "Play the first sound")).to_be_visible()
        page.unroute("**/sound/first/")
        sound_button(page, "Play the first sound").click()
        expect(sound_button(page, "Stop the first sound")).to_be_visible()
        expect(page.get_by_role("alert")).to_be_hidden()

    def test_each_sound_comes_from_its_side(self, open_page: OpenPage, test: ListeningTest) -> None:
        """As the browser decodes them, one channel of each is silent, and not the same one."""
        page = at_sound(open_page, test)
        script = """async (name) => {
            const bytes = await (await fetch(name + '/')).arrayBuffer();
            const sound = await new OfflineAudioContext(2, 1, 48000).decodeAudioData(bytes);
            return [0, 1].map((channel) => sound.getChannelData(channel).some((sample) => sample !== 0));
        }"""
        channels = [page.evaluate(script, name) for name in ("first", "second", "volume")]
        assert sorted(channels[:2]) == [[False, True], [True, False]]
        assert channels[2] == [True, True]

    def test_continue_works_without_a_sound(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = at_sound(open_page, test)
        page.get_by_role("button", name="Continue", exact=True).click()
        expect(play_button(page)).to_be_enabled()
        page.go_back()
        expect(play_button(page)).to_be_enabled()

    def test_what_is_touched_is_large_enough(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = at_sound(open_page, test, viewport={"width": 320, "height": 568})
        for control in [*page.get_by_role("button").all(), *page.locator(".choice").all()]:
            box = control.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= 44
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
