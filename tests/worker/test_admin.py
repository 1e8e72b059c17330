"""The training loop in the admin: what happened is seen and never changed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.worker.studies import make_study, queued_run

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


def test_a_run_is_not_changed(chief: Client) -> None:
    run = queued_run(make_study())
    assert chief.post(reverse("admin:worker_trainingrun_change", args=[run.pk]), {"status": "done"}).status_code == 403
    assert chief.post(reverse("admin:worker_trainingrun_delete", args=[run.pk]), {"post": "yes"}).status_code == 403

    run.refresh_from_db()
    assert run.status == "queued"
