"""The training loop in the admin: what happened is seen and never changed."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import WithdrawnRatings
from listening_tests.models import Rater, Withdrawal
from tests.factories import make_test
from tests.webapp.factories import make_done_run
from tests.worker.studies import make_study, queued_run
from worker.models import TrainingPlan, TrainingSchedule
from worker.schedules import schedule_save

pytestmark = pytest.mark.django_db


@pytest.fixture
def chief(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("chief"))
    return client


def test_it_works(chief: Client) -> None:
    run = queued_run(make_study(title="Rain"))
    page = chief.get(reverse("admin:worker_trainingrun_changelist"))

    assert str(run.uuid) in page.text
    assert "_selected_action" not in page.text


@pytest.mark.parametrize("table", ["trainingrun", "datasetsnapshot", "modelversion"])
def test_nothing_is_added(chief: Client, table: str) -> None:
    assert chief.get(reverse(f"admin:worker_{table}_changelist")).status_code == 200
    assert chief.get(reverse(f"admin:worker_{table}_add")).status_code == 403


@pytest.mark.parametrize("table", ["datasetsnapshot", "modelversion"])
def test_what_used_withdrawn_ratings_is_marked(chief: Client, table: str) -> None:
    test = make_test()
    run = make_done_run(test)
    row = run.snapshot if table == "datasetsnapshot" else run.model_version
    pages = reverse(f"admin:worker_{table}_changelist"), reverse(f"admin:worker_{table}_change", args=[row.pk])
    assert not [page for page in pages if "withdrew" in chief.get(page).text]
    Withdrawal.objects.create(
        test=test,
        rater=Rater.objects.create(),
        treatment=WithdrawnRatings.EXCLUDE,
        n_ratings=3,
        first_rated_at=timezone.now() - timedelta(days=1),
    )

    for page in pages:
        assert (
            f"Ratings of 1 rater who withdrew on {timezone.now():%Y-%m-%d} were used here. "
            "Retrain to have a model without them."
        ) in chief.get(page).text


@pytest.mark.parametrize("table", ["datasetsnapshot", "modelversion"])
def test_marks_need_no_queries_of_their_own(
    chief: Client, table: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        make_done_run(make_test())
    with django_assert_max_num_queries(5):
        assert chief.get(reverse(f"admin:worker_{table}_changelist")).status_code == 200


LISTS = {"trainingplan": 6, "trainingrun": 5, "trainingschedule": 6, "datasetsnapshot": 5, "modelversion": 5}


@pytest.mark.parametrize("table", LISTS)
def test_lists_ask_as_often_however_long_they_are(
    chief: Client, table: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(6):
        test = make_test()
        make_done_run(test)
        TrainingPlan.objects.create(test=test)
        schedule_save(schedule=TrainingSchedule(test=test, at=time(2), timezone=ZoneInfo("UTC"), least_new=1))
    chief.get(reverse(f"admin:worker_{table}_changelist"))
    with django_assert_max_num_queries(LISTS[table]):
        page = chief.get(reverse(f"admin:worker_{table}_changelist"))
    assert page.context["cl"].result_count == 6


def test_the_list_of_what_beat_sends_asks_as_often_however_long_it_is(
    chief: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(6):
        schedule_save(schedule=TrainingSchedule(test=make_test(), at=time(2), timezone=ZoneInfo("UTC"), least_new=1))
    with django_assert_max_num_queries(5):
        page = chief.get(reverse("admin:django_celery_beat_periodictask_changelist"))
    assert page.context["cl"].result_count == 6


def test_a_run_is_not_changed(chief: Client) -> None:
    run = queued_run(make_study())
    assert chief.post(reverse("admin:worker_trainingrun_change", args=[run.pk]), {"status": "done"}).status_code == 403
    assert chief.post(reverse("admin:worker_trainingrun_delete", args=[run.pk]), {"post": "yes"}).status_code == 403

    run.refresh_from_db()
    assert run.status == "queued"
