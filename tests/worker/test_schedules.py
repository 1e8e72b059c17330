"""Schedules of training: made in the admin, sent by beat at a moved clock, fired once a night."""

import json
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from benchmarks.moved_clock import Beat, carry_out, clock_at
from listening_tests.choices import Role
from listening_tests.models import ListeningTest, Member
from tests.factories import make_test
from tests.worker.studies import make_study
from worker.celery import app
from worker.models import RunStatus, RunTrigger, TrainingRun, TrainingSchedule
from worker.schedules import (
    TASK,
    schedule_delete,
    schedule_fire,
    schedule_save,
    schedules_fire_due,
    schedules_tell_beat,
)
from worker.services import run_cancel, run_request

pytestmark = pytest.mark.django_db
# Beat commits, and closes connections that are old.
with_beat = pytest.mark.django_db(transaction=True)
RATINGS = 54 * 3
BERLIN = ZoneInfo("Europe/Berlin")
# In Berlin two in the night, in winter and in summer.
EVENING, NIGHT = datetime(2030, 1, 15, 20, tzinfo=UTC), datetime(2030, 1, 16, 1, 0, 1, tzinfo=UTC)
SUMMER_NIGHT = datetime(2030, 7, 16, 0, 0, 1, tzinfo=UTC)


def make_schedule(test: ListeningTest | None = None, at: datetime = EVENING, **fields: Any) -> TrainingSchedule:
    values = {"at": time(2, 0), "timezone": BERLIN, "least_new": 1, "preset": "small"} | fields
    with clock_at(at):
        return schedule_save(schedule=TrainingSchedule(test=test or make_test(), **values))


def outcome_of(schedule: TrainingSchedule, now: datetime = NIGHT) -> str:
    with clock_at(now):
        schedules_fire_due()
    schedule.refresh_from_db()
    return schedule.outcome


def task_of(schedule: TrainingSchedule) -> PeriodicTask:
    return PeriodicTask.objects.get(task=TASK, args=json.dumps([schedule.pk]))


@with_beat
def test_it_works() -> None:
    schedule = make_schedule(make_study(), least_new=RATINGS)
    beat = Beat(EVENING)
    assert [name for name, _ in beat.tick(NIGHT - timedelta(minutes=1))].count(TASK) == 0
    sent = [(name, arguments) for name, arguments in beat.tick(NIGHT) if name == TASK]
    assert sent == [(TASK, [schedule.pk])]
    carry_out(sent, NIGHT)

    run = TrainingRun.objects.get()
    schedule.refresh_from_db()
    assert (run.status, run.trigger, run.preset) == (RunStatus.QUEUED, RunTrigger.SCHEDULE, "small")
    assert schedule.outcome == f"Run {str(run.uuid)[:8]} was started, with {RATINGS} new ratings."
    assert (schedule.last_run, schedule.fired_at) == (run, NIGHT)
    assert [name for name, _ in beat.tick(NIGHT + timedelta(seconds=30))].count(TASK) == 0
    assert [name for name, _ in beat.tick(NIGHT + timedelta(days=1))].count(TASK) == 1


def test_delivered_twice_it_fires_once() -> None:
    schedule = make_schedule(make_study())
    runs = [schedule_fire(schedule_id=schedule.pk, now=NIGHT + timedelta(seconds=place)) for place in range(3)]

    assert [run is not None for run in runs] == [True, False, False]


def test_a_lost_message_is_made_up_for_by_the_look_of_every_minute() -> None:
    schedule = make_schedule(make_study())
    carry_out([("worker.tasks.look_at_calendar", [])], NIGHT + timedelta(minutes=1))

    assert outcome_of(schedule).startswith("Run ")
    assert TrainingRun.objects.count() == 1


def test_too_few_new_ratings_start_nothing() -> None:
    schedule = make_schedule(make_study(), least_new=RATINGS + 1)

    assert outcome_of(schedule) == "No run was started: 162 new ratings since the last run, and 163 are asked for."
    assert (schedule.last_run, TrainingRun.objects.count()) == (None, 0)


def test_the_next_night_counts_from_the_run_before() -> None:
    schedule = make_schedule(make_study())
    outcome_of(schedule)
    run_cancel(run=TrainingRun.objects.get())

    assert outcome_of(schedule, NIGHT + timedelta(days=1)) == (
        "No run was started: 0 new ratings since the last run, and 1 are asked for."
    )
    assert schedule.last_run == TrainingRun.objects.get()


def test_an_active_run_is_left_to_its_work() -> None:
    schedule = make_schedule(make_study())
    run, _ = run_request(test=schedule.test, trigger=RunTrigger.PERSON)

    assert outcome_of(schedule) == f"No run was started: run {str(run.uuid)[:8]} is queued already."
    assert TrainingRun.objects.count() == 1


def test_a_refusal_is_kept_with_its_sentence() -> None:
    schedule = make_schedule(make_study(n_heldout=5))

    assert outcome_of(schedule).startswith("No run was started: “")
    assert "5 rated pairs that are held out for measuring; training needs at least 30" in schedule.outcome


@with_beat
def test_out_of_force_it_does_not_fire() -> None:
    schedule = make_schedule(make_study(), is_enabled=False)

    assert (outcome_of(schedule), schedule_fire(schedule_id=schedule.pk, now=NIGHT)) == ("", None)
    assert not task_of(schedule).enabled
    assert [name for name, _ in Beat(EVENING).tick(NIGHT)].count(TASK) == 0


def test_a_night_that_was_missed_is_told_and_not_made_up_for_at_noon() -> None:
    schedule = make_schedule(make_study())

    assert outcome_of(schedule, NIGHT + timedelta(hours=10)) == (
        "No run was started: nobody was there to start it at 2030-01-16 01:00 UTC, nor for 4 hours after. The next "
        "night counts; see that beat and the workers run."
    )
    assert not TrainingRun.objects.exists()


@with_beat
def test_a_time_of_day_that_is_passed_waits_for_tomorrow() -> None:
    schedule = make_schedule(make_study(), at=NIGHT + timedelta(hours=1))

    assert outcome_of(schedule, NIGHT + timedelta(hours=2)) == ""
    beat = Beat(NIGHT + timedelta(hours=1, minutes=1))
    assert [name for name, _ in beat.tick(NIGHT + timedelta(hours=2))].count(TASK) == 0


@with_beat
@pytest.mark.parametrize("night", [NIGHT, SUMMER_NIGHT], ids=["winter", "summer"])
def test_the_time_of_day_is_that_of_its_time_zone(night: datetime) -> None:
    schedule = make_schedule(at=night - timedelta(hours=5))

    assert schedule.last_due(night) == night.replace(second=0)
    assert schedule.next_due(night) == night.replace(second=0) + timedelta(days=1)
    assert [name for name, _ in Beat(night - timedelta(hours=5)).tick(night)].count(TASK) == 1


def test_clocks_that_jump() -> None:
    schedule = make_schedule(**{"at": EVENING}, timezone=BERLIN)
    schedule.at = time(2, 30)
    spring, autumn = datetime(2030, 3, 31, 12, tzinfo=UTC), datetime(2030, 10, 27, 12, tzinfo=UTC)

    assert schedule.last_due(spring) == datetime(2030, 3, 31, 1, 30, tzinfo=UTC)
    assert schedule.last_due(autumn) == datetime(2030, 10, 27, 0, 30, tzinfo=UTC)


def test_beat_knows_a_schedule_as_it_is_now() -> None:
    schedule = make_schedule()
    schedule.at, schedule.timezone = time(3, 15), ZoneInfo("Asia/Tokyo")
    schedule_save(schedule=schedule)

    task = task_of(schedule)
    assert (task.crontab.minute, task.crontab.hour, str(task.crontab.timezone)) == ("15", "3", "Asia/Tokyo")
    assert (PeriodicTask.objects.count(), CrontabSchedule.objects.count()) == (1, 1)


def test_a_deleted_schedule_is_forgotten() -> None:
    schedule = make_schedule()
    schedule_delete(schedule=schedule)

    assert not PeriodicTask.objects.exists() and not CrontabSchedule.objects.exists()


def test_what_went_with_its_test_is_forgotten_when_its_time_comes() -> None:
    schedule = make_schedule()
    key = schedule.pk
    TrainingSchedule.objects.all().delete()

    assert schedule_fire(schedule_id=key, now=NIGHT) is None
    assert not PeriodicTask.objects.exists()


@with_beat
def test_beat_sets_its_rows_right_when_it_starts() -> None:
    kept, gone = make_schedule(), make_schedule()
    TrainingSchedule.objects.filter(pk=gone.pk).delete()
    task_of(kept).delete()
    hourly = CrontabSchedule.objects.create(minute="0")
    PeriodicTask.objects.create(name="of-an-old-version", task="worker.tasks.no_more", crontab=hourly)
    PeriodicTask.objects.create(name="somebody's own", task="other.tasks.one", crontab=hourly)
    Beat(EVENING)

    names = set(PeriodicTask.objects.values_list("name", flat=True))
    assert names == {*app.conf.beat_schedule, f"train-on-schedule-{kept.pk}", "somebody's own"}
    schedules_tell_beat()
    assert PeriodicTask.objects.filter(task=TASK).count() == 1


@with_beat
def test_fixed_looks_are_sent_and_when_is_kept() -> None:
    beat = Beat(EVENING)
    names = [name for name, _ in beat.tick(EVENING + timedelta(minutes=1))]

    assert names.count("worker.tasks.look_at_calendar") == 1
    assert PeriodicTask.objects.get(name="look-at-calendar").last_run_at == EVENING + timedelta(minutes=1)
    assert app.conf.beat_schedule["look-at-calendar"]["schedule"] == crontab()


@pytest.fixture
def chief(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("chief"))
    return client


ADD = "admin:worker_trainingschedule_add"


def form_of(test: ListeningTest, **fields: object) -> dict[str, object]:
    values = {"test": test.pk, "at": "02:00", "timezone": "Europe/Berlin", "least_new": 50, "preset": ""}
    return values | {"is_enabled": "on"} | fields


def test_in_the_admin_it_is_made_changed_and_deleted(chief: Client) -> None:
    test = make_test(title="Rain")
    assert chief.get(reverse(ADD)).status_code == 200
    assert chief.post(reverse(ADD), form_of(test)).status_code == 302
    schedule = TrainingSchedule.objects.get()
    assert (schedule.at, str(schedule.timezone), schedule.least_new) == (time(2), "Europe/Berlin", 50)
    assert task_of(schedule).enabled

    change = reverse("admin:worker_trainingschedule_change", args=[schedule.pk])
    assert chief.post(change, form_of(test, at="04:30", is_enabled="")).status_code == 302
    assert (task_of(schedule).crontab.hour, task_of(schedule).enabled) == ("4", False)
    assert "04:30 Europe/Berlin" in chief.get(reverse("admin:worker_trainingschedule_changelist")).text

    delete = reverse("admin:worker_trainingschedule_delete", args=[schedule.pk])
    assert chief.post(delete, {"post": "yes"}).status_code == 302
    assert not TrainingSchedule.objects.exists() and not PeriodicTask.objects.exists()


def test_several_are_deleted_at_once(chief: Client) -> None:
    keys = [make_schedule().pk for _ in range(2)]
    chief.post(
        reverse("admin:worker_trainingschedule_changelist"),
        {"action": "delete_selected", "_selected_action": keys, "post": "yes"},
    )
    assert not TrainingSchedule.objects.exists() and not PeriodicTask.objects.exists()


def test_the_time_zone_of_the_last_one_is_offered(chief: Client) -> None:
    make_schedule(timezone=ZoneInfo("Asia/Tokyo"))

    assert '<option value="Asia/Tokyo" selected>' in chief.get(reverse(ADD)).text


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("timezone", "Europe/Nowhere", "Select a valid choice"),
        ("at", "26:00", "Enter a valid time."),
        ("least_new", 0, "Ensure this value is greater than or equal to 1."),
    ],
)
def test_what_is_no_schedule_is_refused(chief: Client, field: str, value: object, sentence: str) -> None:
    page = chief.post(reverse(ADD), form_of(make_test(), **{field: value}))

    assert sentence in page.text
    assert not TrainingSchedule.objects.exists() and not PeriodicTask.objects.exists()


def test_beats_own_rows_are_seen_and_not_changed(chief: Client) -> None:
    schedule = make_schedule()
    task = task_of(schedule)
    change = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])

    assert TASK in chief.get(reverse("admin:django_celery_beat_periodictask_changelist")).text
    assert chief.get(change).status_code == 200
    assert chief.post(change, {"name": "mine"}).status_code == 403
    assert chief.get(reverse("admin:django_celery_beat_periodictask_add")).status_code == 403
    assert "/django_celery_beat/crontabschedule/" not in chief.get(reverse("admin:index")).text


@pytest.mark.parametrize(("role", "status"), [(Role.ANALYST, 200), (Role.ASSISTANT, 403)])
def test_roles_decide(client: Client, role: str, status: int) -> None:
    schedule = make_schedule()
    member = User.objects.create_user("member", is_staff=True)
    Member.objects.create(test=schedule.test, user=member, role=role)
    client.force_login(member)

    assert client.get(reverse(ADD)).status_code == status
    assert client.get(reverse("admin:django_celery_beat_periodictask_changelist")).status_code == 403
