"""A whole study in the browser, over 91 real sounds, on a running installation, with 12 raters and one by hand.

Tells how long each step takes; fails where a page does not say what it should, or is wider than its window.
`EARMARK_SCREENSHOTS=FOLDER` keeps a picture of every page.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks.browser_rater import LONGEST_WAIT_MS, chromium
from benchmarks.installation import Installation
from benchmarks.screenshots import DESK, PHONE, Screenshots
from benchmarks.study_sounds import lines_of, real_recordings
from benchmarks.study_walk import StudyWalk

NO_SOUNDS = "No sounds are here, so this proof is left out. Name their folder, with sounds.csv, as EARMARK_SOUNDS.\n"


def main() -> int:
    recordings = real_recordings()
    if recordings is None:
        sys.stdout.write(NO_SOUNDS)
        return 0
    installation = Installation(Path(os.environ["EARMARK_HOME"]))
    installation.start()
    try:
        with chromium() as browser:
            folder = os.environ.get("EARMARK_SCREENSHOTS")
            walk = StudyWalk(
                sign_in(browser, installation),
                lambda: browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True),  # type: ignore[arg-type]
                installation.site,
                lines_of(recordings),
                Screenshots(Path(folder) if folder else None),
                told=laps(),
            )
            walk.walk()
    finally:
        installation.stop()
    return 0


def sign_in(browser: Browser, installation: Installation) -> Page:
    page = browser.new_context(viewport=DESK, reduced_motion="reduce").new_page()  # type: ignore[arg-type]
    page.set_default_timeout(LONGEST_WAIT_MS)
    page.goto(f"{installation.site}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill((installation.home / "first_password").read_text().strip())
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    return page


def laps() -> Callable[[str], None]:
    began = time.monotonic()

    def tell(step: str) -> None:
        nonlocal began
        before, began = began, time.monotonic()
        sys.stdout.write(f"  {step:<16} {began - before:6.1f} s\n")
        sys.stdout.flush()

    return tell


if __name__ == "__main__":
    sys.exit(main())
