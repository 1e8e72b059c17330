"""Commands that end 0 done, 1 refused with a sentence or typed wrongly, 2 a fault of ours with its traceback."""

import logging
import sys
from functools import partial
from typing import Any, NoReturn

import psycopg
from django.core.management.base import BaseCommand, CommandParser
from django.db import OperationalError
from psycopg.errors import UndefinedTable

from listening_tests.exceptions import Refused

logger = logging.getLogger(__name__)


class ExplainedCommand(BaseCommand):
    def run_from_argv(self, argv: list[str]) -> None:
        """What the shell calls. Called from Python, a command raises what it raises."""
        try:
            super().run_from_argv(argv)
        except Refused as refused:
            self._end(str(refused), code=1)
        except Exception as error:
            if sentence := _fault_of_the_installation(error):
                self._end(sentence, code=1)
            logger.exception("A fault of Earmark")
            self._end(f"{argv[1]} ended with a fault of Earmark, told above. Nothing that you did explains it.", code=2)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        if parser.called_from_command_line:
            # argparse would end with 2, which here is a fault of ours.
            parser.error = partial(self._end_misused, parser)  # type: ignore[method-assign]
        return parser

    def _end_misused(self, parser: CommandParser, message: str) -> NoReturn:
        self._end(f"{parser.format_usage()}{parser.prog}: {message}.", code=1)

    def _end(self, sentence: str, *, code: int) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(code)


def _fault_of_the_installation(error: Exception) -> str | None:
    """What is told of a database that is not there, or empty: no fault of Earmark's, and mended by who set it up."""
    if isinstance(error.__cause__, UndefinedTable):
        return "The database has not been prepared. Run make setup (or manage.py prepare), then this command again."
    if isinstance(error, OperationalError) and isinstance(error.__cause__, psycopg.OperationalError):
        reason = str(error).strip().splitlines()[0].rstrip(".")
        return f"The database does not answer: {reason}. Check DATABASE_URL, and that the server runs."
    return None
