"""Beat at another time than now: the clock is moved, and nobody waits."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from celery.app.task import Task
from django_celery_beat.schedulers import ModelEntry
from django_celery_beat.tzcrontab import TzAwareCrontab

from worker.beat import Scheduler
from worker.celery import app

# Beat sends one task a tick. More than it has to send at a moment, ever.
MOST_TICKS = 100
# Crontabs keep the function that tells them the time: so it asks here, wherever the clock was moved since.
_shown: list[datetime] = []


def _now() -> datetime:
    return _shown[-1] if _shown else datetime.now(UTC)


@contextmanager
def clock_at(moment: datetime) -> Iterator[None]:
    """Django, beat and its crontabs tell `moment`, which has a time zone."""
    _shown.append(moment)
    with ExitStack() as patches:
        patches.callback(_shown.pop)
        patches.enter_context(patch("django.utils.timezone.now", _now))
        patches.enter_context(patch("django_celery_beat.schedulers.aware_now", _now))
        patches.enter_context(patch.object(ModelEntry, "_default_now", lambda entry: _now()))
        patches.enter_context(patch.object(TzAwareCrontab, "nowfunc", lambda crontab: _now().astimezone(crontab.tz)))
        yield


class Beat:
    """One that was started when the clock showed `started_at`; what it sends is kept, and no broker is needed."""

    def __init__(self, started_at: datetime) -> None:
        with clock_at(started_at):
            self.scheduler = Scheduler(app=app)
            # It would wait for a broker.
            self.scheduler.producer = None
            self.tick(started_at)

    def tick(self, moment: datetime) -> list[tuple[str, list[Any]]]:
        """What beat sends at `moment`: names of tasks, and what they are told."""
        sent: list[tuple[str, list[Any]]] = []

        def keep(task: Any, args: Any = None, *_: Any, **__: Any) -> None:
            sent.append((task.name, list(args or [])))

        # It reads its rows anew every five minutes, by a clock of its own, and only those of the hours around.
        self.scheduler._last_full_sync = datetime.min  # noqa: DTZ901 -- as it keeps it
        with clock_at(moment), patch.object(Task, "apply_async", keep):
            for _ in range(MOST_TICKS):
                if self.scheduler.tick() > 0:
                    break
            self.scheduler.sync()
        return sent


def carry_out(sent: list[tuple[str, list[Any]]], moment: datetime) -> None:
    """What a worker does of what beat sent at that moment."""
    with clock_at(moment):
        for name, arguments in sent:
            app.tasks[name](*arguments)
