"""Schedules of training: kept in step with beat's own rows, and fired, each night once.

django-celery-beat sends a schedule's task at its time. That message can be lost, or beat be away at that minute: so the
look of every minute fires what is due as well. Whoever comes first does, by a conditional UPDATE.
"""

import json
import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from listening_tests.exceptions import Refused
from worker import services
from worker.models import RunTrigger, TrainingRun, TrainingSchedule
from worker.selectors import n_new_ratings, run_active

logger = logging.getLogger(__name__)

TASK = "worker.tasks.train_on_schedule"
# A night that nobody was there for is made up for so long after its time, and not in the middle of the day.
LATEST = timedelta(hours=4)


@transaction.atomic
def schedule_save(*, schedule: TrainingSchedule) -> TrainingSchedule:
    """Stores a schedule, new or changed, and tells beat. What was due before now is not made up for."""
    schedule.done_until = timezone.now()
    schedule.save()
    _tell_beat(schedule)
    return schedule


@transaction.atomic
def schedule_delete(*, schedule: TrainingSchedule) -> None:
    _forget_at_beat(schedule.pk)
    schedule.delete()


def schedules_tell_beat() -> None:
    """What beat does when it starts: its rows are those of the schedules there are, whatever became of them."""
    schedules = list(TrainingSchedule.objects.all())
    for schedule in schedules:
        if not PeriodicTask.objects.filter(name=_name(schedule.pk)).exists():
            _tell_beat(schedule)
    of_no_schedule = PeriodicTask.objects.filter(task=TASK).exclude(name__in=[_name(row.pk) for row in schedules])
    of_no_schedule.delete()


def schedules_fire_due(*, now: datetime | None = None) -> list[TrainingRun]:
    """Fires every schedule that is due and was not fired yet; returns the runs that were started."""
    keys = TrainingSchedule.objects.filter(is_enabled=True).order_by("id").values_list("pk", flat=True)
    return [run for key in keys if (run := schedule_fire(schedule_id=key, now=now)) is not None]


@transaction.atomic
def schedule_fire(*, schedule_id: int, now: datetime | None = None) -> TrainingRun | None:
    """Asks for the run of a schedule that is due, or notes why there is none. A second delivery finds it done.

    `now` is the present unless told. The run and the note that the night is seen to are stored together or not at all.
    """
    now = now or timezone.now()
    schedule = TrainingSchedule.objects.select_related("test").filter(pk=schedule_id).first()
    if schedule is None:
        _forget_at_beat(schedule_id)
        return None
    due = schedule.last_due(now)
    undone = TrainingSchedule.objects.filter(pk=schedule_id, is_enabled=True, done_until__lt=due)
    if undone.update(done_until=due, fired_at=now) == 0:
        return None
    run, outcome = _missed(due) if now - due > LATEST else _begin(schedule)
    TrainingSchedule.objects.filter(pk=schedule_id).update(
        outcome=outcome[:500], last_run=schedule.last_run if run is None else run
    )
    logger.info("%s: %s", schedule, outcome)
    return run


def _begin(schedule: TrainingSchedule) -> tuple[TrainingRun | None, str]:
    """The run, or None, and what came of it in a sentence."""
    test = schedule.test
    services.runs_take_back(test=test)
    active = run_active(test=test)
    if active is not None:
        return None, f"No run was started: run {str(active.uuid)[:8]} is {active.get_status_display().lower()} already."
    n_new = n_new_ratings(test=test)
    if n_new < schedule.least_new:
        return None, (
            f"No run was started: {_new_ratings(n_new)} since the last run, and {schedule.least_new:,} are asked for."
        )
    try:
        run, created = services.run_request(test=test, trigger=RunTrigger.SCHEDULE, preset=schedule.preset)
    except Refused as refusal:
        return None, f"No run was started: {refusal}"
    if not created:
        return None, f"No run was started: run {str(run.uuid)[:8]} is {run.get_status_display().lower()} already."
    return run, f"Run {str(run.uuid)[:8]} was started, with {_new_ratings(n_new)}."


def _missed(due: datetime) -> tuple[None, str]:
    hours = LATEST // timedelta(hours=1)
    return None, (
        f"No run was started: nobody was there to start it at {due:%Y-%m-%d %H:%M} UTC, nor for {hours} hours after. "
        "The next night counts; see that beat and the workers run."
    )


def _new_ratings(number: int) -> str:
    return f"{number:,} new rating{'' if number == 1 else 's'}"


def _name(schedule_id: int) -> str:
    return f"train-on-schedule-{schedule_id}"


def _tell_beat(schedule: TrainingSchedule) -> None:
    """Writes beat's row of a schedule, with a crontab of its own.

    Its last run is now: beat would else take a time of day that was passed today for one that it has missed.
    """
    times = {
        "minute": str(schedule.at.minute),
        "hour": str(schedule.at.hour),
        "timezone": schedule.timezone,
        **dict.fromkeys(("day_of_week", "day_of_month", "month_of_year"), "*"),
    }
    task = PeriodicTask.objects.filter(name=_name(schedule.pk)).select_related("crontab").first()
    if task is None:
        task = PeriodicTask(name=_name(schedule.pk), task=TASK, crontab=CrontabSchedule.objects.create(**times))
    else:
        CrontabSchedule.objects.filter(pk=task.crontab_id).update(**times)
    task.args = json.dumps([schedule.pk])
    task.description = str(schedule)
    task.enabled = schedule.is_enabled
    task.last_run_at = timezone.now()
    # Saved as a change, beat reads all rows anew.
    task.no_changes = False
    task.save()


def _forget_at_beat(schedule_id: int) -> None:
    crontabs = CrontabSchedule.objects.filter(periodictask__name=_name(schedule_id))
    # Beat's row goes with its crontab; one by one, since their signals tell beat.
    for crontab in crontabs:
        crontab.delete()
