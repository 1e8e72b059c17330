"""What the queues are set to, and that who publishes stays light."""

import subprocess
import sys
from datetime import timedelta

from celery.schedules import crontab

from worker.celery import app

LIGHT = """
import sys, django
django.setup()
import worker.tasks, worker.services, worker.selectors, worker.schedule, worker.admin, worker.clip_imports
import worker.services_pilots, worker.plans
import worker.scoring.client, worker.scoring.server
import worker.screening.services, worker.screening.schedule
assert "torch" not in sys.modules and "transformers" not in sys.modules
"""


def test_it_works() -> None:
    app.loader.import_default_modules()

    assert {"worker.tasks.run_training", "worker.tasks.retrain_due_tests"} <= set(app.tasks)
    queue_of = {name: app.amqp.router.route({}, f"worker.tasks.{name}")["queue"].name for name in QUEUES}
    assert queue_of == QUEUES


QUEUES = {
    "run_training": "gpu",
    **dict.fromkeys(
        ("retrain_due_tests", "import_clips", "compute_screening", "run_pilot", "look_at_calendar"), "default"
    ),
}


def test_a_task_outlives_its_worker_and_is_not_given_out_twice() -> None:
    assert app.conf.task_acks_late
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.broker_transport_options["visibility_timeout"] >= timedelta(days=2).total_seconds()


def test_only_json_is_read() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"


def test_beat_looks_at_the_top_of_every_hour() -> None:
    entry = app.conf.beat_schedule["retrain-due-tests"]

    assert (entry["task"], entry["schedule"]) == ("worker.tasks.retrain_due_tests", crontab(minute=0))


def test_beat_looks_at_the_calendar_every_minute() -> None:
    entry = app.conf.beat_schedule["look-at-calendar"]

    assert (entry["task"], entry["schedule"]) == ("worker.tasks.look_at_calendar", crontab())


def test_beat_looks_at_raters_every_quarter_of_an_hour() -> None:
    entry = app.conf.beat_schedule["screen-tests"]

    assert (entry["task"], entry["schedule"]) == ("worker.tasks.compute_due_screenings", crontab(minute="*/15"))


def test_who_publishes_never_loads_torch() -> None:
    program = f"import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'webapp.settings'\n{LIGHT}"
    done = subprocess.run([sys.executable, "-c", program], check=False)  # noqa: S603 -- our own words
    assert done.returncode == 0
