"""A running run's sign of life, given by a thread of its own: loading a large model says nothing for minutes."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection

from worker import services
from worker.hosts import HEARTBEAT_EVERY_S
from worker.models import TrainingRun

logger = logging.getLogger(__name__)


@contextmanager
def heartbeat(*, run: TrainingRun) -> Iterator[None]:
    """Keeps the run's heartbeat fresh while the body lasts."""
    with beating(lambda: services.run_heartbeat(run=run), name=f"heartbeat-{run.pk}"):
        yield


@contextmanager
def beating(beat: Callable[[], None], *, name: str) -> Iterator[None]:
    """Calls `beat` every few seconds, in a thread of its own, while the body lasts."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(beat, ended), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(beat: Callable[[], None], ended: threading.Event) -> None:
    try:
        while not ended.wait(HEARTBEAT_EVERY_S):
            with lost_connection_outlived():
                beat()
    finally:
        connection.close()


@contextmanager
def lost_connection_outlived() -> Iterator[None]:
    """Lets a database that is away for a moment cost a sign of life, not the work."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        logger.warning("The database did not answer; the work goes on: %s", error)
        connection.close()
