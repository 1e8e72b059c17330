"""PostgreSQL goes away under a rater, and comes back: the page says so, and loses nothing."""

from playwright.sync_api import Browser, expect

from benchmarks.broken_wire import Wire
from benchmarks.browser_rater import BrowserRater
from benchmarks.installation import Installation
from benchmarks.network_cuts import PAIRS, Study


def test_the_page_says_so_and_keeps_the_scores(installation: Installation, wire: Wire, browser: Browser) -> None:
    study = Study(installation, "database-broken", wire)
    rater = BrowserRater(browser.new_context(), installation.site, study.slug, "patient")
    rater.enter()
    rater.listen()
    installation.break_database()
    rater.choose(7)
    rater.go_on()
    rater.expect_to_be_trying_again()
    expect(rater.page.locator("#saved")).to_have_text(f"Saved 0 of {PAIRS}")

    installation.mend_database()

    expect(rater.page.locator("#saved")).to_have_text(f"Saved 1 of {PAIRS}")
    expect(rater.page.get_by_role("alert").filter(visible=True)).to_have_count(0)
    for position in range(1, PAIRS):
        rater.listen()
        study.give(rater, position, is_last=position == PAIRS - 1)
    rater.finish()
    assert sorted(study.stored("patient")) == sorted(rater.given.items())
    assert len(rater.given) == PAIRS
    rater.close()
