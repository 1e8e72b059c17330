"""A real browser rates while its network is cut at a random moment around Next, and comes back: run after run.

Fails where a score that was given is missing in the end, is there twice or is another one, or where the rater does not
reach the code. The moments come from a fixed seed.
"""

import os
import random
import sys
import threading
from pathlib import Path

from playwright.sync_api import Browser, expect
from playwright.sync_api import Error as BrowserError

from benchmarks.broken_wire import Wire, wire_to
from benchmarks.browser_rater import BrowserRater, chromium
from benchmarks.installation import Installation

RUNS = 100
PAIRS = 4
SEED = 20_26
LONGEST_CUT_S = 2.0


class Study:
    """One test on one installation, of `PAIRS` short clips for every rater, that a browser reaches over `wire`."""

    def __init__(self, installation: Installation, slug: str, wire: Wire) -> None:
        self.installation, self.slug, self.wire = installation, slug, wire
        installation.make_test(slug, pairs=PAIRS, duration_s=0.3, ratings_per_pair=1000, pairs_per_session=PAIRS)

    def stored(self, name: str) -> list[tuple[str, int]]:
        """Every rating of a rater: caption and score."""
        return self.installation.rows(
            "SELECT caption.text, rating.score::int FROM listening_tests_rating rating "
            "JOIN listening_tests_pair pair ON pair.id = rating.pair_id "
            "JOIN listening_tests_caption caption ON caption.id = pair.caption_id "
            "JOIN listening_tests_rateridentity identity ON identity.rater_id = rating.rater_id "
            "JOIN listening_tests_listeningtest test ON test.id = rating.test_id "
            "WHERE identity.claimed_id = %s AND test.slug = %s",
            (name, self.slug),
        )

    def rate_through_a_cut(self, browser: Browser, name: str, draw: random.Random) -> list[tuple[str, int]]:
        """A whole sitting with one cut at a random moment. Returns the scores that were given."""
        rater = BrowserRater(browser.new_context(), self.wire.site, self.slug, name)
        rater.enter()
        cut_at, cut_after_s, cut_for_s = draw.randrange(PAIRS), draw.uniform(0, 0.5), draw.uniform(0.1, LONGEST_CUT_S)
        for position in range(PAIRS):
            rater.listen()
            if position == cut_at:
                threading.Timer(cut_after_s, self.wire.cut).start()
                mended = threading.Timer(cut_after_s + cut_for_s, self.wire.mend)
                mended.start()
            self.give(rater, draw.randrange(11), is_last=position == PAIRS - 1)
        mended.join()
        rater.finish()
        rater.close()
        return sorted(rater.given.items())

    def rate_through_a_lost_answer(self, browser: Browser, name: str, draw: random.Random) -> list[tuple[str, int]]:
        """As above, but that the first score arrives, and the cut takes its answer."""
        rater = BrowserRater(browser.new_context(), self.wire.site, self.slug, name)
        rater.enter()
        for position in range(PAIRS):
            rater.listen()
            lost = self.wire.cut_before_answer_to(f"POST /t/{self.slug}/ratings/".encode()) if position == 0 else None
            self.give(rater, draw.randrange(11), is_last=position == PAIRS - 1)
            if lost is not None:
                self._expect_a_lost_answer(rater, lost)
        rater.finish()
        rater.close()
        return sorted(rater.given.items())

    def _expect_a_lost_answer(self, rater: BrowserRater, lost: threading.Event) -> None:
        rater.expect_to_be_trying_again()
        if not lost.is_set() or self.stored(rater.name) != list(rater.given.items()):
            raise RuntimeError("The cut came before the score was stored: this run proves nothing.")
        self.wire.mend()
        expect(rater.page.locator("#saved")).to_have_text(f"Saved 1 of {PAIRS}")

    def give(self, rater: BrowserRater, score: int, *, is_last: bool) -> None:
        shown = rater.caption
        rater.choose(score)
        rater.go_on()
        if not is_last:
            rater.expect_another_pair(than=shown)


def main() -> int:
    installation = Installation(Path(os.environ["EARMARK_HOME"]))
    installation.start()
    good = 0
    try:
        with chromium() as browser, wire_to(installation.port) as wire:
            study = Study(installation, "cuts", wire)
            for number in range(RUNS):
                good += is_kept(study, browser, number)
    finally:
        installation.stop()
    sys.stdout.write(f"Network cut at a random moment around Next: {good} of {RUNS} with every score saved, once\n")
    return 0 if good == RUNS else 1


def is_kept(study: Study, browser: Browser, number: int) -> bool:
    """Whether all that was given in one run is stored, once. Says what is not."""
    name = f"run-{number}"
    try:
        given = study.rate_through_a_cut(browser, name, random.Random(SEED + number))  # noqa: S311 -- no secret
    except (BrowserError, AssertionError) as error:
        sys.stdout.write(f"  {name}: {error}\n")
        study.wire.mend()
        return False
    stored = sorted(study.stored(name))
    if stored != given:
        sys.stdout.write(f"  {name}: given {given}, stored {stored}\n")
    return stored == given


if __name__ == "__main__":
    sys.exit(main())
