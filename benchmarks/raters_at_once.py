"""32 raters at once against the real server, round after round: no pair over k, no rater twice on one, nothing lost.

Prints ratings a second; fails where a promise is broken.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import django

django.setup()

from django.core.files.base import ContentFile  # noqa: E402
from django.db.models import Count  # noqa: E402

from benchmarks.http_rater import HttpRater  # noqa: E402
from listening_tests.models import Assignment, Caption, Clip, ListeningTest, Pair, Question, Rating  # noqa: E402

ROUNDS = 20
RATERS = 32
PAIRS = 40
K = 4


def make_study(number: int) -> ListeningTest:
    test = ListeningTest.objects.create(slug=f"round-{number}", title="Round", status="open", ratings_per_pair=K)
    Question.objects.create(test=test)
    clip = Clip(sha256=uuid4().hex * 2, name="tone.wav", duration_s=1)
    clip.original.save("tone.wav", ContentFile(b"tone"), save=False)
    clip.rendition.save("tone.wav", ContentFile(b"tone"), save=False)
    clip.save()
    for index in range(PAIRS):
        text = f"round {number}, caption {index}"
        caption = Caption.objects.create(text=text, text_sha256=Caption.digest(text))
        Pair.objects.create(test=test, clip=clip, caption=caption)
    return test


def broken_promises(test: ListeningTest, raters: list[HttpRater]) -> list[str]:
    ratings = Rating.objects.filter(test=test)
    acknowledged = {uuid for rater in raters for uuid in rater.acknowledged}
    stored = {str(uuid) for uuid in ratings.values_list("client_uuid", flat=True)}
    per_pair = Pair.objects.filter(test=test).annotate(n=Count("ratings")).values_list("n", flat=True)
    twice = Assignment.objects.filter(session__test=test).values("rater", "pair").annotate(n=Count("pk"))
    checks = {
        "an acknowledged rating is missing": acknowledged <= stored,
        "a rating is stored that nobody was told of": stored <= acknowledged,
        "a pair has more than k ratings": max(per_pair) <= K,
        "a pair has room although raters were told that none is left": min(per_pair) == K,
        "a rater was given a pair twice": not twice.filter(n__gt=1).exists(),
    }
    return [sentence for sentence, holds in checks.items() if not holds]


def one_round(number: int, site: str) -> tuple[int, float, list[str]]:
    test = make_study(number)
    raters = [HttpRater(site, test.slug) for _ in range(RATERS)]
    start = time.perf_counter()
    with ThreadPoolExecutor(RATERS) as pool:
        count = sum(pool.map(HttpRater.rate_to_the_end, raters))
    return count, time.perf_counter() - start, broken_promises(test, raters)


def main() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(  # noqa: S603 -- our own words
        [sys.executable, "manage.py", "serve", "--no-demo"],
        env=os.environ | {"PORT": str(port), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for line in server.stdout or []:
            if "Press Ctrl-C" in line:
                break
        results = [one_round(number, f"http://127.0.0.1:{port}") for number in range(ROUNDS)]
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate()
    total, seconds = sum(count for count, _, _ in results), sum(taken for _, taken, _ in results)
    broken = [sentence for _, _, sentences in results for sentence in sentences]
    sys.stdout.write(
        f"{ROUNDS} rounds of {RATERS} raters over {PAIRS} pairs at k = {K}: {total} ratings, "
        f"{total / seconds:.0f} a second with consent pages and all, broken promises: {len(broken)}\n"
    )
    for sentence in broken:
        sys.stdout.write(f"  {sentence}\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
