"""The raters' pages in other languages: a sitting in Japanese, the switch, and a language written from the right."""

from pathlib import Path

import pytest
from django.templatetags.static import static
from playwright.sync_api import Locator, Page, expect
from pytest_django import Settings

from listening_tests.languages import languages_found
from listening_tests.models import ListeningTest, Questionnaire, Rating, Session
from tests.browser.conftest import DESK, OpenPage, make_audible_test
from tests.browser.rating_page import agree, rate, score, scores_kept
from tests.browser.test_accessibility import STILL, Inspect, inspect
from tests.made_up_language import LANGUAGE, as_made_up, catalogue_write

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["inspect"]

UNSENT = "What you chose or wrote on this page may not be sent yet, and would be lost."
JAPANESE = {"locale": "ja-JP", **STILL}


@pytest.fixture
def test(transactional_db: None) -> ListeningTest:
    return make_audible_test(["First", "Second"])


def in_japanese(page: Page) -> Locator:
    return page.get_by_role("button", name="日本語", exact=True)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).tap()


def to_the_first_sound(page: Page) -> None:
    """The buttons of the form, whatever they say."""
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/sound/")
    page.locator("main button[type=submit]").last.click()
    expect(page.locator(".play")).to_be_enabled()


def hear_and_choose(page: Page, value: int) -> None:
    page.locator(".play").tap()
    expect(score(page, value)).to_be_enabled()
    score(page, value).tap(force=True)


class TestJapanese:
    def test_a_sitting_by_touch(self, open_page: OpenPage, inspect: Inspect, test: ListeningTest) -> None:
        """From consent to the code; axe looks at each page in both schemes, wide and narrow."""
        test.check_questions.create()
        page = open_page(f"/t/{test.slug}/", **JAPANESE)
        expect(page.get_by_role("heading", name="始める前に")).to_be_visible()
        inspect(page, "consent")
        press(page, "同意して始める")
        page.get_by_text("録音の音質がどのくらい良いか").tap()
        press(page, "答えを確認する")
        expect(page.get_by_role("alert")).to_contain_text("正しくない答えがあります")
        inspect(page, "comprehension check, a wrong answer")
        page.get_by_text("キャプションが音にどのくらい合っているか").tap()
        press(page, "答えを確認する")
        expect(page.get_by_role("heading", name="音の準備")).to_be_visible()
        inspect(page, "sound set-up")
        press(page, "音量合わせの音を再生")
        press(page, "音量合わせの音を停止")
        page.get_by_text("両方、またはわからない").first.tap()
        press(page, "続ける")
        for number in range(2):
            expect(page.locator("#saved")).to_have_text(f"保存済み：{number}／2")
            hear_and_choose(page, 7)
            page.locator("#next").tap()
        expect(page.get_by_role("heading", name="最後の質問")).to_be_visible()
        inspect(page, "questionnaire")
        page.get_by_text("ヘッドホン", exact=True).tap()
        press(page, "送信")
        expect(page.get_by_role("heading", name="これで終わりです。ありがとうございました")).to_be_visible()
        expect(page.get_by_text("あなたの評価が2件保存されています。")).to_be_visible()
        expect(page.locator("#code")).to_have_text(test.completion_code)
        press(page, "コードをコピー")
        expect(page.get_by_role("status").filter(has_text="コピーしました。")).to_be_visible()
        inspect(page, "done")
        assert Questionnaire.objects.get().device == "headphones"

    def test_what_is_offered_at_any_time(self, open_page: OpenPage, inspect: Inspect, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/", **JAPANESE)
        to_the_first_sound(page)
        for path, heading in [
            ("", "続きから始められます"),
            ("link/", "別の端末で続ける"),
            ("problem/", "問題を報告する"),
            ("declined/", "参加しないことを承りました"),
            ("withdraw/", "この実験への参加を取りやめる"),
        ]:
            page.goto(f"/t/{test.slug}/{path}")
            expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
            inspect(page, heading)
        press(page, "参加を取りやめる")
        expect(page.get_by_role("heading", name="参加を取りやめました")).to_be_visible()
        inspect(page, "withdrawn")
        page.goto("/t/nowhere/")
        expect(page.get_by_role("heading", name="聴取実験が見つかりません")).to_be_visible()
        inspect(page, "no such test")

    def test_what_waited_for_the_network_is_told(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/", **JAPANESE)
        to_the_first_sound(page)
        page.context.route("**/ratings/", lambda route: route.abort())
        hear_and_choose(page, 3)
        page.locator("#next").tap()
        expect(page.locator("#on-its-way")).to_have_text("ほか1個を送信中です")
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"/t/{test.slug}/")
        expect(page.get_by_role("alert").filter(has_text="先ほどの点数")).to_be_visible()


class TestSwitch:
    def test_by_touch(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/")
        in_japanese(page).tap()
        press(page, "同意して始める")
        expect(page.get_by_role("heading", name="音の準備")).to_be_visible()
        press(page, "English")
        expect(page.get_by_role("heading", name="Set up the sound")).to_be_visible()

    def test_by_keyboard(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/", **DESK)
        page.get_by_role("link", name="Report a problem").focus()
        page.keyboard.press("Tab")
        expect(in_japanese(page)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="同意して始める")).to_be_visible()

    def test_without_javascript(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/", java_script_enabled=False)
        in_japanese(page).tap()
        expect(page.get_by_role("button", name="同意して始める")).to_be_visible()

    def test_it_is_large_enough(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/", viewport={"width": 320, "height": 568})
        box = in_japanese(page).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44

    def test_a_chosen_score_is_not_lost_unawares(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/")
        agree(page)
        hear_and_choose(page, 4)
        in_japanese(page).tap()
        expect(page.get_by_role("status").filter(has_text=UNSENT)).to_be_in_viewport()
        expect(score(page, 4)).to_be_checked()
        in_japanese(page).tap()
        expect(page.locator("html[lang=ja]")).to_be_attached()
        expect(page.locator(".play")).to_be_enabled()

    def test_nor_is_what_was_written(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/problem/")
        page.get_by_label("What happened?").fill("It crackles.")
        in_japanese(page).tap()
        expect(page.get_by_role("status").filter(has_text=UNSENT)).to_be_visible()
        expect(page.get_by_label("What happened?")).to_have_value("It crackles.")
        page.get_by_role("button", name="Send").tap()
        expect(page.get_by_role("heading", name="Thank you, your report has arrived")).to_be_visible()

    def test_scores_that_wait_are_kept(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/")
        page.on("dialog", lambda dialog: dialog.accept())
        agree(page)
        page.context.route("**/ratings/", lambda route: route.abort())
        rate(page, 5)
        in_japanese(page).tap()
        expect(page.locator("html[lang=ja]")).to_be_attached()
        assert scores_kept(page) == [5]
        page.context.unroute("**/ratings/")
        expect(page.locator("#saved")).to_have_text("保存済み：1／2")
        assert [rating.score for rating in Rating.objects.all()] == [5]


class TestFromTheRight:
    @pytest.fixture(autouse=True)
    def catalogue(self, settings: Settings, tmp_path: Path) -> None:
        catalogue_write(tmp_path / "locale")
        settings.LOCALE_PATHS = [tmp_path / "locale", *settings.LOCALE_PATHS]
        settings.LANGUAGES = languages_found(settings.LOCALE_PATHS)

    def test_every_word_is_said_in_it_and_fits(
        self, open_page: OpenPage, inspect: Inspect, test: ListeningTest
    ) -> None:
        page = open_page(f"/t/{test.slug}/", locale=LANGUAGE, **STILL)
        look(page, inspect)
        page.locator("main button[type=submit]").first.click()
        page.wait_for_url("**/sound/")
        page.locator("[data-again]").click()
        look(page, inspect)
        page.locator("main button[type=submit]").click()
        page.wait_for_url("**/rate/")
        for path in ("", "link/", "problem/", "withdraw/"):
            page.goto(f"/t/{test.slug}/{path}")
            look(page, inspect)
        Session.objects.update(status="cut_short")
        page.goto(f"/t/{test.slug}/questions/")
        look(page, inspect)
        page.locator("button[name=skip]").click()
        page.wait_for_url("**/done/")
        look(page, inspect)
        page.goto("/nowhere/")
        look(page, inspect)

    def test_marks_stand_on_the_right(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/", locale=LANGUAGE)
        fact = page.locator(".facts li").first
        widths = fact.evaluate(
            "node => [getComputedStyle(node).borderLeftWidth, getComputedStyle(node).borderRightWidth]"
        )
        assert widths == ["0px", "3px"]

    def test_scripts_follow_its_rule_for_plurals(self, open_page: OpenPage, test: ListeningTest) -> None:
        """Arabic has six forms, which 0, 1, 2, 3 to 10, 11 to 99 and the rest of each hundred take."""
        page = open_page(f"/t/{test.slug}/", locale=LANGUAGE)
        script = """async ([words, numbers]) => {
            const { ngettext } = await import(words);
            const one = "%(count)s more on its way";
            return numbers.map((n) => ngettext(one, "%(count)s more on their way", n).slice(-3));
        }"""
        forms = page.evaluate(
            script, [static("rater/words.js"), [0, 1, 2, 3, 10, 11, 99, 100, 102, 103, 199, 200, 203, 1011, 1100]]
        )
        assert forms == [f"[{form}]" for form in (0, 1, 2, 3, 3, 4, 4, 5, 5, 3, 4, 5, 3, 4, 5)]

    def test_scripts_put_values_in_and_fall_back_to_english(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/", locale=LANGUAGE)
        script = """async (words) => {
            const { gettext, ngettext, interpolate } = await import(words);
            return [
                interpolate(gettext("Saved %(saved)s of %(planned)s"), { saved: 1, planned: "<b>" }),
                gettext("In no catalogue."),
                gettext(""),
                gettext("constructor"),
                ngettext("One such", "Some such", 1),
                ngettext("One such", "Some such", 2),
            ];
        }"""
        said = as_made_up("Saved %(saved)s of %(planned)s") % {"saved": 1, "planned": "<b>"}
        texts = page.evaluate(script, static("rater/words.js"))
        assert texts == [said, "In no catalogue.", "", "constructor", "One such", "Some such"]


def look(page: Page, inspect: Inspect) -> None:
    """Nothing is wider than the page, and no word is left in Latin letters but names, addresses and codes."""
    expect(page.locator("html[dir=rtl]")).to_be_attached()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    words = page.evaluate("""() => {
        const copy = document.querySelector("main").cloneNode(true);
        copy.querySelectorAll("script, noscript, #link, #code").forEach((node) => node.remove());
        return copy.textContent.match(/[A-Za-z]{2,}/g) ?? [];
    }""")
    assert words == []
    inspect(page, page.url)
