"""The battery dies on a score that no network took: it is there when the browser is started again, and arrives."""

from pathlib import Path

import psutil
from playwright.sync_api import Browser, BrowserContext, expect

from benchmarks.broken_wire import Wire
from benchmarks.browser_rater import CHROMIUM, BrowserRater
from benchmarks.installation import Installation, command_of, kill
from benchmarks.network_cuts import PAIRS, Study


def open_profile(browser: Browser, profile: Path) -> BrowserContext:
    return browser.browser_type.launch_persistent_context(
        profile, executable_path=CHROMIUM, args=["--no-sandbox"], viewport={"width": 400, "height": 800}
    )


def kill_browser_of(profile: Path) -> None:
    kill([process for process in psutil.process_iter() if f"--user-data-dir={profile}" in command_of(process)])


def test_it_works(installation: Installation, wire: Wire, browser: Browser, tmp_path: Path) -> None:
    study = Study(installation, "battery", wire)
    before = BrowserRater(open_profile(browser, tmp_path), wire.site, study.slug, "away")
    before.enter()
    # Cookies go to the disk half a minute later, or when the browser ends as it should.
    before.close()

    rater = BrowserRater(open_profile(browser, tmp_path), wire.site, study.slug, "away")
    rater.come_back()
    rater.listen()
    wire.cut()
    shown = rater.caption
    rater.choose(9)
    rater.go_on()
    rater.expect_another_pair(than=shown)
    kill_browser_of(tmp_path)
    wire.mend()

    after = BrowserRater(open_profile(browser, tmp_path), wire.site, study.slug, "away")
    after.come_back()
    expect(after.page.locator("#saved")).to_have_text(f"Saved 1 of {PAIRS}")
    expect(after.page.locator("#caption")).not_to_have_text(shown)
    assert study.stored("away") == [(shown, 9)]
    after.close()
