"""Pages as they look: at a desk and on a phone, light and dark, into a folder if one is named; whether they fit."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 640}
LONGEST_TO_FIT_MS = 5_000
_FITS = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"

# What reaches furthest to the right, as markup without what is in it.
_WIDEST = """() => [...document.body.querySelectorAll("*")]
    .reduce((a, b) => a.getBoundingClientRect().right > b.getBoundingClientRect().right ? a : b)
    .cloneNode(false).outerHTML"""


@dataclass
class Screenshots:
    """`folder`: where to keep them; none are kept without. `too_wide` names the pages that do not fit a window."""

    folder: Path | None = None
    n: int = 0

    def __post_init__(self) -> None:
        self.too_wide: list[str] = []

    def of_staff(self, page: Page, name: str) -> None:
        """At both widths, and dark at a desk. The page is left as wide as a desk."""
        self._take(page, f"{name}-1280")
        if self.folder:
            page.emulate_media(color_scheme="dark")
            self._take(page, f"{name}-1280-dark")
            page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        self._take(page, f"{name}-360")
        page.set_viewport_size(DESK)  # type: ignore[arg-type]

    def of_rater(self, page: Page, name: str) -> None:
        """As wide as it is."""
        self._take(page, f"rater-{name}-360")

    def _take(self, page: Page, name: str) -> None:
        page.wait_for_load_state()
        try:
            # Charts take the width of a window that has changed a moment later.
            page.wait_for_function(_FITS, timeout=LONGEST_TO_FIT_MS, polling=50)
        except BrowserError:
            self.too_wide.append(f"{name}: {page.evaluate(_WIDEST)}")
        if self.folder:
            self.n += 1
            # Pictures load when they are come near to, and are drawn by then.
            page.evaluate("document.querySelectorAll('img[loading=lazy]').forEach((each) => each.loading = 'eager')")
            page.wait_for_function("() => [...document.images].every((each) => each.complete)")
            page.screenshot(path=self.folder / f"{self.n:02}-{name}.png", full_page=True)
