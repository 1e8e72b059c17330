"""`manage.py start NAME`: one process of an installation in the foreground, for who runs them apart (deploy/)."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from listening_tests.management.explained_command import ExplainedCommand
from webapp.environment import read_port, read_text
from webapp.processes import programs


class Command(ExplainedCommand):
    help = (
        "Becomes one of the processes that `serve` keeps: the web server, a worker, beat. Prepare the database first "
        "(manage.py prepare), and let something start it again when it ends."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=sorted(_commands()))

    def handle(self, *, name: str, **options: Any) -> None:
        command = _commands()[name]
        os.chdir(settings.BASE_DIR)
        os.execv(command[0], command)  # noqa: S606 -- our own words


def _commands() -> dict[str, list[str]]:
    host, port = read_text("EARMARK_BIND", "127.0.0.1"), read_port("PORT", 8000)
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    described = programs(home=settings.EARMARK_HOME, bind=bind, with_broker=False)
    return {program.name: program.command for program in described}
