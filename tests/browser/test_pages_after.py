"""The pages after the last pair in a real browser: the last questions, and the code."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from listening_tests.choices import SessionStatus
from listening_tests.models import ListeningTest, Questionnaire, Rating, Session, SurveyAnswer
from tests.browser.conftest import DESK, OpenPage, make_audible_test
from tests.browser.rating_page import begin, rate

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = "</textarea><script>alert(1)</script> & + % \" ' 🐶 שלום"


def at_questions(open_page: OpenPage, test: ListeningTest, **options: object) -> Page:
    page = begin(open_page, test, **options)
    Session.objects.update(status=SessionStatus.COMPLETE, finished_at=timezone.now())
    page.goto(f"/t/{test.slug}/")
    expect(page.get_by_role("heading", name="A few last questions")).to_be_visible()
    return page


@pytest.fixture
def test(transactional_db: None) -> ListeningTest:
    test = make_audible_test(["Only"])
    test.survey_questions.create(prompt="Do you play an instrument?", choices="Yes\nNo")
    return test


def answered() -> tuple[str, str, str]:
    return Questionnaire.objects.values_list("device", "surroundings", "remarks").get()


def test_by_touch(open_page: OpenPage, test: ListeningTest) -> None:
    page = at_questions(open_page, test)
    page.get_by_role("radio", name="Earphones").tap()
    page.get_by_role("radio", name="Some noise").tap()
    page.get_by_role("radio", name="Yes", exact=True).tap()
    page.get_by_label("Is there anything else that you want to tell?").fill(HOSTILE)
    page.get_by_role("button", name="Send").tap()
    expect(page.get_by_text(test.completion_code, exact=True)).to_be_visible()
    assert answered() == ("earphones", "some_noise", HOSTILE)
    assert SurveyAnswer.objects.get().text == "Yes"


def test_by_keyboard(open_page: OpenPage, test: ListeningTest) -> None:
    page = at_questions(open_page, test, **DESK)
    page.get_by_role("radio", name="No answer").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Headphones")).to_be_checked()
    page.keyboard.press("Enter")
    expect(page.get_by_text(test.completion_code, exact=True)).to_be_visible()
    assert answered() == ("headphones", "", "")


def test_an_answer_can_be_taken_back(open_page: OpenPage, test: ListeningTest) -> None:
    page = at_questions(open_page, test)
    device = page.get_by_role("group", name="What did you listen with?")
    device.get_by_label("Loudspeakers").check()
    device.get_by_label("No answer").check()
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/done/")
    assert answered() == ("", "", "")


def test_too_long_a_text_cannot_be_typed(open_page: OpenPage, test: ListeningTest) -> None:
    page = at_questions(open_page, test)
    remarks = page.get_by_label("Is there anything else that you want to tell?")
    remarks.fill("\n" * 1990)
    remarks.press("End")
    page.keyboard.type("twelve chars")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/done/")


def test_a_score_that_is_saved_late_does_not_empty_the_form(open_page: OpenPage, test: ListeningTest) -> None:
    page = begin(open_page, test)
    page.context.route("**/ratings/", lambda route: route.abort())
    rate(page, 5)
    Session.objects.update(status=SessionStatus.COMPLETE, finished_at=timezone.now())
    page.goto(f"/t/{test.slug}/")
    expect(page.get_by_role("alert")).to_contain_text("A score that you gave before is not saved yet.")
    remarks = page.get_by_label("Is there anything else that you want to tell?")
    remarks.fill("A tram passed.")
    page.context.unroute("**/ratings/")
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(remarks).to_have_value("A tram passed.")
    assert Rating.objects.count() == 1


def test_skip_and_back(open_page: OpenPage, test: ListeningTest) -> None:
    page = at_questions(open_page, test)
    page.get_by_role("button", name="Skip").click()
    page.wait_for_url("**/done/")
    page.go_back()
    expect(page.get_by_text(test.completion_code, exact=True)).to_be_visible()
    assert not Questionnaire.objects.exists()


def test_a_page_that_was_left_open_sends_no_second_answers(open_page: OpenPage, test: ListeningTest) -> None:
    page = at_questions(open_page, test)
    other_tab = page.context.new_page()
    other_tab.goto(f"/t/{test.slug}/questions/")
    for tab, words in ((page, "First"), (other_tab, "Second")):
        tab.get_by_label("Is there anything else that you want to tell?").fill(words)
        tab.get_by_role("button", name="Send").click()
        expect(tab.get_by_text(test.completion_code, exact=True)).to_be_visible()
    assert answered() == ("", "", "First")


def test_the_code_can_be_copied_over_plain_http(open_page: OpenPage, test: ListeningTest) -> None:
    """Where browsers offer no clipboard to scripts."""
    page = at_questions(open_page, test, permissions=["clipboard-read"])
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Skip").click()
    page.get_by_role("button", name="Copy the code").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("getSelection().toString()") == test.completion_code


def test_you_may_close_the_page_is_said_when_nothing_waits(open_page: OpenPage, test: ListeningTest) -> None:
    page = at_questions(open_page, test)
    page.get_by_role("button", name="Skip").click()
    may_close = page.get_by_text("You may close this page.")
    expect(may_close).to_be_visible()
    page.locator("#waiting").evaluate("node => { node.hidden = false; }")
    expect(may_close).to_be_hidden()
