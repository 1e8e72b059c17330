"""Training runs while the worker, the broker, PostgreSQL or the web server is killed; tasks delivered twice; snapshots
of which a byte was changed. Each 20 times. (A full disk: `full_disk`.)

Fails where a run is lost, stuck, carried out twice, or ends in other weights than the same run undisturbed.
"""

import json
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.installation import Installation, command_of, kill

TIMES = 20
# A run is taken back three times and no more; and a run on a quick machine is over before many blows have fallen.
STRIKES_PER_RUN = 3
PAIRS = 220
LONGEST_S = 900.0
PAUSE_S = 0.1
QUICK, LONG = {"epochs": 1}, {"epochs": 24, "patience": 1000}
ACTIVE = ("queued", "running", "cancelling")


@dataclass(frozen=True)
class Blow:
    """What is done to the installation while a run trains, and whether the run may be taken back for it."""

    what: str
    strike: Callable[[Installation], None]
    may_restart: bool


def kill_worker(installation: Installation) -> None:
    """The worker that trains, its child with it; supervisord starts another."""
    kill([process for process in installation.family() if "gpu@" in command_of(process)])


def kill_broker(installation: Installation) -> None:
    kill([process for process in installation.family() if "broker.sock" in command_of(process)])


BLOWS = (
    Blow("the worker", kill_worker, may_restart=True),
    Blow("the broker", kill_broker, may_restart=False),
    Blow("PostgreSQL", Installation.kill_database, may_restart=True),
    Blow("the web server", Installation.kill_web, may_restart=False),
)


class Runs:
    """The runs of an installation, seen past the site, and what must hold of them."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self.installation, self.folder = installation, folder
        self.slugs: list[str] = []

    def studies(self, number: int, pairs: int = PAIRS) -> list[str]:
        """The first of as many as were ever asked for: none has a run that is not over when the next is queued."""
        missing = [f"faults-{place}" for place in range(len(self.slugs), number)]
        if missing:
            self._call(f"studies_make({str(self.folder / 'sounds')!r}, {missing!r}, {pairs})")
            self.slugs += missing
        return self.slugs[:number]

    def queue(self, slugs: list[str], settings: dict[str, Any], deliveries: int = 1) -> list[str]:
        said = self._call(f"runs_queue({slugs!r}, {str(self._config(settings))!r}, {deliveries})")
        uuids: list[str] = json.loads(said.strip().splitlines()[-1])
        return uuids

    def queue_on_changed_snapshots(self, slugs: list[str], settings: dict[str, Any]) -> dict[str, str]:
        media = str(self.installation.home / "media")
        said = self._call(f"runs_queue_on_changed_snapshots({media!r}, {slugs!r}, {str(self._config(settings))!r})")
        named: dict[str, str] = json.loads(said.strip().splitlines()[-1])
        return named

    def rows(self, uuids: list[str], columns: str) -> list[tuple[Any, ...]]:
        """Of the runs, in their order; asked until PostgreSQL answers."""
        query = f"SELECT {columns} FROM worker_trainingrun run WHERE uuid = ANY(%s::uuid[]) ORDER BY id"  # noqa: S608 -- ours
        over = time.monotonic() + LONGEST_S
        while True:
            try:
                return self.installation.rows(query, [uuids])
            except (psycopg.OperationalError, FileNotFoundError, IndexError):
                if time.monotonic() > over:
                    raise
                time.sleep(PAUSE_S)

    def wait_for_training(self, uuids: list[str], beyond: dict[str, int]) -> str | None:
        """The run that trains, once it is beyond the step it was seen at last; None where all have ended.

        Raises TimeoutError where a run is stuck.
        """
        over = time.monotonic() + LONGEST_S
        while time.monotonic() < over:
            found = self.rows(uuids, "uuid::text, status, phase, step")
            if not any(status in ACTIVE for _, status, _, _ in found):
                return None
            for uuid, status, phase, step in found:
                if status == "running" and phase == "training" and step > beyond.get(uuid, 0):
                    beyond[uuid] = step
                    return str(uuid)
            time.sleep(PAUSE_S)
        raise TimeoutError(f"A run is stuck: {self.rows(uuids, 'uuid::text, status, phase, step, host, message')}")

    def wait_to_the_end(self, uuids: list[str]) -> None:
        """Raises TimeoutError where a run is stuck."""
        over = time.monotonic() + LONGEST_S
        while any(status in ACTIVE for (status,) in self.rows(uuids, "status")):
            if time.monotonic() > over:
                raise TimeoutError(f"A run is stuck: {self.rows(uuids, 'uuid::text, status, phase, host, message')}")
            time.sleep(PAUSE_S)

    def broken_promises(self, uuids: list[str], *, may_restart: bool) -> list[str]:
        """What does not hold of runs that should all be done: once each, and with all that belongs to one."""
        columns = (
            "uuid::text, status, attempt, n_restarts, message, "
            "(SELECT count(*) FROM worker_modelversion version WHERE version.run_id = run.id), "
            "(SELECT count(*) FROM worker_prediction prediction WHERE prediction.run_id = run.id) = n_heldout, "
            "(SELECT count(*) FROM worker_metric metric WHERE metric.run_id = run.id AND metric.model = 'tuned')"
        )
        broken = []
        for uuid, status, attempt, n_restarts, message, n_models, has_all, n_metrics in self.rows(uuids, columns):
            if status != "done":
                broken.append(f"Run {uuid} is {status}: {message}")
                continue
            if attempt != n_restarts + 1:
                broken.append(f"Run {uuid} was begun {attempt} times and taken back {n_restarts} times.")
            if n_restarts and not may_restart:
                broken.append(f"Run {uuid} was taken back {n_restarts} times although its worker lived.")
            if n_models != 1 or not has_all or n_metrics != 4:
                broken.append(f"Of run {uuid} not all is stored, or something twice.")
            left = sorted(path.name for path in (self.installation.home / "media" / "runs" / uuid).iterdir())
            if left != [f"attempt-{attempt}"]:
                broken.append(f"Run {uuid} has left {left}.")
        return broken

    def weights(self, uuids: list[str]) -> list[str]:
        """The sha256 of each run's weights, by test."""
        column = "(SELECT weights_sha256 FROM worker_modelversion version WHERE version.run_id = run.id)"
        return [str(sha256) for _, sha256 in sorted(self.rows(uuids, f"test_id, {column}"))]

    def untuned(self, uuids: list[str]) -> int:
        """How many of the runs were no better after any epoch than before."""
        of_base = "(SELECT value FROM worker_metric m WHERE m.run_id = run.id AND m.name = 'mse' AND m.model = 'base')"
        return sum(base == tuned for base, tuned in self.rows(uuids, f"{of_base}, {of_base.replace('base', 'tuned')}"))

    def _config(self, settings: dict[str, Any]) -> Path:
        path = self.folder / f"settings-{settings['epochs']}.json"
        path.write_text(json.dumps(settings))
        return path

    def _call(self, call: str) -> str:
        name = call.split("(")[0]
        return self.installation.manage(
            "shell", "--no-imports", "-c", f"from benchmarks.rated_studies import {name}\n{call}"
        )


def strike(runs: Runs, blow: Blow, times: int, settings: dict[str, Any]) -> list[str]:
    """`times` blows while runs train one after the other; what was taken back, then undisturbed, for its weights."""
    slugs = runs.studies(-(-times // STRIKES_PER_RUN))
    uuids = runs.queue(slugs, settings, deliveries=2)
    began, n_blows = time.monotonic(), 0
    beyond: dict[str, int] = {}
    struck: dict[str, int] = {}
    chance = random.Random(blow.what)  # noqa: S311 -- moments, not secrets
    while n_blows < times and (uuid := runs.wait_for_training(uuids, beyond)) is not None:
        if struck.get(uuid, 0) < STRIKES_PER_RUN:
            time.sleep(chance.uniform(0, 0.5))
            blow.strike(runs.installation)
            struck[uuid], n_blows = struck.get(uuid, 0) + 1, n_blows + 1
    runs.wait_to_the_end(uuids)
    took = time.monotonic() - began
    broken = runs.broken_promises(uuids, may_restart=blow.may_restart)
    if n_blows < times:
        broken.append(f"Only {n_blows} of {times} blows to {blow.what} fell while a run trained.")
    if blow.may_restart:
        again = runs.queue(slugs, settings)
        runs.wait_to_the_end(again)
        if untuned := runs.untuned(uuids):
            broken.append(f"{untuned} runs kept the weights that they began with, which proves nothing.")
        if runs.weights(uuids) != runs.weights(again):
            broken.append(f"After blows to {blow.what} some run has other weights than undisturbed.")
    n_restarts = sum(number for (number,) in runs.rows(uuids, "n_restarts"))
    tell(
        f"SIGKILL to {blow.what}, {n_blows} times under {len(uuids)} runs, each delivered twice: {n_restarts} "
        f"taken back, {took:.0f} s",
        broken,
    )
    return broken


def deliver_twice(runs: Runs, times: int) -> list[str]:
    uuids = runs.queue(runs.studies(times), QUICK, deliveries=3)
    runs.wait_to_the_end(uuids)
    broken = runs.broken_promises(uuids, may_restart=False)
    tell(f"{times} runs, each delivered three times", broken)
    return broken


def change_snapshots(runs: Runs, times: int) -> list[str]:
    named = runs.queue_on_changed_snapshots(runs.studies(times), QUICK)
    runs.wait_to_the_end(list(named))
    broken = [
        f"Run {uuid} is {status} although a byte of {named[uuid]} was changed: {message}"
        for uuid, status, message in runs.rows(list(named), "uuid::text, status, message")
        if status != "failed" or named[uuid] not in message
    ]
    tell(f"{times} snapshots of which a byte was changed", broken)
    return broken


def tell(sentence: str, broken: list[str]) -> None:
    sys.stdout.write(f"{sentence}; broken promises: {len(broken)}\n")
    for what in broken:
        sys.stdout.write(f"  {what}\n")
    sys.stdout.flush()


def main(names: list[str]) -> int:
    """`names` of what is struck, or everything."""
    installation = Installation(Path(os.environ["EARMARK_HOME"]))
    installation.start()
    try:
        runs = Runs(installation, installation.home.parent)
        broken = [what for blow in BLOWS if not names or blow.what in names for what in strike(runs, blow, TIMES, LONG)]
        if not names:
            broken += deliver_twice(runs, TIMES) + change_snapshots(runs, TIMES)
    finally:
        installation.stop()
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
