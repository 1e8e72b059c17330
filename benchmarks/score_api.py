"""POST /api/score/ under 16 clients, with the scorer's batching and without: questions a second, p95, and the answers.

Two web servers of one installation, each with a scorer of its own, differ in EARMARK_SCORE_BATCH alone; the clients ask
one and then the other, round after round. Every caption is new, and so is every sound that is sent: only the sounds of
stored clips are known already. Fails where an answer is not that of `python -m modeling score`, or where batching is
not worth twice the questions a second.
"""

import csv
import http.client
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy
import soundfile

from benchmarks.installation import ROOT, SAMPLE_RATE_HZ, Installation, free_port
from webapp.processes import SCORING, SERVING

CLIENTS = 16
NAMES = ("with batching", "without")
LONGEST_WAIT_S, PAUSE_S = 180, 1.0
ROUNDS, ROUND_S, WARM_UP_S = 4, 10.0, 3.0
LEAST_RATIO, TOLERANCE = 2.0, 1e-6
SOUND_S, CLIPS = 2.0, 4
BASES = 20
CHECKED = 200
WORDS = (
    "a dog barks while rain falls on the old tin roof and a distant car passes by in the night with soft wind birds "
    "children laughing water running door slam engine idling crowd cheering thunder rolling bell ringing slowly"
).split()
SETTINGS = {"EARMARK_PRESET": "small", "EARMARK_API_RATE": "100000/s"}
LOOK_UP = (
    "from django.contrib.auth.models import User\n"
    "from webapp.api.tokens import token_create\n"
    "from listening_tests.models import Clip\n"
    "user = User.objects.get(username='admin')\n"
    "clips = ','.join(f'{clip.uuid}={clip.original.path}' for clip in Clip.objects.order_by('pk'))\n"
    "print('TOKEN', token_create(user=user, name='score_api')[1], clips)"
)


@dataclass(frozen=True)
class Question:
    """A sound, by a file that is sent or by a stored clip's uuid, and captions."""

    path: Path
    clip: str
    captions: list[str]


@dataclass
class Site:
    """One of the two web servers, and what it answered."""

    name: str
    address: str
    token: str
    clips: dict[str, Path]
    answers: list[tuple[Path, str, float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Load:
    """A kind of question. `ask` makes the next one for a site."""

    name: str
    ask: Callable[[Site], Question]


class Captions:
    """Never the same twice, of 4 to 15 words."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def next(self, how_many: int) -> list[str]:
        return [self._made(number) for number in itertools.islice(self._numbers, how_many)]

    def _made(self, number: int) -> str:
        chosen = random.Random(number)  # noqa: S311 -- words
        return " ".join([*chosen.choices(WORDS, k=chosen.randint(3, 14)), str(number)])


class Sounds:
    """Files of noise, each another, made when they are asked for and at little cost: the last samples are a number."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._numbers, self._bases = folder, itertools.count(), []
        for seed in range(BASES):
            noise = numpy.random.default_rng(seed).normal(0, 0.1, round(SOUND_S * SAMPLE_RATE_HZ))
            path = folder / f"base-{seed}.wav"
            soundfile.write(path, numpy.clip(noise, -1, 1), SAMPLE_RATE_HZ)
            self._bases.append(path.read_bytes())

    def next(self) -> Path:
        number = next(self._numbers)
        path = self._folder / f"{number}.wav"
        path.write_bytes(self._bases[number % BASES][:-4] + number.to_bytes(4, "little"))
        return path


def loads(folder: Path) -> list[Load]:
    captions = Captions()
    sounds = Sounds(folder)

    def stored(n_captions: int) -> Callable[[Site], Question]:
        def ask(site: Site) -> Question:
            uuid, path = random.choice(list(site.clips.items()))  # noqa: S311 -- a clip
            return Question(path, uuid, captions.next(n_captions))

        return ask

    def sent(site: Site) -> Question:
        return Question(sounds.next(), "", captions.next(1))

    return [
        Load("a sound that is sent, one caption", sent),
        Load("a stored clip, one caption", stored(1)),
        Load("a stored clip, ten captions", stored(10)),
    ]


class Client:
    """Keeps its connection, asks one question after another, and notes how long each took, in milliseconds."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.connection = http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=60)
        self.took: list[tuple[float, float]] = []

    def ask_until(self, end: float, next_question: Callable[[], Question]) -> None:
        while time.perf_counter() < end:
            question = next_question()
            begun = time.perf_counter()
            scores = self._ask(question)
            self.took.append((time.perf_counter(), 1000 * (time.perf_counter() - begun)))
            for score in scores:
                self.site.answers.append((question.path, score["caption"], score["cosine"], score["score"]))
        self.connection.close()

    def _ask(self, question: Question) -> list[dict[str, float]]:
        body, kind = as_json(question) if question.clip else as_form(question)
        headers = {"Authorization": f"Bearer {self.site.token}", "Content-Type": kind}
        self.connection.request("POST", "/api/score/", body, headers)
        response = self.connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {content.decode()[:500]}")
        return json.loads(content)["scores"]


def as_json(question: Question) -> tuple[bytes, str]:
    told = {"test": "rain", "clip": question.clip, "captions": question.captions}
    return json.dumps(told).encode(), "application/json"


def as_form(question: Question) -> tuple[bytes, str]:
    fields = [("test", "rain"), *(("captions", caption) for caption in question.captions)]
    parts = [f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields]
    head = f'--x\r\nContent-Disposition: form-data; name="audio"; filename="{question.path.name}"\r\n\r\n'
    body = "".join([*parts, head]).encode() + question.path.read_bytes() + b"\r\n--x--\r\n"
    return body, "multipart/form-data; boundary=x"


def measure(site: Site, load: Load, seconds: float) -> tuple[float, float]:
    """Questions a second of all clients together, and the 95th percentile of their milliseconds, after the warm-up."""
    begin = time.perf_counter() + WARM_UP_S
    end = begin + seconds
    clients = [Client(site) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(client.ask_until, end, lambda: load.ask(site)) for client in clients]:
            done.result()
    took = [ms for client in clients for at, ms in client.took if begin <= at < end]
    return len(took) / seconds, float(numpy.percentile(took, 95))


def furthest(site: Site, folder: Path) -> float:
    """The largest difference between answers and `python -m modeling score`, over a sample of them."""
    chosen = random.Random(6).sample(site.answers, min(CHECKED, len(site.answers)))  # noqa: S311 -- a sample
    table, out = folder / f"{site.name}.csv", folder / f"{site.name}-scores.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("file", "caption"), *((path, caption) for path, caption, _, _ in chosen)])
    command = ["-m", "modeling", "score", "--model", "builtin", "--pairs", str(table), "--out", str(out)]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 -- our own
    with out.open(newline="", encoding="utf-8") as file:
        said = [(float(row["cosine"]), float(row["score"])) for row in csv.DictReader(file)]
    return max(
        max(abs(cosine - of_cosine), abs(score - of_score))
        for (_, _, cosine, score), (of_cosine, of_score) in zip(chosen, said, strict=True)
    )


@contextmanager
def second_web(installation: Installation) -> Iterator[str]:
    """The address of another web server of the installation, with a scorer of its own that answers one by one."""
    socket = installation.home / "alone.sock"
    bind = f"127.0.0.1:{free_port()}"
    environment = os.environ | {
        "EARMARK_HOME": str(installation.home),
        "EARMARK_SCORER": f"unix:{socket}",
        "EARMARK_SCORE_BATCH": "1",
    }
    commands = [
        ["worker.scoring.server:make_application()", "--bind", f"unix:{socket}", *SCORING],
        ["webapp.wsgi", "--bind", bind, *SERVING],
    ]
    running = [
        subprocess.Popen([sys.executable, "-m", "gunicorn", *words, "--no-control-socket"], cwd=ROOT, env=environment)  # noqa: S603
        for words in commands
    ]
    try:
        yield f"http://{bind}"
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def main() -> int:
    home = Path(os.environ["EARMARK_HOME"])
    os.environ.update(SETTINGS)
    installation = Installation(home)
    try:
        installation.start()
        installation.make_test("rain", pairs=CLIPS, duration_s=SOUND_S)
        told = installation.manage("shell", "--no-imports", "-c", LOOK_UP)
        _, token, named = next(line for line in told.splitlines() if line.startswith("TOKEN ")).split(" ", 2)
        clips = {uuid: Path(path) for uuid, path in dict(one.split("=") for one in named.split(",")).items()}
        with second_web(installation) as alone:
            addresses = (installation.site, alone)
            sites = [Site(name, at, token, clips) for name, at in zip(NAMES, addresses, strict=True)]
            return compare(sites, home.parent)
    finally:
        installation.stop()


def await_answer(site: Site, question: Question) -> None:
    """Returns once the site has answered: it is up, and its model is loaded. Raises RuntimeError."""
    over = time.monotonic() + LONGEST_WAIT_S
    while True:
        try:
            Client(site).ask_until(time.perf_counter() + 0.001, lambda: question)
            return
        except (OSError, http.client.HTTPException, RuntimeError):
            if time.monotonic() > over:
                raise
            time.sleep(PAUSE_S)


def compare(sites: list[Site], home: Path) -> int:
    kinds = loads(home / "sent")
    for site in sites:
        await_answer(site, kinds[1].ask(site))
    failed = False
    for load in kinds:
        found = [[measure(site, load, ROUND_S) for site in sites] for _ in range(ROUNDS)]
        ratio = statistics.median(ours[0] / alone[0] for ours, alone in found)
        failed |= ratio < LEAST_RATIO
        sys.stdout.write(f"\n{load.name}, {CLIENTS} clients, {ROUNDS} rounds of {ROUND_S:g} s\n")
        for site, rounds in zip(sites, zip(*found, strict=True), strict=True):
            rates, late = ([values[place] for values in rounds] for place in (0, 1))
            sys.stdout.write(
                f"  {site.name:<14} {statistics.median(rates):7.1f} questions a second, p95 "
                f"{statistics.median(late):6.0f} ms\n"
            )
        sys.stdout.write(f"  batching is worth {ratio:.2f} times the questions a second\n")
        sys.stdout.flush()
    for site in sites:
        off = furthest(site, home)
        failed |= off > TOLERANCE
        sys.stdout.write(f"{site.name}: {CHECKED} answers lie within {off:.1e} of python -m modeling score\n")
    if failed:
        sys.stdout.write(f"A promise is broken: {LEAST_RATIO:g} times as many, and the same to {TOLERANCE:g}.\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
