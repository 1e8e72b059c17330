"""A whole sitting in WebKit, kin of Safari, in which sound fails first: real playing, by role and name."""

from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from benchmarks.broken_wire import Wire, wire_to
from listening_tests.models import ListeningTest, Rating
from tests.browser.conftest import make_audible_test
from tests.browser.rating_page import NOT_SAVED
from tests.browser.webkit import MISSING, is_installed, webkit

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not is_installed(), reason=MISSING),
]
LONGEST_WAIT_S = 30


@pytest.fixture(scope="module")
def driver() -> Iterator[WebKitGTK]:
    with webkit() as driver:
        yield driver


class Rater:
    """Finds controls by the role and the name that WebKit itself computes for people with a screen reader."""

    def __init__(self, driver: WebKitGTK, site: str, test: ListeningTest) -> None:
        self.driver, self.site, self.test = driver, site, test
        self.wait = WebDriverWait(driver, LONGEST_WAIT_S)

    def enter(self) -> None:
        self.driver.get(f"{self.site}/t/{self.test.slug}/")
        self.press("I agree, start")
        self.press("Continue")

    def rate(self, value: int) -> str:
        """Hears the clip, gives it a score, and tells its caption."""
        self.press("Play")
        self.wait.until(lambda _: self.find("radio", str(value)).is_enabled())
        self.find("radio", str(value)).find_element(By.XPATH, "..").click()
        shown = self.text("caption")
        self.press("Next")
        return shown

    def finish(self) -> None:
        self.press("Skip")
        self.wait.until(lambda _: self.driver.current_url.endswith("/done/"))

    def press(self, name: str) -> None:
        self.wait.until(lambda _: (button := self.find("button", name)) and button.is_enabled())
        button = self.find("button", name)
        # The driver clicks before its own scrolling has ended.
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()

    def find(self, role: str, name: str) -> WebElement | None:
        selector = {"button": "button", "radio": "input[type=radio]"}[role]
        for element in self.driver.find_elements(By.CSS_SELECTOR, selector):
            if is_known_as(element, role, name):
                return element
        return None

    def text(self, name: str) -> str:
        return self.driver.find_element(By.ID, name).text

    def expect_text(self, name: str, text: str) -> None:
        self.wait.until(lambda _: self.text(name) == text, f"{name} is never {text!r}.")


def is_known_as(element: WebElement, role: str, name: str) -> bool:
    try:
        return element.accessible_name == name and element.aria_role == role
    except WebDriverException:
        # What is hidden from everybody is known as nothing.
        return False


@pytest.fixture
def wire(live_server: LiveServer) -> Iterator[Wire]:
    with wire_to(int(live_server.url.rsplit(":", 1)[1])) as wire:
        yield wire


def test_a_whole_sitting(driver: WebKitGTK, live_server: LiveServer) -> None:
    test = make_audible_test(["A low tone", "A tone", "A high tone"], duration_s=0.5)
    rater = Rater(driver, live_server.url, test)
    rater.enter()
    given = {rater.rate(value): value for value in (0, 7, 10)}
    rater.finish()
    assert test.completion_code in driver.page_source
    assert dict(Rating.objects.values_list("pair__caption__text", "score")) == given
    for rating in Rating.objects.all():
        assert rating.plays == 1
        assert rating.heard_s == pytest.approx(0.5, abs=0.03)


def test_an_answer_is_lost(driver: WebKitGTK, wire: Wire) -> None:
    test = make_audible_test(["Only"])
    rater = Rater(driver, wire.site, test)
    rater.enter()
    lost = wire.cut_before_answer_to(b"/ratings/ HTTP")
    rater.rate(4)
    rater.expect_text("trouble", NOT_SAVED)
    assert lost.is_set()
    assert Rating.objects.get().score == 4
    wire.mend()
    rater.finish()
    assert Rating.objects.count() == 1
