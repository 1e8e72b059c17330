"""Many clips through the browser's door: uploaded, looked at, taken in, with the worker killed on the way.

`EARMARK_INGEST_CLIPS` says how many (2,000 by default). Tells seconds and
the worker's memory; fails where a pair or a file is missing or too many.
"""

import io
import os
import re
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy
import psutil
import requests
import soundfile

from benchmarks.installation import Installation, command_of, kill

CLIPS = int(os.environ.get("EARMARK_INGEST_CLIPS", "2000"))
DURATION_S = 0.3
RATE_HZ = 48_000
LONGEST_WAIT_S = 3_600
SLUG = "ingest"
STATE = "SELECT status, phase, done, message FROM listening_tests_clipimport WHERE uuid = %s"
COUNTS = "SELECT (SELECT count(*) FROM listening_tests_pair), (SELECT count(*) FROM listening_tests_clip)"


def main() -> int:
    home = Path(os.environ["EARMARK_HOME"])
    installation = Installation(home)
    installation.start()
    try:
        return prove(installation)
    finally:
        installation.stop()


def prove(installation: Installation) -> int:
    installation.make_test(SLUG, pairs=1)
    archive = installation.home.parent / "sounds.zip"
    write_zip(archive)
    staff = Staff(installation)
    with Watch(installation) as watch:
        key = staff.upload(archive)
        tell("uploaded", watch, f"{archive.stat().st_size / 1e6:,.0f} MB")
        wait(installation, key, until=lambda state: state[1] == "Checking sounds" and state[2] > CLIPS // 2)
        kill_default_worker(installation)
        say(f"  SIGKILL to the worker in the middle of the dry run: {installation.rows(STATE, [key])[0][:3]}")
        wait(installation, key, until=lambda state: state[0] == "checked")
        tell("dry run", watch, "the kill and the worker's new start in it")
        staff.take_in(key)
        wait(installation, key, until=lambda state: state[0] == "done")
        tell("taken in", watch, f"{installation.rows(COUNTS)[0]} pairs and clips")
        say(f"  the worker had at most {watch.largest_mb:,.0f} MB")
    return verdict(installation)


def verdict(installation: Installation) -> int:
    """One pair and one clip are those of the test as it was made."""
    pairs, clips = installation.rows(COUNTS)[0]
    media = installation.home / "media"
    files = sum(1 for kind in ("clips", "renditions") for path in (media / kind).glob("*/*") if path.is_file())
    left = folders_left(media)
    is_right = (pairs, clips, files, left) == (CLIPS + 1, CLIPS + 1, 2 * (CLIPS + 1), 0)
    say(f"  {pairs:,} pairs, {clips:,} clips, {files:,} files, {left} folders left: {'ok' if is_right else 'WRONG'}")
    return 0 if is_right else 1


def folders_left(media: Path) -> int:
    """Of uploads; the last one goes a moment after its pairs are there."""
    for _ in range(100):
        left = len(list((media / "imports").glob("*")))
        if not left:
            break
        time.sleep(0.2)
    return left


def write_zip(path: Path) -> None:
    seeds = numpy.random.default_rng(0)
    rows = ["file,caption"]
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(CLIPS):
            stream = io.BytesIO()
            samples = 0.1 * seeds.standard_normal(round(DURATION_S * RATE_HZ))
            soundfile.write(stream, numpy.clip(samples, -1, 1), RATE_HZ, format="FLAC")
            archive.writestr(f"sounds/{number}.flac", stream.getvalue())
            rows.append(f"sounds/{number}.flac,Noise number {number}")
        archive.writestr("manifest.csv", "\n".join(rows))


class Staff:
    """A researcher's browser, without the browser."""

    def __init__(self, installation: Installation) -> None:
        self.site = installation.site
        self.session = requests.Session()
        password = (installation.home / "first_password").read_text().strip()
        self._post("/admin/login/", data={"username": "admin", "password": password, "next": "/dashboard/"})

    def upload(self, archive: Path) -> str:
        key = str(uuid.uuid4())
        page = f"/dashboard/tests/{SLUG}/clips/upload/"
        with archive.open("rb") as file:
            self._post(f"{page}send/", page=page, data={"uuid": key}, files={"archive": ("sounds.zip", file)})
        return key

    def take_in(self, key: str) -> None:
        page = f"/dashboard/tests/{SLUG}/uploads/{key}/"
        self._post(f"{page}take-in/", page=page)

    def _post(self, path: str, *, page: str = "", **sent: object) -> None:
        shown = self.session.get(self.site + (page or path), timeout=60).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown)
        headers = {"X-CSRFToken": token[1] if token else "", "Referer": self.site}
        data = {"csrfmiddlewaretoken": headers["X-CSRFToken"], **sent.pop("data", {})}  # type: ignore[dict-item]
        self.session.post(self.site + path, data=data, headers=headers, timeout=600, **sent).raise_for_status()  # type: ignore[arg-type]


class Watch:
    """Seconds since the last look, the worker's and those of the clock, and the most memory that one process had."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.largest_mb = 0.0
        self.began = time.monotonic()
        self.used_before_s = 0.0
        self._used_s: dict[int, float] = {}
        self._ended = threading.Event()

    def __enter__(self) -> "Watch":
        threading.Thread(target=self._look, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def lap(self) -> str:
        began, self.began = self.began, time.monotonic()
        before, self.used_before_s = self.used_before_s, sum(self._used_s.values())
        return f"{self.began - began:7.1f} s, {self.used_before_s - before:6.1f} s of them the worker's processor time"

    def _look(self) -> None:
        while not self._ended.wait(0.5):
            for process in default_workers(self.installation):
                with quiet():
                    times = process.cpu_times()
                    self._used_s[process.pid] = times.user + times.system
                    self.largest_mb = max(self.largest_mb, process.memory_info().rss / 1e6)


def default_workers(installation: Installation) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        if "default@" in command_of(process):
            with quiet():
                if process.environ().get("EARMARK_HOME") == str(installation.home):
                    found.append(process)
    return found


@contextmanager
def quiet() -> Iterator[None]:
    """A process may end while it is looked at."""
    try:
        yield
    except psutil.Error:
        return


def kill_default_worker(installation: Installation) -> None:
    kill(default_workers(installation))


def wait(installation: Installation, key: str, *, until: Callable[[tuple[object, ...]], bool]) -> None:
    for _ in range(LONGEST_WAIT_S * 5):
        state = installation.rows(STATE, [key])[0]
        if until(state):
            return
        if state[0] in ("failed", "errored", "cancelled", "refused"):
            raise RuntimeError(f"The upload ended as {state}.")
        time.sleep(0.2)
    raise RuntimeError(f"The upload is still {state}.")


def tell(what: str, watch: Watch, detail: str) -> None:
    say(f"  {what:<10} {CLIPS:,} clips of {DURATION_S:g} s in {watch.lap()} ({detail})")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
