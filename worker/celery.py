"""The Celery app: two queues, `default` for what is short and `gpu` for what trains. No result is kept: runs are rows.

A task is acknowledged when it has ended, but nothing rests on its being delivered again: a second delivery finds its
run claimed. What becomes of a dead worker's run is told in worker.services.runs_take_back.
"""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

# An unacknowledged task is delivered again after this time; no run lasts a week.
LONGEST_RUN_S = 7 * 24 * 3600
DEFAULT_QUEUE, GPU_QUEUE = "default", "gpu"

app = Celery("earmark")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_default_queue=DEFAULT_QUEUE,
    task_create_missing_queues=True,
    task_routes={
        "worker.tasks.run_training": {"queue": GPU_QUEUE},
        "worker.tasks.score_pairs": {"queue": GPU_QUEUE},
        "worker.tasks.measure_screening_worth": {"queue": GPU_QUEUE},
    },
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    accept_content=["json"],
    task_serializer="json",
    broker_connection_retry_on_startup=True,
    # A broker that is away is waited for, however long; what trains meanwhile goes on.
    broker_connection_max_retries=None,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_timeout=2,
    broker_transport_options={"visibility_timeout": LONGEST_RUN_S, "socket_connect_timeout": 2},
    # Django has set up the logs; progress bars of libraries are no warnings.
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    timezone="UTC",
    beat_schedule={
        "look-at-calendar": {"task": "worker.tasks.look_at_calendar", "schedule": crontab()},
        "retrain-due-tests": {"task": "worker.tasks.retrain_due_tests", "schedule": crontab(minute=0)},
        "send-notices": {"task": "worker.tasks.send_notices", "schedule": crontab(minute="*/5")},
        "screen-tests": {"task": "worker.tasks.compute_due_screenings", "schedule": crontab(minute="*/15")},
    },
    # With the schedules that researchers make; when it sent what last is stored with each.
    beat_scheduler="worker.beat:Scheduler",
    beat_sync_every=1,
    # Nothing is kept that would have to be cleared away.
    result_expires=None,
)
app.autodiscover_tasks(["worker"])
