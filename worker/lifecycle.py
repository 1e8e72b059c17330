"""What a Celery worker does when it starts and when it is asked to stop."""

import mmap
from typing import Any

from celery import signals
from django.db import connection

from worker import services
from worker.celery import GPU_QUEUE

# One byte that the worker's main process, which gets the signal, shares with the child that trains.
_stop_byte: mmap.mmap | None = None


def stop_prepare() -> None:
    """Makes the byte; before the children are made."""
    global _stop_byte
    _stop_byte = mmap.mmap(-1, 1)


def stop_request() -> None:
    """Asks the run of this process, or of its children, to end after its current step. Safe in a signal handler."""
    if _stop_byte is not None:
        _stop_byte[0] = 1


def stop_requested() -> bool:
    return _stop_byte is not None and _stop_byte[0] == 1


@signals.worker_init.connect
def on_worker_init(**_: Any) -> None:
    stop_prepare()


@signals.worker_shutting_down.connect
def on_worker_shutting_down(**_: Any) -> None:
    stop_request()


@signals.worker_ready.connect
def on_worker_ready(sender: Any, **_: Any) -> None:
    """A worker that trains takes up what an earlier one left: a lost message or a killed worker loses no run."""
    if GPU_QUEUE in sender.app.amqp.queues.consume_from:
        services.runs_set_right()
        connection.close()


@signals.task_failure.connect
def on_task_failure(**_: Any) -> None:
    """The child that trained may have been killed, for want of memory as a rule, while its worker lives on."""
    services.runs_take_back()
    connection.close()
