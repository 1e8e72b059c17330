"""A rater in a real Chromium, who finds the way by what the page says: the names of buttons and of scores."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

# The first is Chromium without its own windows: pages are the same, and each takes a third of the processor time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
# The machine may be busy; nothing waits this long where all is well.
LONGEST_WAIT_MS = 30_000
NOT_SAVED = "Not saved yet, trying again. Your scores are kept."


@contextmanager
def chromium() -> Iterator[Browser]:
    """Raises RuntimeError where there is none."""
    if CHROMIUM is None:
        raise RuntimeError("Chromium is needed and not installed. Install it (Debian: apt-get install chromium).")
    expect.set_options(timeout=LONGEST_WAIT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class BrowserRater:
    """Sits at one test, in a browser profile of its own, under a name that the recruiter's link claims.

    `given`: the score of each caption rated.
    """

    context: BrowserContext
    site: str
    slug: str
    name: str
    given: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.context.set_default_timeout(LONGEST_WAIT_MS)
        self.page: Page = self.context.new_page()

    def enter(self) -> None:
        """From the recruiter's link to the first pair."""
        self.page.goto(f"{self.site}/t/{self.slug}/?PROLIFIC_PID={self.name}")
        self._button("I agree, start").click()
        self._button("Continue").click()
        expect(self.page.locator("#saved")).to_be_visible()

    def come_back(self) -> None:
        """From the recruiter's link to the pair where the sitting stopped."""
        self.page.goto(f"{self.site}/t/{self.slug}/?PROLIFIC_PID={self.name}")
        self._button("Continue").click()
        expect(self.page.locator("#saved")).to_be_visible()

    def listen(self) -> None:
        """Hears the clip to its end, and starts it again where the network took it away."""
        unlocked = self._score(0).and_(self.page.locator(":enabled"))
        play = self._button("Play")
        while not unlocked.count():
            expect(play.or_(unlocked).first).to_be_enabled()
            if play.is_enabled():
                play.click()
            expect(unlocked.or_(self._button("Skip and report this sound"))).to_be_visible()

    def choose(self, score: int) -> None:
        self._score(score).check()
        self.given[self.caption] = score

    def go_on(self) -> None:
        self._button("Next").click()

    @property
    def caption(self) -> str:
        return self.page.locator("#caption").inner_text()

    def expect_another_pair(self, *, than: str) -> None:
        expect(self.page.locator("#caption")).not_to_have_text(than)
        expect(self.page.locator("#rating")).to_be_visible()

    def expect_to_be_trying_again(self) -> None:
        expect(self.page.get_by_role("alert").filter(has_text=NOT_SAVED)).to_be_visible()

    def finish(self) -> None:
        """Through the last questions to the code."""
        skip = self._button("Skip")
        with suppress(BrowserError):
            self.page.wait_for_url(lambda url: "/rate/" not in url)
        if "/questions/" not in self.page.url:
            # The network was away as the browser went there: people load a page again that did not come.
            self.page.goto(f"{self.site}/t/{self.slug}/")
        skip.click()
        self.page.wait_for_url("**/done/")
        expect(self.page.get_by_text("Your completion code")).to_be_visible()

    def close(self) -> None:
        self.context.close()

    def _button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def _score(self, value: int) -> Locator:
        return self.page.get_by_role("radio", name=str(value), exact=True)
