"""Paid raters without a browser, careful and careless, who come by Prolific's link and take the time to listen."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle, islice
from urllib.parse import urlencode

import numpy

from benchmarks.http_rater import HttpRater
from benchmarks.study_sounds import Line, heard_as
from modeling.synthetic.listeners import CARELESS, Listener, Manner

QUESTION = "relevance"
# Screening takes less than half a second after the clip for careless.
THINKING_S = 0.7


def link_of(number: int) -> str:
    """What Prolific's link says of a person: ids as Prolific's are, of nobody."""
    study = f"{0xE0:024x}"
    return urlencode(
        {"PROLIFIC_PID": f"{0xA0000 + number:024x}", "STUDY_ID": study, "SESSION_ID": f"{0xB0000 + number:024x}"}
    )


@dataclass
class PaidRater:
    """One sitting over HTTP, from the link to the code."""

    site: str
    slug: str
    number: int
    manner: Manner
    lines: Sequence[Line]

    def sit(self) -> str:
        """Returns the completion code. Raises RuntimeError where the server lets nobody in."""
        seat = HttpRater(self.site, self.slug, link_of(self.number))
        if not seat.start():
            raise RuntimeError(f"Rater {self.number} was not let in.")
        listener = Listener(numpy.random.default_rng(self.number), self.manner)
        pair = seat.state()["next"]
        while pair is not None:
            sound = heard_as(self.lines, caption=pair["caption"], duration_s=pair["duration_s"])
            elapsed_s = self._listen(pair["duration_s"])
            score = round(listener.score(sound, QUESTION))
            pair = seat.rate(pair, score=score, elapsed_s=elapsed_s)["next"]
        return seat.finish()

    def _listen(self, duration_s: float) -> float:
        began = time.monotonic()
        time.sleep(0.4 * duration_s if self.manner is Manner.HASTE else duration_s + THINKING_S)
        return time.monotonic() - began


def sit_at_once(site: str, slug: str, *, careful: int, careless: int, lines: Sequence[Line]) -> "list[Future[str]]":
    """All of them begin now; each is done when they have their code."""
    manners = [*islice(cycle(CARELESS), careless), *[Manner.CAREFUL] * careful]
    pool = ThreadPoolExecutor(len(manners))
    sittings = [
        pool.submit(PaidRater(site, slug, number, manner, lines).sit) for number, manner in enumerate(manners, start=1)
    ]
    pool.shutdown(wait=False)
    return sittings
