"""Raters without a browser who insist as the rating page does: what was given is sent unchanged until answered."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request
from uuid import uuid4

from benchmarks.http_rater import HttpRater
from benchmarks.installation import Installation

# Answers that speak of this moment and not of what was asked.
TEMPORARY = {408, 425, 429}
PAUSE_S = 0.1


@dataclass
class OutboxRater(HttpRater):
    """`given` holds the client uuid of every rating before it is sent; `repeats` counts requests made again."""

    given: list[str] = field(default_factory=list)
    repeats: int = 0
    longest_wait_s: float = 0.0

    def rate(self, pair: dict[str, Any], *, score: int, client_uuid: str = "", **evidence: float) -> dict[str, Any]:
        client_uuid = client_uuid or str(uuid4())
        self.given.append(client_uuid)
        return super().rate(pair, score=score, client_uuid=client_uuid, **evidence)

    def _read(self, request: Request) -> str:
        began = time.monotonic()
        while True:
            try:
                answer = super()._read(request)
            except HTTPError as error:
                if error.code < 500 and error.code not in TEMPORARY:
                    raise
            except (OSError, HTTPException):
                pass
            else:
                self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - began)
                return answer
            self.repeats += 1
            time.sleep(PAUSE_S)


class Crowd:
    """Raters at one test of an installation, all at once."""

    def __init__(self, installation: Installation, slug: str, *, size: int) -> None:
        self.installation, self.slug = installation, slug
        self.raters = [OutboxRater(installation.site, slug) for _ in range(size)]
        self._pool = ThreadPoolExecutor(size)
        self._sittings = [self._pool.submit(rater.rate_to_the_end) for rater in self.raters]

    @property
    def acknowledged(self) -> int:
        return sum(len(rater.acknowledged) for rater in self.raters)

    def wait_for(self, acknowledged: int) -> None:
        """Returns once so many ratings are acknowledged, or the last rater is done. Raises what befell a rater."""
        while self.acknowledged < acknowledged and not all(sitting.done() for sitting in self._sittings):
            time.sleep(0.01)

    def wait_to_the_end(self) -> None:
        for sitting in self._sittings:
            sitting.result()
        self._pool.shutdown()

    def broken_promises(self) -> list[str]:
        """What the database says against: acknowledged is stored, given arrives, nothing twice, never more than k."""
        # Killed after the last rater was done, nobody has asked for it since.
        self.installation.bring_database_up()
        given = sorted(uuid for rater in self.raters for uuid in rater.given)
        acknowledged = {uuid for rater in self.raters for uuid in rater.acknowledged}
        stored = [str(uuid) for (uuid,) in self._rows("SELECT rating.client_uuid {of_test}")]
        twice = self._rows("SELECT 1 {of_test} GROUP BY rating.rater_id, rating.pair_id HAVING count(*) > 1")
        crowded = self._rows("SELECT 1 {of_test} GROUP BY pair.id HAVING count(*) > max(test.ratings_per_pair)")
        adrift = self._rows("SELECT 1 {of_test} GROUP BY pair.id HAVING count(*) > pair.load")
        checks = {
            "an acknowledged rating is missing": acknowledged <= set(stored),
            "a rating that was given never arrived": set(given) <= set(stored),
            "a rating is stored twice, or nobody gave it": sorted(stored) == given,
            "a rater rated a pair twice": not twice,
            "a pair has more than k ratings": not crowded,
            "a pair's load is less than its ratings": not adrift,
        }
        return [sentence for sentence, holds in checks.items() if not holds]

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        of_test = (
            "FROM listening_tests_rating rating JOIN listening_tests_pair pair ON pair.id = rating.pair_id "
            "JOIN listening_tests_listeningtest test ON test.id = rating.test_id WHERE test.slug = %s"
        )
        return self.installation.rows(query.format(of_test=of_test), [self.slug])
