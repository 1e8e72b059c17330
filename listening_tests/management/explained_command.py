"""Commands that end 0 done, 1 refused with a sentence, 2 a fault of ours with its traceback."""

import logging
import sys
from typing import NoReturn

from django.core.management.base import BaseCommand

from listening_tests.exceptions import Refused

logger = logging.getLogger(__name__)


class ExplainedCommand(BaseCommand):
    def run_from_argv(self, argv: list[str]) -> None:
        """What the shell calls. Called from Python, a command raises what it raises."""
        try:
            super().run_from_argv(argv)
        except Refused as refused:
            self._end(str(refused), code=1)
        except Exception:
            logger.exception("A fault of Earmark")
            self._end(f"{argv[1]} ended with a fault of Earmark, told above. Nothing that you did explains it.", code=2)

    def _end(self, sentence: str, *, code: int) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(code)
