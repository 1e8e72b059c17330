"""A real Earmark in a home of its own, started as anybody starts it, and the ways in which a machine can end it."""

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy
import psutil
import psycopg
import soundfile

ROOT = Path(__file__).resolve().parents[1]
SAMPLE_RATE_HZ = 48_000
# What would lead the installation to another one's database or broker.
FOREIGN = ("DATABASE_URL", "CELERY_BROKER_URL", "EARMARK_SCORER", "EARMARK_TEST_HOME", "DJANGO_ALLOW_ASYNC_UNSAFE")
# PostgreSQL does not start with a line that it does not know.
NO_SETTING = "no_such_setting = 1\n"
LONGEST_WAIT_S = 60
# `serve` says each minute that it is still waiting.
LONGEST_START_S = 300
PAUSE_S = 0.1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """`manage.py serve --no-demo` in `home`, whose path must be short, since sockets lie in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self._serve: subprocess.Popen[str] | None = None

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when the site answers. Raises RuntimeError with what was said instead."""
        self._serve = self._manage("serve", "--no-demo")
        said = []
        for line in self._serve.stdout or []:
            said.append(line)
            if f"has not answered for {LONGEST_START_S} s" in line:
                break
            if "Press Ctrl-C to stop." in line:
                return
        self.stop()
        raise RuntimeError("".join(said))

    def stop(self) -> None:
        if self._serve is not None:
            self._serve.send_signal(signal.SIGINT)
            self._serve.communicate()
            self._serve = None

    def processes(self) -> list[str]:
        """The command lines of all that runs for this home."""
        return [command for process in psutil.process_iter() if str(self.home) in (command := command_of(process))]

    def manage(self, *words: str) -> str:
        """Runs a command of manage.py and returns what it said. Raises RuntimeError where it failed."""
        process = self._manage(*words)
        said, _ = process.communicate()
        if process.returncode:
            raise RuntimeError(said)
        return said

    def make_test(
        self, slug: str, *, pairs: int, duration_s: float = 0.5, ratings_per_pair: int = 4, pairs_per_session: int = 20
    ) -> None:
        """An open test: `pairs` captions over four clips of noise, which is as large as sound gets."""
        manifest = write_manifest(self.home.parent / f"sounds-{slug}", slug, pairs=pairs, duration_s=duration_s)
        fields = f"ratings_per_pair={ratings_per_pair}, pairs_per_session={pairs_per_session}"
        # One process for all, for a command takes seconds to start.
        self.manage(
            "shell",
            "--no-imports",
            "-c",
            "from django.core.management import call_command\n"
            "from listening_tests.models import ListeningTest\n"
            f"call_command('import_clips', {str(manifest)!r}, test={slug!r}, create=True)\n"
            f"ListeningTest.objects.filter(slug={slug!r}).update({fields})\n"
            f"call_command('open_test', {slug!r}, force=True)",
        )

    def bring_database_up(self) -> None:
        """Returns once a page that asks the database was answered: after a crash the site starts PostgreSQL before its
        next connection, and not sooner. Raises TimeoutError.
        """
        over = time.monotonic() + LONGEST_WAIT_S
        while not self._asks_the_database():
            if time.monotonic() > over:
                raise TimeoutError(f"The site has had no database for {LONGEST_WAIT_S} s.")
            time.sleep(PAUSE_S)

    def rows(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Asks the database itself, past the site. Raises psycopg.OperationalError where it is down."""
        socket_directory = (self.home / "postgres" / "postmaster.pid").read_text().splitlines()[4]
        with psycopg.connect(host=socket_directory, user="postgres", dbname="postgres") as connection:
            return connection.execute(query, tuple(values)).fetchall()  # type: ignore[arg-type]

    def rendition_bytes(self) -> list[int]:
        """How large the files are that raters get."""
        renditions = self.rows("SELECT rendition FROM listening_tests_clip")
        return [(self.home / "media" / name).stat().st_size for (name,) in renditions]

    def kill_web(self) -> None:
        """SIGKILL to the web server, its master and its workers; supervisord is left to notice."""
        kill([process for process in self.family() if "webapp.wsgi" in command_of(process)])

    def kill_database(self) -> None:
        """SIGKILL to PostgreSQL's postmaster, and to what it started."""
        kill(self._database())

    def break_database(self) -> None:
        """Kills PostgreSQL, and keeps it from starting until mend_database."""
        with self._database_settings.open("a") as settings:
            settings.write(NO_SETTING)
        self.kill_database()

    def mend_database(self) -> None:
        settings = self._database_settings
        settings.write_text(settings.read_text().replace(NO_SETTING, ""))

    def give_number_of_database_away(self) -> None:
        """As after a restart of the machine, where the number of the postmaster is another process's by now."""
        note = self.home / "postgres" / "postmaster.pid"
        lines = note.read_text().splitlines(keepends=True)
        note.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))

    def kill_everything(self) -> None:
        """What a power cut does: nothing gets to say goodbye."""
        # The first is who would start the others again.
        kill([*self.family(), *self._database()])
        if self._serve is not None:
            self._serve.communicate()
            self._serve = None

    def _asks_the_database(self) -> bool:
        """Whether the site can tell that it has no test of this name."""
        try:
            urlopen(f"{self.site}/t/no-such-test/", timeout=LONGEST_WAIT_S)  # noqa: S310 -- our own address
        except HTTPError as error:
            return error.code == HTTPStatus.NOT_FOUND
        except (OSError, HTTPException):
            return False
        return False

    @property
    def _database_settings(self) -> Path:
        return self.home / "postgres" / "postgresql.conf"

    def family(self) -> list[psutil.Process]:
        """`serve`, supervisord, and what it runs."""
        if self._serve is None:
            return []
        parent = psutil.Process(self._serve.pid)
        return [parent, *parent.children(recursive=True)]

    def _database(self) -> list[psutil.Process]:
        try:
            pid = int((self.home / "postgres" / "postmaster.pid").read_text().split()[0])
            postmaster = psutil.Process(pid)
            return [postmaster, *postmaster.children()]
        except (FileNotFoundError, psutil.Error):
            return []

    def _manage(self, *words: str) -> "subprocess.Popen[str]":
        environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        return subprocess.Popen(  # noqa: S603 -- our own words
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=environment | {"EARMARK_HOME": str(self.home), "PORT": str(self.port), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs([process for process in processes if process.is_running()], timeout=10)


def write_manifest(
    folder: Path, slug: str, *, pairs: int, duration_s: float, words: Sequence[str] = ("caption",)
) -> Path:
    """A manifest of `pairs` rows over at most four clips that import_clips takes; the folder is made.

    Each caption holds one of `words`, in turn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seeds = numpy.random.default_rng(int.from_bytes(slug.encode()[:8], "big"))
    names = [f"noise-{number}.flac" for number in range(min(4, pairs))]
    for name in names:
        samples = 0.1 * seeds.standard_normal(round(duration_s * SAMPLE_RATE_HZ))
        soundfile.write(folder / name, numpy.clip(samples, -1, 1), SAMPLE_RATE_HZ)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "caption"])
        rows.writerows(
            [names[number % len(names)], f"{slug}, {words[number % len(words)]} {number}"] for number in range(pairs)
        )
    return manifest
