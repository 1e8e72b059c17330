"""32 raters at full speed against the real server: ratings a second, and the reference that the machine allows.

Prints percentiles and who used the processors; fails where a promise is broken.
"""

import os
import re
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import psycopg

from benchmarks.installation import Installation
from benchmarks.keen_rater import KeenRater, KeptConnection
from benchmarks.studies import broken_promises
from benchmarks.timings import ProcessorTime, percentiles

SLUG = "full-speed"
CLIENTS = 32
PAIRS = 5_000
K = 20
# So many that hardly anybody begins a second sitting while it is measured.
PAIRS_PER_SESSION = 500
WARM_UP_S = 5
MEASURED_S = 30
REFERENCE_S = 5


def rate_at_full_speed(installation: Installation, raters: list[KeenRater]) -> list[str]:
    """Lets all raters rate; lines that tell what was measured after the warm-up."""
    begin = time.perf_counter() + WARM_UP_S
    end = begin + MEASURED_S
    with ThreadPoolExecutor(len(raters)) as pool:
        done = [pool.submit(rater.rate_while, lambda _: time.perf_counter() < end) for rater in raters]
        time.sleep(max(0, begin - time.perf_counter()))
        processors = ProcessorTime(installation.home)
        time.sleep(max(0, end - time.perf_counter()))
        used = processors.lines(MEASURED_S, ratings=len(taken_between(raters, begin, end)))
        for future in done:
            future.result()
    taken = taken_between(raters, begin, end)
    rate = f"{len(taken) / MEASURED_S:.0f} ratings a second acknowledged, {CLIENTS} clients, {MEASURED_S} s"
    return [rate, percentiles("answers to ratings", taken), "Processor time meanwhile:", *used]


def taken_between(raters: list[KeenRater], begin: float, end: float) -> list[float]:
    """Milliseconds of the answers that came in that time."""
    return [ms for rater in raters for sent_at, ms in list(rater.answers) if begin <= sent_at + ms / 1000 < end]


def times_a_second(work: Callable[[Callable[[], bool]], int]) -> float:
    """How often all clients together do `work`, which counts until it is told to stop."""
    end = time.perf_counter() + REFERENCE_S
    with ThreadPoolExecutor(CLIENTS) as pool:
        counts = [pool.submit(work, lambda: time.perf_counter() < end) for _ in range(CLIENTS)]
        return sum(count.result() for count in counts) / REFERENCE_S


def fetch_small_file(site: str, path: str, goes_on: Callable[[], bool]) -> int:
    """Through the same server, and no database."""
    kept, count = KeptConnection(site), 0
    while goes_on():
        status, _ = kept.ask(f"GET {path} HTTP/1.1")
        if status != 200:
            raise RuntimeError(f"The reference {path} was answered with {status}.")
        count += 1
    kept.close()
    return count


def insert_rows(address: str, goes_on: Callable[[], bool]) -> int:
    """Into the same database, a transaction each, and no server."""
    count = 0
    with psycopg.connect(address, autocommit=True) as connection:
        while goes_on():
            connection.execute("INSERT INTO benchmark_reference (told) VALUES (%s)", ["a rating's worth of text"])
            count += 1
    return count


def measure_references(installation: Installation) -> list[str]:
    with urlopen(f"{installation.site}/t/{SLUG}/", timeout=60) as page:  # noqa: S310 -- our own address
        found = re.search(r'href="(/static/[^"]+\.svg)"', page.read().decode())
    if found is None:
        raise RuntimeError("The first page names no icon, which is the small file of the reference.")
    fetches = times_a_second(partial(fetch_small_file, installation.site, found[1]))
    directory = (installation.home / "postgres" / "postmaster.pid").read_text().splitlines()[4]
    address = f"host={directory} user=postgres dbname=postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        durability = connection.execute("SHOW synchronous_commit").fetchone()
        connection.execute("CREATE TABLE benchmark_reference (id bigserial PRIMARY KEY, told text)")
        inserts = times_a_second(partial(insert_rows, address))
        connection.execute("DROP TABLE benchmark_reference")
    return [
        f"  {fetches:.0f} small files a second from the same server, {inserts:.0f} one-row transactions a second in "
        f"the same database; synchronous_commit = {durability[0] if durability else '?'}"
    ]


def main() -> int:
    installation = Installation(Path(os.environ["EARMARK_HOME"]))
    installation.start()
    try:
        installation.make_test(SLUG, pairs=PAIRS, ratings_per_pair=K, pairs_per_session=PAIRS_PER_SESSION)
        raters = [KeenRater(installation.site, SLUG) for _ in range(CLIENTS)]
        lines = rate_at_full_speed(installation, raters)
        broken = broken_promises(installation, SLUG, (uuid for rater in raters for uuid in rater.acknowledged))
        lines += ["References of the same run:", *measure_references(installation)]
    finally:
        installation.stop()
    errors = [error for rater in raters for error in rater.errors]
    stored = sum(len(rater.acknowledged) for rater in raters)
    lines.append(
        f"{stored:,} ratings acknowledged in all, {sum(rater.resends for rater in raters)} sent again, "
        f"errors: {len(errors)}, broken promises: {len(broken)}"
    )
    sys.stdout.write("\n".join([*lines, *errors[:10], *broken]) + "\n")
    return 1 if broken or errors else 0


if __name__ == "__main__":
    sys.exit(main())
