"""What a rater may do at any time, in a real browser: withdraw, report a problem, go on at another device."""

import pytest
from playwright.sync_api import expect

from listening_tests.choices import SessionStatus
from listening_tests.models import ListeningTest, ProblemReport, Rating, Session
from tests.browser.conftest import DESK, OpenPage, make_audible_test
from tests.browser.rating_page import begin, caption, play_button, rate, scores_kept

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def test(transactional_db: None) -> ListeningTest:
    return make_audible_test(["First", "Second", "Third"])


class TestWithdrawing:
    def test_by_touch(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = begin(open_page, test)
        rate(page, 5)
        expect(page.locator("#saved")).to_have_text("Saved 1 of 3")
        page.get_by_role("link", name="Withdraw").tap()
        page.get_by_role("button", name="Withdraw", exact=True).tap()
        expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()
        assert not Rating.objects.exists()
        page.goto(f"/t/{test.slug}/")
        expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()

    def test_by_keyboard_and_back(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = begin(open_page, test, **DESK)
        page.get_by_role("link", name="Withdraw").press("Enter")
        page.get_by_role("link", name="Go back to the test").press("Enter")
        expect(play_button(page)).to_be_enabled()
        assert Session.objects.get().status == SessionStatus.ACTIVE
        page.get_by_role("link", name="Withdraw").press("Enter")
        page.get_by_role("button", name="Withdraw", exact=True).press("Enter")
        expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()

    def test_a_score_that_waits_in_the_browser_goes_too(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = begin(open_page, test)
        page.context.route("**/ratings/", lambda route: route.abort())
        rate(page, 5)
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_role("link", name="Withdraw").click()
        page.get_by_role("button", name="Withdraw", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert scores_kept(page) == [5]
        page.context.unroute("**/ratings/")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()
        assert scores_kept(page) == []
        assert not Rating.objects.exists()


class TestReporting:
    def test_by_touch(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = begin(open_page, test)
        shown = caption(page).inner_text()
        page.get_by_role("link", name="Report a problem").tap()
        page.get_by_label("What happened?").fill("It crackles.\nAll the time.")
        page.get_by_role("button", name="Send").tap()
        expect(page.get_by_role("heading", name="Thank you, your report has arrived")).to_be_visible()
        page.get_by_role("link", name="Go back to the test").tap()
        expect(caption(page)).to_have_text(shown)
        report = ProblemReport.objects.get()
        assert report.text == "It crackles.\nAll the time."
        assert "Chrome" in report.browser
        assert report.assignment is not None
        assert report.assignment.pair.caption.text == shown

    def test_by_keyboard_from_the_first_page(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/", **DESK)
        page.get_by_role("link", name="Report a problem").press("Enter")
        page.get_by_label("What happened?").focus()
        page.keyboard.type("I cannot read the consent text.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Thank you, your report has arrived")).to_be_visible()
        page.get_by_role("link", name="Go back to the test").press("Enter")
        expect(page.get_by_role("button", name="I agree, start")).to_be_visible()

    def test_a_double_click_sends_one(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/problem/")
        page.get_by_label("What happened?").fill("No sound")
        page.get_by_role("button", name="Send").dblclick()
        expect(page.get_by_role("heading", name="Thank you, your report has arrived")).to_be_visible()
        assert ProblemReport.objects.count() == 1

    def test_an_empty_report_is_told_at_the_field(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = open_page(f"/t/{test.slug}/problem/")
        words = page.get_by_label("What happened?")
        words.fill("  ")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("alert")).to_be_focused()
        expect(words).to_have_accessible_description("Say in a few words what happened.")
        page.get_by_role("link", name="What happened?").click()
        expect(words).to_be_focused()


class TestAnotherDevice:
    def test_it_works(self, open_page: OpenPage, test: ListeningTest) -> None:
        page = begin(open_page, test)
        rate(page, 5)
        expect(page.locator("#saved")).to_have_text("Saved 1 of 3")
        shown = caption(page).inner_text()
        page.get_by_role("link", name="Continue on another device").tap()
        address = page.locator("#link").inner_text()

        other = open_page(address, **DESK)
        expect(other.get_by_text("1 of 3 sounds are rated and saved.")).to_be_visible()
        other.get_by_role("button", name="Continue here").press("Enter")
        other.get_by_role("button", name="Continue", exact=True).press("Enter")

        expect(caption(other)).to_have_text(shown)
        expect(other.locator("#saved")).to_have_text("Saved 1 of 3")
        assert Session.objects.count() == 1

    @pytest.mark.parametrize("script", ["", "Object.defineProperty(navigator, 'clipboard', {value: undefined})"])
    def test_the_link_can_be_copied(self, open_page: OpenPage, test: ListeningTest, script: str) -> None:
        page = begin(open_page, test, permissions=["clipboard-read", "clipboard-write"])
        page.add_init_script(script)
        page.goto(f"/t/{test.slug}/link/")
        page.get_by_role("button", name="Copy the link").click()
        expect(page.get_by_text("Copied.")).to_be_visible()
        if not script:
            assert page.evaluate("navigator.clipboard.readText()") == page.locator("#link").inner_text()

    def test_the_address_goes_to_no_other_site(self, open_page: OpenPage, test: ListeningTest) -> None:
        """What a page elsewhere would be told of the page that the browser came from."""
        page = begin(open_page, test)
        page.get_by_role("link", name="Continue on another device").tap()
        other = open_page(page.locator("#link").inner_text())
        told: list[dict[str, str]] = []

        def elsewhere(route) -> None:  # type: ignore[no-untyped-def]
            told.append(route.request.headers)
            route.fulfill(body="Elsewhere", content_type="text/html")

        other.route("http://elsewhere.example/**", elsewhere)
        other.evaluate("location.href = 'http://elsewhere.example/'")
        expect(other.get_by_text("Elsewhere")).to_be_visible()
        assert [headers.get("referer") for headers in told] == [None]
