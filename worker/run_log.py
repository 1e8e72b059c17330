"""The log of a run: what its process says of it, and what others do to it, in lines of which the last 200 stay."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from django.utils import timezone

from worker.models import RunLogLine, TrainingRun

MOST_LINES = 200
LONGEST_LINE = 500
# Whose warnings are the run's, where they come from the thread that trains.
_LOGGERS = ("modeling", "transformers", "py.warnings")


class RunLog(logging.Handler):
    """Collects lines until they are stored; as a handler of loggers, the warnings of the thread that made it."""

    def __init__(self, run_id: int) -> None:
        super().__init__(logging.WARNING)
        self.run_id = run_id
        self._thread = threading.get_ident()
        self._lines: list[RunLogLine] = []

    def note(self, text: str) -> None:
        self._lines.append(_line(self.run_id, text, timezone.now()))

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            at = datetime.fromtimestamp(record.created, UTC)
            self._lines.append(_line(self.run_id, record.getMessage(), at, is_warning=True))

    def store(self) -> None:
        """Writes what was collected. What could not be written is tried again with the next."""
        lines = self._lines[-MOST_LINES:]
        if lines:
            _store(self.run_id, lines)
            self._lines = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes warnings of the libraries that train while the body lasts."""
        loggers = [logging.getLogger(name) for name in _LOGGERS]
        for logger in loggers:
            logger.addHandler(self)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeHandler(self)


def run_log_add(*, run_id: int, text: str, is_warning: bool = False) -> None:
    """A line at once: of what somebody does to a run from outside its process."""
    _store(run_id, [_line(run_id, text, timezone.now(), is_warning=is_warning)])


def run_log(*, run: TrainingRun, last: int = MOST_LINES) -> list[RunLogLine]:
    """The last lines, the oldest of them first."""
    return list(RunLogLine.objects.filter(run=run).order_by("-id")[:last])[::-1]


def _line(run_id: int, text: str, at: datetime, *, is_warning: bool = False) -> RunLogLine:
    return RunLogLine(run_id=run_id, at=at, is_warning=is_warning, text=" ".join(text.split())[:LONGEST_LINE])


def _store(run_id: int, lines: Sequence[RunLogLine]) -> None:
    RunLogLine.objects.bulk_create(lines)
    ours = RunLogLine.objects.filter(run=run_id)
    oldest = ours.order_by("-id").values_list("id", flat=True)[MOST_LINES - 1 : MOST_LINES]
    for line_id in oldest:
        ours.filter(id__lt=line_id).delete()
