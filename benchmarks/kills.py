"""32 raters at once while the web server, PostgreSQL, or everything is killed with SIGKILL again and again.

Fails where an acknowledged rating is missing, a rating that was given does not arrive, or one is there twice.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.installation import Installation
from benchmarks.outbox_rater import Crowd

RATERS = 32
# More than four ratings each would need, so that nobody runs out of pairs that are new to them.
PAIRS = 240
RATINGS = RATERS * 20


def kill_everything_and_start_again(installation: Installation) -> None:
    installation.kill_everything()
    installation.start()


STRIKES: dict[str, tuple[Callable[[Installation], None], int]] = {
    "the web server": (Installation.kill_web, 8),
    "PostgreSQL": (Installation.kill_database, 8),
    "everything": (kill_everything_and_start_again, 4),
}


def strike(installation: Installation, number: int, what: str) -> list[str]:
    befall, times = STRIKES[what]
    slug = f"killed-{number}"
    installation.make_test(slug, pairs=PAIRS)
    crowd = Crowd(installation, slug, size=RATERS)
    for blow in range(1, times + 1):
        crowd.wait_for(RATINGS * blow // (times + 1))
        befall(installation)
    crowd.wait_to_the_end()
    broken = crowd.broken_promises()
    sys.stdout.write(
        f"SIGKILL to {what}, {times} times under {RATERS} raters: {sum(len(rater.given) for rater in crowd.raters)} "
        f"ratings given, {crowd.acknowledged} acknowledged, {sum(rater.repeats for rater in crowd.raters)} requests "
        f"repeated, longest wait {max(rater.longest_wait_s for rater in crowd.raters):.1f} s, "
        f"broken promises: {len(broken)}\n"
    )
    sys.stdout.flush()
    return broken


def main() -> int:
    installation = Installation(Path(os.environ["EARMARK_HOME"]))
    installation.start()
    try:
        broken = [sentence for number, what in enumerate(STRIKES) for sentence in strike(installation, number, what)]
    finally:
        installation.stop()
    for sentence in broken:
        sys.stdout.write(f"  {sentence}\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
