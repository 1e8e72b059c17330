"""What the queues hold: the runs that train or wait, and why; other work on its way; and who takes it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from listening_tests.choices import ACTIVE_CLIP_IMPORT_STATUSES, ACTIVE_PILOT_STATUSES
from listening_tests.models import ClipImport, ListeningTest, Pilot
from worker.celery import DEFAULT_QUEUE, GPU_QUEUE
from worker.models import (
    ACTIVE_RESULTS_STATUSES,
    ACTIVE_SCORING_STATUSES,
    ACTIVE_WORTH_STATUSES,
    HELD_RUN_STATUSES,
    ComputedResults,
    RunStatus,
    ScoringJob,
    ScreeningState,
    ScreeningWorth,
    TrainingRun,
    WorkerSign,
)
from worker.publishing import broker_answers
from worker.selectors import run_queue
from worker.worker_signs import workers_lost, workers_seen

# More of other work than this on its way is not listed.
MOST_OTHERS = 50


class Wait(StrEnum):
    """What a queued run waits for."""

    BROKER = "broker"
    WORKER = "worker"
    GPU = "gpu"
    TURN = "turn"


@dataclass(frozen=True)
class WaitingRun:
    """`behind` is what has the GPU, where it waits for that; `n_ahead` how many queued runs come before it."""

    run: TrainingRun
    wait: Wait
    n_ahead: int
    behind: "TrainingRun | OtherJob | None" = None


@dataclass(frozen=True)
class OtherJob:
    """Work beside runs. `since` is when it was asked for; host and sign are there where a row keeps them."""

    kind: str
    test: ListeningTest
    status: str
    since: datetime | None
    host: str = ""
    last_sign: datetime | None = None
    queue: str = DEFAULT_QUEUE

    @property
    def has_gpu(self) -> bool:
        return self.queue == GPU_QUEUE and self.status != RunStatus.QUEUED


@dataclass(frozen=True)
class QueueLook:
    is_broker_there: bool
    running: list[TrainingRun]
    waiting: list[WaitingRun]
    others: list[OtherJob]
    workers: list[WorkerSign]
    lost_workers: list[WorkerSign]
    unattended: list[str] = field(default_factory=list)


def queue_look() -> QueueLook:
    """The queues at this moment. Of all tests: who may see which, the page says."""
    runs = list(run_queue())
    running = [run for run in runs if run.status in HELD_RUN_STATUSES]
    is_broker_there, workers = broker_answers(), workers_seen()
    attended = {name for worker in workers for name in worker.queue_names}
    queued = [run for run in runs if run.status == RunStatus.QUEUED]
    others = _other_jobs()
    at_work: list[TrainingRun | OtherJob] = [*running, *(job for job in others if job.has_gpu)]
    wait, behind = _reason(is_broker_there, GPU_QUEUE in attended, at_work, workers)
    return QueueLook(
        is_broker_there=is_broker_there,
        running=running,
        waiting=[WaitingRun(run, wait, n_ahead, behind) for n_ahead, run in enumerate(queued)],
        others=others,
        workers=workers,
        lost_workers=workers_lost(),
        unattended=[name for name in (DEFAULT_QUEUE, GPU_QUEUE) if name not in attended],
    )


def _reason(
    is_broker_there: bool, is_attended: bool, at_work: list[TrainingRun | OtherJob], workers: list[WorkerSign]
) -> tuple[Wait, TrainingRun | OtherJob | None]:
    """Why the first queued run waits, and so the others: every worker of the queue does one thing at a time."""
    if not is_attended:
        return Wait.WORKER, None
    n_workers = sum(GPU_QUEUE in worker.queue_names for worker in workers)
    if at_work and len(at_work) >= n_workers:
        return Wait.GPU, at_work[0]
    return (Wait.TURN if is_broker_there else Wait.BROKER), None


def _other_jobs() -> list[OtherJob]:
    """The latest of each kind that are on their way, in the order in which they were asked for."""
    imports = ClipImport.objects.filter(status__in=ACTIVE_CLIP_IMPORT_STATUSES).select_related("test")
    pilots = Pilot.objects.filter(status__in=ACTIVE_PILOT_STATUSES).select_related("test")
    results = ComputedResults.objects.filter(status__in=ACTIVE_RESULTS_STATUSES).select_related("test")
    scorings = ScoringJob.objects.filter(status__in=ACTIVE_SCORING_STATUSES).select_related("test")
    worths = ScreeningWorth.objects.filter(status__in=ACTIVE_WORTH_STATUSES).select_related("test")
    screenings = ScreeningState.objects.exclude(asked_at=None).select_related("test")
    jobs = [
        *(
            OtherJob("Upload of clips", row.test, row.status, row.created_at, row.host, row.heartbeat_at)
            for row in imports.order_by("-id")[:MOST_OTHERS]
        ),
        *(
            OtherJob("Simulated raters", row.test, row.status, row.created_at, last_sign=row.heartbeat_at)
            for row in pilots.order_by("-id")[:MOST_OTHERS]
        ),
        *(
            OtherJob("Scores", row.test, row.status, row.created_at, row.host, row.heartbeat_at, GPU_QUEUE)
            for row in scorings.order_by("-id")[:MOST_OTHERS]
        ),
        *(
            OtherJob("Worth of rules", row.test, row.status, row.created_at, row.host, row.heartbeat_at, GPU_QUEUE)
            for row in worths.order_by("-id")[:MOST_OTHERS]
        ),
        *(OtherJob("Results", row.test, row.status, row.requested_at) for row in results.order_by("-id")[:MOST_OTHERS]),
        *(
            OtherJob("Screening", row.test, RunStatus.QUEUED, row.asked_at)
            for row in screenings.order_by("-asked_at")[:MOST_OTHERS]
        ),
    ]
    return sorted(jobs, key=lambda job: job.since.timestamp() if job.since else 0.0)[-MOST_OTHERS:]
