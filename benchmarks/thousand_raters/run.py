"""One run of locust, in a process of its own since it patches the standard library, and what was noted meanwhile."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
# What is under way when the measured time is over may end; nobody is cut off between a rating and its answer.
LONGEST_STOP_S = 60


@dataclass(frozen=True)
class RaterRun:
    """What the raters noted. Samples are kind, when sent, milliseconds, bytes."""

    acknowledged: list[str]
    errors: list[str]
    samples: list[tuple[str, float, float, int]]
    seated: int
    resends: int
    measured: dict[str, Any]

    @property
    def measured_s(self) -> float:
        return float(self.measured["until"] - self.measured["from"])

    @property
    def processors(self) -> list[str]:
        return list(self.measured["processors"])

    def milliseconds(self, kind: str = "") -> list[float]:
        """Of the requests sent in the measured time: of one kind, or of all."""
        return [ms for name, sent_at, ms, _ in self.samples if kind in ("", name) and self.is_measured(sent_at)]

    def bytes_read(self, kind: str) -> int:
        return sum(size for name, sent_at, _, size in self.samples if name == kind and self.is_measured(sent_at))

    def is_measured(self, moment: float) -> bool:
        return bool(self.measured["from"] <= moment < self.measured["until"])


@dataclass(frozen=True)
class ServerTiming:
    """One request: from its sending until a thread took it, until the answer's end, and how long that thread worked."""

    kind: str
    waited_ms: float
    took_ms: float
    worked_ms: float


def rate_with_locust(
    site: str, slug: str, *, results_file: Path, raters: int, sitting_down_s: float, measured_s: float, wait_s: str
) -> RaterRun:
    """`raters` sit down within `sitting_down_s` and rate for `measured_s`, each after a wait drawn from `wait_s`.

    Raises RuntimeError with what locust said where it wrote no results.
    """
    # Should not everybody get a seat, it ends all the same.
    longest_s = int(sitting_down_s + measured_s + 120)
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--host", site]
    command += ["--users", str(raters), "--spawn-rate", str(raters / sitting_down_s), "--run-time", f"{longest_s}s"]
    command += ["--stop-timeout", str(LONGEST_STOP_S), "--only-summary"]
    settings = {
        "EARMARK_SLUG": slug,
        "EARMARK_RATERS": str(raters),
        "EARMARK_MEASURED_S": str(measured_s),
        "EARMARK_WAIT_S": wait_s,
        "EARMARK_RESULTS": str(results_file),
        "PYTHONPATH": str(LOCUSTFILE.parents[2]),
    }
    done = subprocess.run(  # noqa: S603 -- our own words
        command, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    if not results_file.exists():
        raise RuntimeError(f"Locust ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return RaterRun(**json.loads(results_file.read_text()))


def read_server_timings(file: Path, run: RaterRun) -> list[ServerTiming]:
    """Of the requests that were sent in the measured time."""
    timings = []
    for line in file.read_text().splitlines():
        done_at, _, status, path, waited_ms, took_ms, worked_ms = line.split()
        timing = ServerTiming(_kind(path, status), float(waited_ms), float(took_ms), float(worked_ms))
        if run.is_measured(float(done_at) - (timing.waited_ms + timing.took_ms) / 1000):
            timings.append(timing)
    return timings


def _kind(path: str, status: str) -> str:
    if "/audio/" in path:
        return "clip, again" if status == "304" else "clip, first time"
    return "rating" if path.endswith("/ratings/") else "page"
