"""Workers' signs of life: a row of each, so that a page can tell who takes from a queue though the broker is away."""

import logging
import threading
from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from worker.heartbeat import lost_connection_outlived
from worker.hosts import HEARTBEAT_EVERY_S, LOST_AFTER, host_name
from worker.models import WorkerSign

logger = logging.getLogger(__name__)

# Of a worker that died nobody takes the row away; it tells when it was last there.
REMEMBERED_FOR = timedelta(days=1)


def sign_give(*, name: str, queues: Iterable[str]) -> None:
    """The sign of the worker that this process is."""
    now = timezone.now()
    told = {"host": host_name(), "queues": ",".join(sorted(queues)), "seen_at": now}
    WorkerSign.objects.update_or_create(name=name, defaults=told, create_defaults=told | {"started_at": now})


def sign_end(*, name: str) -> None:
    """Of a worker that stops in order."""
    WorkerSign.objects.filter(name=name, host=host_name()).delete()


def workers_seen() -> list[WorkerSign]:
    """Workers that gave a sign of late, by name."""
    return list(WorkerSign.objects.filter(seen_at__gte=timezone.now() - LOST_AFTER).order_by("name"))


def workers_lost() -> list[WorkerSign]:
    """Workers that have been silent for too long, the last heard of first."""
    silent = WorkerSign.objects.filter(seen_at__lt=timezone.now() - LOST_AFTER)
    return list(silent.filter(seen_at__gte=timezone.now() - REMEMBERED_FOR).order_by("-seen_at", "name"))


def signs_start(*, name: str, queues: Iterable[str], stopping: threading.Event) -> threading.Thread:
    """Gives signs from a thread of its own until `stopping`."""
    thread = threading.Thread(target=_give, args=(name, list(queues), stopping), name="signs-of-life", daemon=True)
    thread.start()
    return thread


def _give(name: str, queues: list[str], stopping: threading.Event) -> None:
    try:
        with lost_connection_outlived():
            # It has started anew.
            WorkerSign.objects.filter(name=name).delete()
            WorkerSign.objects.filter(seen_at__lt=timezone.now() - REMEMBERED_FOR).delete()
        while True:
            with lost_connection_outlived():
                sign_give(name=name, queues=queues)
            if stopping.wait(HEARTBEAT_EVERY_S):
                break
    finally:
        connection.close()
