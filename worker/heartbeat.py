"""A running run's sign of life, given by a thread of its own: loading a large model says nothing for minutes."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError, connection

from worker import services

logger = logging.getLogger(__name__)

HEARTBEAT_EVERY_S = 10.0


@contextmanager
def heartbeat(*, run_id: int) -> Iterator[None]:
    """Keeps the run's heartbeat fresh while the body lasts."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat, args=(run_id, ended), name=f"heartbeat-{run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat(run_id: int, ended: threading.Event) -> None:
    try:
        while not ended.wait(HEARTBEAT_EVERY_S):
            with lost_connection_outlived():
                services.run_heartbeat(run_id=run_id)
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
