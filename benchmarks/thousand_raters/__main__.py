"""Starts the server and the raters, and prints percentiles as raters saw them and as the server did.

Fails where an answer was an error or a promise is broken; no time is asserted.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.installation import Installation
from benchmarks.studies import broken_promises
from benchmarks.thousand_raters.run import RaterRun, ServerTiming, rate_with_locust, read_server_timings
from benchmarks.timings import percentiles

SLUG = "thousand-raters"
RATERS = 1_000
SITTING_DOWN_S = 60
MEASURED_S = 180
# The clips take 10 s; a rating about every 12 s.
CLIP_S = 10
WAIT_S = "10.5-13.5"
PAIRS = 3_000
K = 20
PAIRS_PER_SESSION = 100
KINDS = ("rating", "clip, first time", "clip, again")


def main() -> int:
    home = Path(os.environ["EARMARK_HOME"])
    timings_file = home.parent / "timings"
    os.environ["EARMARK_TIMINGS"] = str(timings_file)
    os.environ["GUNICORN_CMD_ARGS"] = "--config benchmarks/thousand_raters/server_timings.py"
    installation = Installation(home)
    installation.start()
    try:
        installation.make_test(
            SLUG, pairs=PAIRS, duration_s=CLIP_S, ratings_per_pair=K, pairs_per_session=PAIRS_PER_SESSION
        )
        [(durability,)] = installation.rows("SHOW synchronous_commit")
        run = rate_with_locust(
            installation.site,
            SLUG,
            results_file=home.parent / "results",
            raters=RATERS,
            sitting_down_s=SITTING_DOWN_S,
            measured_s=MEASURED_S,
            wait_s=WAIT_S,
        )
        broken = broken_promises(installation, SLUG, run.acknowledged)
    finally:
        installation.stop()
    if durability != "on":
        broken.append(f"synchronous_commit is {durability}, so that an acknowledged rating could be lost")
    if run.seated < RATERS:
        sys.stdout.write("\n".join([f"Only {run.seated} of {RATERS} raters sat down.", *run.errors[:10]]) + "\n")
        return 1
    report(run, read_server_timings(timings_file, run), broken)
    return 1 if broken or run.errors else 0


def report(run: RaterRun, at_server: list[ServerTiming], broken: list[str]) -> None:
    ratings = len(run.milliseconds("rating"))
    megabytes = run.bytes_read("clip, first time") / 1e6
    lines = [
        f"{RATERS:,} raters, {ratings:,} ratings in {run.measured_s:.0f} s ({ratings / run.measured_s:.0f} a second), "
        f"{megabytes:,.0f} MB of sound ({megabytes / run.measured_s:.0f} a second)",
        "As the raters saw it, on the processors that they share with the server:",
        *(percentiles(kind, run.milliseconds(kind)) for kind in KINDS),
        percentiles("everything", run.milliseconds()),
        *_server_lines("At the server, from the sending of the request:", at_server, lambda t: t.waited_ms + t.took_ms),
        *_server_lines("Of that, in the thread that answered it:", at_server, lambda t: t.took_ms),
        *_server_lines("Of that, on a processor:", at_server, lambda t: t.worked_ms),
        "Processor time meanwhile:",
        *run.processors,
        f"{len(run.acknowledged):,} ratings acknowledged in all, {run.resends} requests sent again, "
        f"errors: {len(run.errors)}, broken promises: {len(broken)}",
    ]
    sys.stdout.write("\n".join([*lines, *run.errors[:10], *broken]) + "\n")


def _server_lines(heading: str, timings: list[ServerTiming], of: Callable[[ServerTiming], float]) -> list[str]:
    by_kind = (percentiles(kind, [of(t) for t in timings if t.kind == kind]) for kind in KINDS)
    return [heading, *by_kind, percentiles("everything", [of(timing) for timing in timings])]


if __name__ == "__main__":
    sys.exit(main())
