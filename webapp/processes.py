"""The processes of one installation, described for supervisord, which starts them, and starts again what dies."""

import sys
from dataclasses import dataclass
from pathlib import Path

from webapp.embedded_broker import server_command, socket_folder_make

# A rater's browser asks again every ten seconds or so, and keeps its connections from one time to the next: one that
# the server had closed meanwhile would cost another round trip, and on a bad network the answer.
# Of its threads the scorer's questions may hold some while they wait (worker.scoring.client); the others are raters'.
# An address may be as long as most proxies let it be.
SERVING = ("--workers=2", "--threads=24", "--keep-alive=75", "--worker-connections=4000", "--limit-request-line=8190")
# One process, which has the models in memory; a thread for each question that is read, waits or is worked on.
SCORING = ("--workers=1", "--threads=128", "--keep-alive=75", "--timeout=120", "--graceful-timeout=5")


@dataclass(frozen=True)
class Program:
    """One process that runs as long as the installation does."""

    name: str
    command: list[str]
    # Lower starts earlier and stops later.
    priority: int = 10
    # How long it may take to stop before it is killed: a training step, for the worker that trains.
    stop_s: int = 10


def programs(*, home: Path, bind: str, with_broker: bool, with_scorer: bool = True) -> list[Program]:
    """The web server, a Celery worker for each queue, beat, and the broker and the scorer where ours are to run."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "worker"]
    worker = [*celery, "worker", "--concurrency", "1"]
    # Gunicorn's warnings of requests that are no HTTP would name a rater's address; errors are enough.
    gunicorn = [*python, "gunicorn", "webapp.wsgi", "--bind", bind, "--log-level=error", "--no-control-socket"]
    broker = [Program("broker", server_command(home), priority=1)] if with_broker else []
    scorer = [Program("scorer", scorer_command(home))] if with_scorer else []
    return [
        *broker,
        *scorer,
        Program("web", [*gunicorn, *SERVING, "--graceful-timeout=5"]),
        Program("worker-default", [*worker, "-Q", "default", "-n", "default@%h"]),
        # One GPU, one run: nothing is taken from the queue before the run before it has ended.
        Program("worker-gpu", [*worker, "-Q", "gpu", "--prefetch-multiplier", "1", "-n", "gpu@%h"], stop_s=60),
        Program("beat", [*celery, "beat"]),
    ]


def scorer_command(home: Path) -> list[str]:
    """The command that holds models open and answers the web server on a socket file under `home`."""
    bind = f"unix:{socket_folder_make(home, 'scorer')}"
    gunicorn = [sys.executable, "-m", "gunicorn", "worker.scoring.server:make_application()", "--bind", bind]
    return [*gunicorn, *SCORING, "--log-level=error", "--no-control-socket"]


def supervisor_configuration(programs: list[Program], *, home: Path, directory: Path) -> str:
    """The text of supervisord's configuration file. Output goes to `home`/logs, a rotated file for each program."""
    logs = home / "logs"
    sections = [
        "[supervisord]",
        "nodaemon = true",
        "silent = true",
        f"logfile = {_escape(str(logs / 'supervisord.log'))}",
        f"pidfile = {_escape(str(home / 'supervisord.pid'))}",
        f"directory = {_escape(str(directory))}",
    ]
    for program in programs:
        sections += [
            "",
            f"[program:{program.name}]",
            f"command = {_escape(' '.join(_quote(word) for word in program.command))}",
            f"priority = {program.priority}",
            "autorestart = true",
            "startsecs = 2",
            # Whatever keeps a program from starting may be over later: the waits between tries grow by a second each,
            # but nothing is ever given up while the installation stands.
            "startretries = 1000000",
            f"stopwaitsecs = {program.stop_s}",
            "killasgroup = true",
            "redirect_stderr = true",
            f"stdout_logfile = {_escape(str(logs / program.name))}.log",
            "stdout_logfile_maxbytes = 10MB",
            "stdout_logfile_backups = 2",
        ]
    return "\n".join(sections) + "\n"


def _quote(word: str) -> str:
    return f'"{word}"' if " " in word else word


def _escape(text: str) -> str:
    # In this file a percent sign begins an expansion.
    return text.replace("%", "%%")
