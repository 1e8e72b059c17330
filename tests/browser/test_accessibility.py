"""axe-core finds no violation on any page of a rater, in any of its states: on a phone in light, at a desk in dark."""

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect

from listening_tests.choices import SessionStatus, TestStatus
from listening_tests.models import ListeningTest, Session
from tests.browser.conftest import OpenPage, make_audible_test
from tests.browser.rating_page import NOT_SAVED, begin, finish, listen, next_button, play_button, rate, score

pytestmark = pytest.mark.django_db(transaction=True)

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The desk first, so that a page goes on as a phone.
LOOKS: list[tuple[Literal["light", "dark"], ViewportSize]] = [
    ("dark", {"width": 1280, "height": 800}),
    ("light", {"width": 360, "height": 640}),
]
# Colours that are still fading are no colours to measure.
STILL = {"reduced_motion": "reduce"}

Inspect = Callable[[Page, str], None]


def violations(page: Page) -> list[str]:
    options = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": RULES}}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{each['id']}: {node['html']} {node['failureSummary']}" for each in found for node in each["nodes"]]


@pytest.fixture
def inspect() -> Iterator[Inspect]:
    """Looks at a page, which a name is given; the test fails at its end with all that was found."""
    found: list[str] = []

    def look(page: Page, name: str) -> None:
        for scheme, size in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(size)
            found.extend(f"{name}, {size['width']} px, {scheme}: {violation}" for violation in violations(page))

    yield look
    assert found == []


@pytest.fixture
def test(transactional_db: None) -> ListeningTest:
    return make_audible_test(["First", "Second", "Third"])


def test_what_is_wrong_is_found(open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.set_content("<html lang='en'><title>A page</title><main><h1 style='color: #aaa'>Pale</h1><img src='x'></main>")
    assert [violation.split(":")[0] for violation in violations(page)] == ["color-contrast", "image-alt"]


def test_the_way_in(open_page: OpenPage, inspect: Inspect, test: ListeningTest) -> None:
    test.check_questions.create()
    page = open_page(f"/t/{test.slug}/", **STILL)
    inspect(page, "consent")
    page.get_by_role("button", name="I agree, start").click()
    expect(page.get_by_role("button", name="Check my answers")).to_be_visible()
    inspect(page, "comprehension check")
    page.get_by_label("How much I like the sound").check()
    page.get_by_role("button", name="Check my answers").click()
    expect(page.get_by_role("alert")).to_be_visible()
    inspect(page, "comprehension check, a wrong answer")
    page.route("**/sound/*/", lambda route: route.abort())
    page.get_by_label("How well the caption matches the sound").check()
    page.get_by_role("button", name="Check my answers").click()
    expect(page.get_by_role("heading", name="Set up the sound")).to_be_visible()
    inspect(page, "sound set-up")
    page.get_by_role("button", name="Play the volume sound").click()
    expect(page.get_by_role("alert")).to_be_visible()
    inspect(page, "sound set-up, a sound does not load")


def test_the_rating_page(open_page: OpenPage, inspect: Inspect) -> None:
    test = make_audible_test(["First", "Second", "Third"], practice=1)
    test.pairs.filter(role="practice").update(expected_min=0, expected_max=2)
    ListeningTest.objects.filter(pk=test.pk).update(break_after_minutes=1)
    page = begin(open_page, test, **STILL)
    inspect(page, "practice, locked")
    listen(page)
    inspect(page, "practice, unlocked")
    score(page, 7).check()
    inspect(page, "practice, a score chosen")
    next_button(page).click()
    expect(page.locator("#feedback")).not_to_be_empty()
    inspect(page, "practice, what most people give")
    next_button(page).click()
    expect(page.locator("#practice-over")).to_be_visible()
    inspect(page, "practice is over")
    Session.objects.update(elapsed_s=61)
    rate(page, 4)
    rate(page, 4)
    expect(page.get_by_role("heading", name="Time for a break?")).to_be_visible()
    inspect(page, "break")


def test_the_rating_page_in_trouble(open_page: OpenPage, inspect: Inspect, test: ListeningTest) -> None:
    page = begin(open_page, test, **STILL)
    page.route("**/ratings/", lambda route: route.abort())
    rate(page, 3)
    expect(page.get_by_role("alert").filter(has_text=NOT_SAVED)).to_be_visible()
    inspect(page, "not saved yet")
    rate(page, 4)
    rate(page, 5)
    expect(page.get_by_role("heading", name="One moment")).to_be_visible()
    inspect(page, "waiting for the network")


def test_a_sound_that_does_not_load(open_page: OpenPage, inspect: Inspect, test: ListeningTest) -> None:
    page = open_page(f"/t/{test.slug}/", **STILL)
    page.context.route("**/audio/**", lambda route: route.fulfill(status=404))
    page.get_by_role("button", name="I agree, start").click()
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_role("button", name="Skip and report this sound")).to_be_visible()
    inspect(page, "the offer to skip")


def test_the_way_out(open_page: OpenPage, inspect: Inspect) -> None:
    test = make_audible_test(["Only"])
    test.survey_questions.create(prompt="Which kind?", choices="One\nTwo")
    page = begin(open_page, test, **STILL)
    rate(page, 3)
    expect(page.get_by_role("button", name="Skip", exact=True)).to_be_visible()
    inspect(page, "questionnaire")
    finish(page)
    inspect(page, "done")


def test_what_is_offered_at_any_time(open_page: OpenPage, inspect: Inspect, test: ListeningTest) -> None:
    page = begin(open_page, test, **STILL)
    page.goto(f"/t/{test.slug}/")
    inspect(page, "continue")
    page.goto(f"/t/{test.slug}/link/")
    inspect(page, "personal link")
    inspect(open_page(page.locator("#link").inner_text(), **STILL), "personal link, followed")
    page.goto(f"/t/{test.slug}/problem/")
    inspect(page, "problem")
    words = page.get_by_label("What happened?")
    words.fill(" ")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_visible()
    inspect(page, "problem, nothing said")
    words.fill("It crackles.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Thank you, your report has arrived")).to_be_visible()
    inspect(page, "problem, sent")
    page.goto(f"/t/{test.slug}/withdraw/")
    inspect(page, "withdraw")
    page.get_by_role("button", name="Withdraw", exact=True).click()
    expect(page.get_by_role("heading", name="You have withdrawn")).to_be_visible()
    inspect(page, "withdrawn")


def test_other_ends(open_page: OpenPage, inspect: Inspect, test: ListeningTest) -> None:
    page = begin(open_page, test, **STILL)
    for status, name in [(SessionStatus.SCREENED, "screened"), (SessionStatus.CUT_SHORT, "cut short")]:
        Session.objects.update(status=status, finished_at=timezone.now(), questionnaire_at=timezone.now())
        page.goto(f"/t/{test.slug}/")
        inspect(page, name)


def test_messages(open_page: OpenPage, inspect: Inspect, test: ListeningTest) -> None:
    page = open_page("/t/no-such-test/", **STILL)
    inspect(page, "no such test")
    for status in (TestStatus.DRAFT, TestStatus.PAUSED, TestStatus.CLOSED):
        ListeningTest.objects.update(status=status)
        page.goto(f"/t/{test.slug}/")
        inspect(page, f"the test is {status}")
    ListeningTest.objects.update(status=TestStatus.OPEN)
    test.pairs.all().delete()
    page.goto(f"/t/{test.slug}/")
    inspect(page, "nothing left to rate")


def test_playing(open_page: OpenPage, inspect: Inspect) -> None:
    page = begin(open_page, make_audible_test(["Long"], duration_s=20), **STILL)
    play_button(page).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    inspect(page, "playing")
    # Not in the moments before the clip, which has then nothing behind it to go back to.
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("button", name="From the start", exact=True)).to_be_visible()
    inspect(page, "stopped midway")
