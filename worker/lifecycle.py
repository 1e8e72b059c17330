"""What a Celery worker does when it starts and when it is asked to stop."""

import threading
from typing import Any

from celery import signals
from django.db import connection

from worker import clip_imports, services
from worker.celery import DEFAULT_QUEUE, GPU_QUEUE
from worker.heartbeat import lost_connection_outlived
from worker.lookout import lookout_start
from worker.scoring.recovery import scorings_set_right, scorings_take_back
from worker.screening.worth import worths_set_right
from worker.stopping import stop_prepare, stop_request
from worker.worker_signs import sign_end, signs_start

_stopping = threading.Event()


@signals.worker_init.connect
def on_worker_init(**_: Any) -> None:
    stop_prepare()


@signals.worker_shutting_down.connect
def on_worker_shutting_down(**_: Any) -> None:
    stop_request()
    _stopping.set()


@signals.worker_ready.connect
def on_worker_ready(sender: Any, **_: Any) -> None:
    """A worker takes up what an earlier one left: nothing is lost with a message or with a killed worker."""
    queues = sender.app.amqp.queues.consume_from
    if GPU_QUEUE in queues:
        services.runs_set_right()
        worths_set_right()
        scorings_set_right()
    if DEFAULT_QUEUE in queues:
        clip_imports.clip_imports_set_right()
    connection.close()


@signals.worker_ready.connect
def on_worker_ready_to_be_seen(sender: Any, **_: Any) -> None:
    signs_start(name=sender.hostname, queues=sender.app.amqp.queues.consume_from, stopping=_stopping)


@signals.worker_shutdown.connect
def on_worker_shutdown(sender: Any, **_: Any) -> None:
    with lost_connection_outlived():
        sign_end(name=sender.hostname)
    connection.close()


@signals.worker_ready.connect
def on_worker_ready_to_train(sender: Any, **_: Any) -> None:
    if GPU_QUEUE in sender.app.amqp.queues.consume_from:
        lookout_start(_stopping)


@signals.task_failure.connect
def on_task_failure(**_: Any) -> None:
    """The child at work may have been killed, for want of memory as a rule, while its worker lives on."""
    services.runs_take_back()
    clip_imports.clip_imports_take_back()
    scorings_take_back()
    connection.close()
