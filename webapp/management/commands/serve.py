"""`manage.py serve`: the whole of Earmark on one machine, until Ctrl-C."""

import errno
import fcntl
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from listening_tests.choices import TestStatus
from listening_tests.models import ListeningTest
from webapp.environment import read_port, read_text
from webapp.first_account import FIRST_USERNAME, first_password_still_valid
from webapp.processes import programs, supervisor_configuration

# How long until it is said that the web server has not answered, and how often it is said again.
USUAL_START_S = 60
MOST_OPEN_FILES = 65_536


class Command(BaseCommand):
    help = "Starts web, workers, beat and the embedded services; Ctrl-C ends them all."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--no-demo", action="store_true", help="Leave the demo out.")

    def handle(self, *args: Any, **options: Any) -> None:
        home: Path = settings.EARMARK_HOME
        host, port = read_text("EARMARK_BIND", "127.0.0.1"), read_port("PORT", 8000)
        home.mkdir(parents=True, exist_ok=True)
        refuse_taken_port(host, port)
        with only_one_server(home):
            call_command("prepare", no_demo=options["no_demo"], stdout=self.stdout, stderr=self.stderr)
            # Held until this process ends, so that the embedded server outlives every worker that is restarted.
            connection.ensure_connection()
            configuration = home / "supervisord.conf"
            with_broker = not read_text("CELERY_BROKER_URL")
            described = programs(
                home=home,
                bind=f"{in_address(host)}:{port}",
                with_broker=with_broker,
                with_scorer=not read_text("EARMARK_SCORER"),
            )
            configuration.write_text(supervisor_configuration(described, home=home, directory=settings.BASE_DIR))
            self._supervise(configuration, address=f"http://{in_address(reachable(host))}:{port}")

    def _supervise(self, configuration: Path, *, address: str) -> None:
        allow_many_connections()
        command = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(configuration)]
        # A session of its own, so that Ctrl-C reaches the processes once, through supervisord, in their order.
        supervisor = subprocess.Popen(command, start_new_session=True)  # noqa: S603 -- our own words

        def stop(*_: object) -> None:
            supervisor.terminate()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        self._wait_until_answering(address, supervisor)
        code = supervisor.wait()
        self.stdout.write("Earmark has stopped.")
        if code not in (0, -signal.SIGTERM):
            raise CommandError(f"The processes ended with code {code}. See {self._logs()}.")

    def _wait_until_answering(self, address: str, supervisor: "subprocess.Popen[bytes]") -> None:
        """However long it takes: a busy machine may need minutes, and supervisord gives nothing up."""
        waited_s = 0
        while supervisor.poll() is None:
            if is_answering(address, supervisor, within_s=USUAL_START_S):
                self._say_where_things_are(f"https://{settings.ALLOWED_HOSTS[0]}" if settings.IS_HARDENED else address)
                return
            if supervisor.poll() is None:
                waited_s += USUAL_START_S
                self.stderr.write(
                    f"The web server has not answered for {waited_s} s. See {self._logs()}, or wait for it."
                )

    def _say_where_things_are(self, site: str) -> None:
        test = ListeningTest.objects.filter(status=TestStatus.OPEN).order_by("is_simulated", "-opened_at").first()
        password_file = settings.EARMARK_HOME / "first_password"
        password = first_password_still_valid(password_file)
        lines = ["", "Earmark is running.", ""]
        if test is not None:
            lines.append(f"  Rate sounds   {site}/t/{test.slug}/")
        lines.append(f"  Dashboard     {site}/dashboard/")
        if password:
            lines.append(f"  Sign in       {FIRST_USERNAME} / {password}   (kept in {shown(password_file)})")
        lines += [f"  Logs          {self._logs()}", "", "Press Ctrl-C to stop.", ""]
        self.stdout.write("\n".join(lines))

    def _logs(self) -> str:
        return shown(settings.EARMARK_HOME / "logs")


def shown(path: Path) -> str:
    """A path as a person in the current folder would write it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def reachable(host: str) -> str:
    """The name under which this machine reaches a server that listens on `host`."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 -- compared, not bound
        return "127.0.0.1"
    return host


def in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def allow_many_connections() -> None:
    """Raises the limit of open files as far as this account may: each rater keeps connections, and they are files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                raise CommandError(
                    f"EARMARK_BIND is {host!r}, which is no address of this machine. "
                    "Leave it out, or set it to 0.0.0.0."
                ) from None
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). Stop what uses it, or choose another: "
                f"make run PORT={port + 1 if port < 65_535 else 8000}"
            ) from None


@contextmanager
def only_one_server(home: Path) -> Iterator[TextIO]:
    """Holds `home` for this process. Raises CommandError where another server runs from it."""
    with (home / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"Earmark runs already from {shown(home)}. Stop it, or give this one a home of its own: "
                "make run EARMARK_HOME=other PORT=8001"
            ) from None
        yield lock


def is_answering(address: str, supervisor: "subprocess.Popen[bytes]", *, within_s: float) -> bool:
    """Whether the site answers, and not with a fault of its own, before so long has passed or supervisord has ended."""
    # Said to come through the proxy that ends TLS: asked plainly, a hardened site only points to https.
    headers = {"X-Forwarded-Proto": "https"} if settings.IS_HARDENED else {}
    request = Request(f"{address}/admin/login/", headers=headers)  # noqa: S310 -- our own address
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline and supervisor.poll() is None:
        try:
            with urlopen(request, timeout=5):  # noqa: S310 -- as above
                return True
        except HTTPError as error:
            # A host name that is refused is an answer too; a fault may be a start that is not over.
            if error.code < 500:
                return True
        except OSError:
            pass
        time.sleep(0.2)
    return False
