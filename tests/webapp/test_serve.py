"""`make run` from the outside: a real start in a fresh home, and a real end."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from webapp.management.commands import serve

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home() -> Iterator[Path]:
    # Short, since a socket lies in it, and open to be traversed, since PostgreSQL runs as a user of its own.
    with tempfile.TemporaryDirectory(prefix="ems-") as directory:
        yield Path(directory) / "home"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def manage(home: Path, *words: str, port: int | str) -> "subprocess.Popen[str]":
    environment = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CELERY_BROKER_URL"}
    }
    return subprocess.Popen(  # noqa: S603 -- our own words
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment | {"EARMARK_HOME": str(home), "PORT": str(port), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: "subprocess.Popen[str]", last: str) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        assert "has not answered for 300 s" not in line
        if last in line:
            return "".join(lines)
    raise AssertionError(f"{last!r} was never said: {''.join(lines)}")


def processes_of(home: Path) -> list[str]:
    """The command lines of every process that works for this home."""
    found = []
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
            if str(home) in command or process.environ().get("EARMARK_HOME") == str(home):
                found.append(command)
        except psutil.Error:
            continue
    return found


def ask(home: Path, code: str) -> str:
    process = manage(home, "shell", "--no-imports", "-c", code, port=free_port())
    answer, _ = process.communicate()
    return answer.strip()


def test_it_works(home: Path) -> None:
    port = free_port()
    first = manage(home, "serve", "--no-demo", port=port)
    said = read_until(first, "Press Ctrl-C to stop.")
    assert f"Dashboard     http://127.0.0.1:{port}/dashboard/" in said
    password = re.search(r"Sign in       admin / (\S+)", said)
    assert password is not None
    with urlopen(f"http://127.0.0.1:{port}/admin/login/") as answer:  # noqa: S310 -- our own address
        assert answer.status == 200

    taken = manage(home, "serve", "--no-demo", port=port)
    sentence, _ = taken.communicate()
    assert taken.returncode == 1
    assert sentence == (
        f"CommandError: Port {port} cannot be used (Address already in use). Stop what uses it, or choose another: "
        f"make run PORT={port + 1}\n"
    )
    twice = manage(home, "serve", "--no-demo", port=free_port())
    sentence, _ = twice.communicate()
    assert sentence == (
        f"CommandError: Earmark runs already from {home}. Stop it, or give this one a home of its own: "
        "make run EARMARK_HOME=other PORT=8001\n"
    )

    first.send_signal(signal.SIGINT)
    rest, _ = first.communicate()
    assert first.returncode == 0
    assert rest.endswith("Earmark has stopped.\n")
    assert processes_of(home) == []

    again = manage(home, "serve", "--no-demo", port=port)
    said = read_until(again, "Press Ctrl-C to stop.")
    assert f"Sign in       admin / {password[1]}" in said
    again.send_signal(signal.SIGTERM)
    again.communicate()
    assert processes_of(home) == []


@pytest.mark.django_db
def test_a_start_that_takes_long_is_told_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, False, True])
    monkeypatch.setattr(serve, "is_answering", lambda *_, **__: next(answers))
    command = serve.Command(stdout=StringIO(), stderr=StringIO())

    with subprocess.Popen(["sleep", "600"]) as supervisor:  # noqa: S607 -- the machine's own
        command._wait_until_answering("http://127.0.0.1:8000", supervisor)
        supervisor.kill()

    first, second = command.stderr.getvalue().splitlines()
    assert first.startswith("The web server has not answered for 60 s. See ")
    assert second.startswith("The web server has not answered for 120 s. See ")
    assert "Earmark is running." in command.stdout.getvalue()


def test_any_command_starts_postgresql_by_itself_and_stops_it(home: Path) -> None:
    # The migrations are run by test_it_works; here any table will do.
    ask_it = "from django.db import connection as c; cursor = c.cursor(); cursor.execute({!r}); {}".format
    assert ask(home, ask_it("CREATE TABLE kept AS SELECT 'Kept' AS title", "")) == ""
    assert processes_of(home) == []
    assert ask(home, ask_it("SELECT title FROM kept", "print(cursor.fetchone()[0])")) == "Kept"
    assert processes_of(home) == []


def test_a_holder_that_died_without_a_word_does_not_keep_postgresql_up(home: Path) -> None:
    code = (
        "import os; from django.db import connection\n"
        "child = os.fork()\n"
        "connection.ensure_connection() if child == 0 else os.waitpid(child, 0)\n"
        "os._exit(0) if child == 0 else connection.ensure_connection()\n"
        "print(child > 0)"
    )
    assert ask(home, code) == "True"
    assert processes_of(home) == []


def test_what_the_installation_lacks_is_told_in_a_sentence(home: Path) -> None:
    unprepared = manage(home, "study_report", "dogs", port=free_port())
    sentence, _ = unprepared.communicate()
    assert unprepared.returncode == 1
    assert sentence == (
        "The database has not been prepared. Run make setup (or manage.py prepare), then this command again.\n"
    )
    misnamed = manage(home, "serve", "--no-demo", port="abc")
    sentence, _ = misnamed.communicate()
    assert misnamed.returncode == 1
    assert sentence == "Earmark cannot start: PORT is 'abc'. Set it to a number from 1 to 65535.\n"


def test_embedded_postgresql_comes_back_after_a_crash(home: Path) -> None:
    code = (
        "import os, signal, pathlib; from django.conf import settings; from django.db import connection; "
        "connection.ensure_connection(); "
        "pid = int(pathlib.Path(settings.EARMARK_HOME, 'postgres', 'postmaster.pid').read_text().split()[0]); "
        "os.kill(pid, signal.SIGKILL); os.system(f'tail --pid={pid} -f /dev/null'); connection.close(); "
        "cursor = connection.cursor(); cursor.execute('select 42'); print(cursor.fetchone()[0])"
    )
    assert ask(home, code) == "42"


def test_an_address_that_is_not_this_machines_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARMARK_BIND", "192.0.2.1")
    sentence, _ = manage(home, "serve", "--no-demo", port=free_port()).communicate()
    assert sentence == (
        "CommandError: EARMARK_BIND is '192.0.2.1', which is no address of this machine. Leave it out, or set it to "
        "0.0.0.0.\n"
    )
    assert processes_of(home) == []
