"""How long a rater waits from Next to a clip that can be played: 30 pairs in Chromium, on loopback and on a slow line.

Clips of 10 s of noise, which no format makes small. On the slow line every round trip takes 300 ms longer.
"""

import os
import statistics
import sys
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.broken_wire import wire_to
from benchmarks.browser_rater import BrowserRater, chromium
from benchmarks.installation import Installation

PAIRS = 30
CLIP_S = 10
ADDED_S = 0.3
READ = "performance.getEntriesByName('gap').map((entry) => entry.duration)"


def gaps_ms(browser: Browser, site: str, slug: str) -> list[float]:
    """Milliseconds from Next to playable, as the page itself measures them, for all pairs but the first."""
    rater = BrowserRater(browser.new_context(), site, slug, "measured")
    rater.enter()
    for number in range(PAIRS - 1):
        rater.listen()
        shown = rater.caption
        rater.choose(number % 11)
        rater.go_on()
        rater.expect_another_pair(than=shown)
    rater.page.wait_for_function(f"{READ}.length >= {PAIRS - 1}")
    found: list[float] = rater.page.evaluate(READ)
    rater.close()
    return sorted(found)


def report(what: str, gaps: list[float], clip_bytes: float) -> None:
    p95 = statistics.quantiles(gaps, n=20, method="inclusive")[-1]
    sys.stdout.write(
        f"Next to playable, {what}: median {statistics.median(gaps):.0f} ms, p95 {p95:.0f} ms, "
        f"most {gaps[-1]:.0f} ms, n {len(gaps)}, clips of {CLIP_S} s and {clip_bytes / 1e6:.2f} MB\n"
    )
    sys.stdout.flush()


def main() -> int:
    installation = Installation(Path(os.environ["EARMARK_HOME"]))
    installation.start()
    try:
        with chromium() as browser, wire_to(installation.port, delay_s=ADDED_S / 2) as wire:
            for slug, what, site in [
                ("near", "loopback", installation.site),
                ("far", f"{1000 * ADDED_S:.0f} ms of latency added", wire.site),
            ]:
                installation.make_test(slug, pairs=PAIRS, duration_s=CLIP_S, pairs_per_session=PAIRS)
                report(what, gaps_ms(browser, site, slug), statistics.mean(installation.rendition_bytes()))
    finally:
        installation.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
