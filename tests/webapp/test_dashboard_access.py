"""The dashboard is for staff alone."""

from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from listening_tests.choices import Role
from tests.factories import make_test
from tests.webapp.factories import make_member, make_run
from worker.models import RunStatus, TrainingRun

PAGES = [
    ("test_list", []),
    ("test_page", ["a-test"]),
    ("test_runs", ["a-test"]),
    ("live", ["a-test"]),
    ("live_part", ["a-test"]),
    ("rater_list", ["a-test"]),
    ("rater_page", ["a-test", uuid4()]),
    ("pair_list", ["a-test"]),
    ("pair_page", ["a-test", uuid4()]),
    ("trial_page", ["a-test", uuid4()]),
    ("runs_page", []),
    ("runs_live", []),
    ("run_page", [uuid4()]),
    ("run_live", [uuid4()]),
    ("scores_page", ["a-test"]),
    ("scores_live", ["a-test"]),
    ("scoring_table", ["a-test", uuid4()]),
    ("clip_audio", [uuid4()]),
    ("clip_waveform", [uuid4()]),
    ("clip_list", ["a-test"]),
    ("clip_page", ["a-test", uuid4()]),
    ("clip_upload", ["a-test"]),
    ("clip_import", ["a-test", uuid4()]),
    ("clip_import_live", ["a-test", uuid4()]),
    ("models_page", ["a-test"]),
    ("model_page", ["a-test", uuid4()]),
    ("model_file", ["a-test", uuid4(), "model.safetensors"]),
    ("snapshot_page", ["a-test", uuid4()]),
    ("snapshot_file", ["a-test", uuid4(), "ratings.jsonl"]),
    ("withdrawals", ["a-test"]),
    ("screening_worth", ["a-test"]),
    ("screening_worth_live", ["a-test"]),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "args"), PAGES)
def test_who_has_not_signed_in_is_sent_to_do_so(client: Client, name: str, args: list[object]) -> None:
    url = reverse(f"dashboard:{name}", args=args)

    response = client.get(url)

    assert response.status_code == 302
    assert response.url == f"/admin/login/?next={url}"


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "args"), PAGES)
def test_who_is_no_staff_is_refused(client: Client, name: str, args: list[object]) -> None:
    client.force_login(get_user_model().objects.create_user("rater", password="correct horse"))

    assert client.get(reverse(f"dashboard:{name}", args=args)).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_nobody_but_staff_starts_or_cancels_runs(client: Client, is_signed_in: bool) -> None:
    if is_signed_in:
        client.force_login(get_user_model().objects.create_user("rater", password="correct horse"))
    run = make_run(make_test(), RunStatus.QUEUED)

    started = client.post(reverse("dashboard:retrain", args=[make_test().slug]))
    cancelled = client.post(reverse("dashboard:run_cancel", args=[run.uuid]))

    assert {started.status_code, cancelled.status_code} == ({403} if is_signed_in else {302})
    assert TrainingRun.objects.get().status == RunStatus.QUEUED


@pytest.mark.django_db
def test_a_test_is_found_by_its_members_alone(client: Client) -> None:
    test = make_test()
    url = reverse("dashboard:test_page", args=[test.slug])
    client.force_login(make_member(test, Role.ANALYST))
    assert client.get(url).status_code == 200
    client.force_login(make_member(make_test(), username="stranger"))
    assert client.get(url).status_code == 404
    assert client.post(reverse("dashboard:retrain", args=[test.slug])).status_code == 404


@pytest.mark.django_db
def test_an_assistant_does_not_retrain(client: Client) -> None:
    test = make_test()
    client.force_login(make_member(test, Role.ASSISTANT))
    assert client.post(reverse("dashboard:retrain", args=[test.slug])).status_code == 403
    assert not TrainingRun.objects.exists()


@pytest.mark.django_db
def test_after_signing_in_a_post_is_not_repeated_as_a_page(client: Client) -> None:
    response = client.post(reverse("dashboard:retrain", args=["a-test"]))

    assert response.url == "/admin/login/?next=/dashboard/"


@pytest.mark.django_db
def test_a_live_part_whose_sign_in_has_ended_loads_its_page_anew(client: Client) -> None:
    response = client.get(reverse("dashboard:runs_live"), headers={"HX-Request": "true"})

    assert response.status_code == 401
    assert response.headers["HX-Refresh"] == "true"


def test_pages_stay_out_of_shared_caches(staff: Client) -> None:
    assert "private" in staff.get(reverse("dashboard:test_list")).headers["Cache-Control"]


def test_what_does_not_exist_is_not_found(staff: Client) -> None:
    for name, args in PAGES:
        if args:
            assert staff.get(reverse(f"dashboard:{name}", args=args)).status_code == 404


def test_the_front_door_leads_to_the_tests(staff: Client) -> None:
    response = staff.get("/", follow=True)

    assert response.redirect_chain == [("/dashboard/", 302)]
