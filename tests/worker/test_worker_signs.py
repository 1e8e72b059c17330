"""What workers tell of themselves, and that a page can tell those that are there from those that were."""

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from worker.hosts import LOST_AFTER, host_name
from worker.models import WorkerSign
from worker.worker_signs import sign_end, sign_give, signs_start, workers_lost, workers_seen

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_works() -> None:
    sign_give(name="gpu@bench", queues={"gpu", "default"})
    (first,) = workers_seen()
    sign_give(name="gpu@bench", queues={"gpu"})
    (second,) = workers_seen()

    assert (first.queue_names, second.queue_names, second.host) == (["default", "gpu"], ["gpu"], host_name())
    assert second.started_at == first.started_at < second.seen_at
    sign_end(name="gpu@bench")
    assert not WorkerSign.objects.exists()


def test_a_silent_worker_is_lost_and_then_forgotten() -> None:
    sign_give(name="gpu@bench", queues=["gpu"])
    WorkerSign.objects.update(seen_at=timezone.now() - 2 * LOST_AFTER)
    assert (workers_seen(), [worker.name for worker in workers_lost()]) == ([], ["gpu@bench"])

    WorkerSign.objects.update(seen_at=timezone.now() - timedelta(days=2))
    assert workers_lost() == []


def test_the_row_of_a_worker_of_the_same_name_stays_when_another_ends() -> None:
    sign_give(name="gpu@bench", queues=["gpu"])
    WorkerSign.objects.update(host="other:1")
    sign_end(name="gpu@bench")

    assert WorkerSign.objects.exists()


def test_a_worker_that_stops_gives_no_more_signs() -> None:
    WorkerSign.objects.create(
        name="gpu@bench", host="bench:1", queues="gpu", started_at=timezone.now(), seen_at=timezone.now()
    )
    stopping = threading.Event()
    stopping.set()
    signs_start(name="gpu@bench", queues=["gpu"], stopping=stopping).join()

    (sign,) = workers_seen()
    assert sign.host == host_name()
