"""What locust runs: raters who sit down one after another, then rate until the measured time is over.

From the environment: EARMARK_SLUG, EARMARK_RATERS, EARMARK_MEASURED_S, EARMARK_WAIT_S ("10.5-13.5"), and the file that
is written at the end, EARMARK_RESULTS.
"""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import gevent
from geventhttpclient.client import HTTPClientPool
from locust import FastHttpUser, between, events, task

from benchmarks.thousand_raters.browsing_rater import BrowsingRater
from benchmarks.timings import ProcessorTime

RATERS = int(os.environ["EARMARK_RATERS"])
MEASURED_S = float(os.environ["EARMARK_MEASURED_S"])
SHORTEST_S, LONGEST_S = map(float, os.environ["EARMARK_WAIT_S"].split("-"))
# So many ratings come from pages that were loaded anew meanwhile, and ask whether the clip is still the same.
SHARE_HEARD_AGAIN = 0.25
# A clip in few reads, so that reading it costs this process little.
READ_BYTES = 256 * 1024
LONGEST_ANSWER_S = 60

acknowledged: list[str] = []
errors: list[str] = []
# Kind, when it was sent, milliseconds, bytes.
samples: list[tuple[str, float, float, int]] = []
raters: list[BrowsingRater] = []
measured: dict[str, Any] = {"from": 0.0, "until": 0.0, "processors": []}


class Rater(FastHttpUser):
    wait_time = between(SHORTEST_S, LONGEST_S)

    def __init__(self, environment: Any) -> None:
        self.client_pool = HTTPClientPool(
            block_size=READ_BYTES, network_timeout=LONGEST_ANSWER_S, connection_timeout=LONGEST_ANSWER_S
        )
        super().__init__(environment)

    def on_start(self) -> None:
        self.rater = BrowsingRater(
            str(self.host),
            os.environ["EARMARK_SLUG"],
            cookies=self.client.cookiejar,
            acknowledged=acknowledged,
            client=self.client,
        )
        if not self.rater.start():
            raise RuntimeError("A rater was told that nothing is left to rate.")
        self.state = self.rater.state()
        self.rater.load_clips(self.state)
        raters.append(self.rater)
        if len(raters) == RATERS:
            gevent.spawn(measure, self.environment.runner)
        self.wait()

    @task
    def rate(self) -> None:
        pair = self.state["next"]
        if random.random() < SHARE_HEARD_AGAIN:  # noqa: S311 -- no secret
            self.rater.load_clip(pair)
        self.state = self.rater.rate(pair, score=random.randrange(11))  # noqa: S311 -- as above
        self.rater.load_clips(self.state)


def measure(runner: Any) -> None:
    """Begins when everybody sits, and ends the run."""
    measured["from"] = time.time()
    processors = ProcessorTime(Path(os.environ["EARMARK_HOME"]))
    before = len(acknowledged)
    gevent.sleep(MEASURED_S)
    measured["until"] = time.time()
    measured["processors"] = processors.lines(measured["until"] - measured["from"], ratings=len(acknowledged) - before)
    runner.quit()


@events.request.add_listener
def note_request(name: str, start_time: float, response_time: float, response_length: int, **rest: Any) -> None:
    samples.append((name, start_time, response_time, response_length))
    if rest["exception"] is not None:
        errors.append(f"{name}: {rest['exception']!r}")


@events.user_error.add_listener
def note_error(exception: BaseException, **_: Any) -> None:
    errors.append(repr(exception))


@events.quitting.add_listener
def write_results(**_: Any) -> None:
    results = {
        "acknowledged": acknowledged,
        "errors": errors,
        "samples": samples,
        "seated": len(raters),
        "resends": sum(rater.resends for rater in raters),
        "measured": measured,
    }
    Path(os.environ["EARMARK_RESULTS"]).write_text(json.dumps(results))
