"""The queue page: what waits and why, what runs and where, who takes it; also while the broker is away."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import ClipImportStatus, PilotStatus
from listening_tests.models import ClipImport
from listening_tests.services.pilots import pilot_make
from tests.factories import make_pair, make_test
from tests.webapp.factories import make_member, make_run, make_running_run
from worker.hosts import LOST_AFTER
from worker.models import ComputedResults, RunStatus, ScreeningState, ScreeningWorth, TrainingRun, WorkerSign

pytestmark = pytest.mark.django_db
QUEUE_URL = "/dashboard/queue/"
BROKER_AWAY = "The broker cannot be reached just now"
NO_GPU_WORKER = "No worker is listening on the queue <strong>gpu</strong>: no run begins."


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that answers; in tests there is none."""
    monkeypatch.setattr("worker.queue_looks.broker_answers", lambda: True)


def make_worker(name: str, queues: str, **columns: object) -> WorkerSign:
    now = timezone.now()
    values = {"host": "bench:41", "started_at": now - timedelta(hours=2), "seen_at": now}
    return WorkerSign.objects.create(name=name, queues=queues, **values | columns)


def waits_of(response: object) -> list[str]:
    return [line.words for line in response.context["waiting"]]  # type: ignore[attr-defined]


def test_it_works(staff: Client, broker: None) -> None:
    make_worker("gpu@bench", "gpu")
    make_worker("default@bench", "default")
    running = make_running_run(make_test(title="Sounds of rain"), host="bench:42", device="NVIDIA H200")
    TrainingRun.objects.filter(pk=running.pk).update(created_at=timezone.now() - timedelta(minutes=5))
    running.refresh_from_db()
    waiting = [make_run(make_test(), RunStatus.QUEUED), make_run(make_test(), RunStatus.QUEUED)]

    response = staff.get(QUEUE_URL)

    assert [line.run for line in response.context["running"]] == [running]
    assert [line.run for line in response.context["waiting"]] == waiting
    since = f"{running.started_at:%Y-%m-%d %H:%M}"
    reason = f"Waits for the GPU: run {running.uuid.hex[:8]} of “Sounds of rain” is on bench:42 since {since} UTC."
    assert waits_of(response) == [reason, f"{reason} 1 queued run comes before it."]
    for shown in ("bench:42", "NVIDIA H200", 'value="120" max="400"', "gpu@bench", "default@bench"):
        assert shown in response.text
    assert BROKER_AWAY not in response.text
    assert "No worker is listening" not in response.text


def test_an_empty_queue_says_so(staff: Client) -> None:
    text = staff.get(QUEUE_URL).text

    for told in ("No run trains just now.", "No run waits.", "Nothing else is on its way."):
        assert told in text
    assert "No worker has been heard of within a day." in text
    assert NO_GPU_WORKER in text


def test_with_the_broker_away_it_says_so_and_shows_what_there_is(staff: Client) -> None:
    make_worker("gpu@bench", "gpu")
    make_run(make_test(), RunStatus.QUEUED)
    make_run(make_test(), RunStatus.QUEUED)

    response = staff.get(QUEUE_URL)

    assert BROKER_AWAY in response.text
    assert waits_of(response) == [
        "The broker cannot be reached.",
        "The broker cannot be reached. 1 queued run comes before it.",
    ]


def test_a_free_worker_takes_the_first(staff: Client, broker: None) -> None:
    make_worker("gpu@bench", "gpu")
    make_worker("gpu@other", "gpu")
    running = make_running_run(make_test())
    TrainingRun.objects.filter(pk=running.pk).update(created_at=timezone.now() - timedelta(minutes=5))
    for _ in range(3):
        make_run(make_test(), RunStatus.QUEUED)

    assert waits_of(staff.get(QUEUE_URL)) == [
        "A worker takes it within moments.",
        "1 queued run comes before it.",
        "2 queued runs come before it.",
    ]


def test_without_a_worker_the_queue_is_unattended(staff: Client, broker: None) -> None:
    make_worker("gpu@bench", "gpu", seen_at=timezone.now() - 2 * LOST_AFTER)
    make_run(make_test(), RunStatus.QUEUED)

    response = staff.get(QUEUE_URL)

    assert waits_of(response) == ["No worker is listening on the queue gpu."]
    assert NO_GPU_WORKER in response.text
    assert "silent since" in response.text


def test_other_work_is_listed(staff: Client) -> None:
    test = make_test(title="Rain")
    ClipImport.objects.create(test=test, archive_name="a.zip", status=ClipImportStatus.RUNNING, host="bench:43")
    ComputedResults.objects.create(test=test, question=test.questions.get())
    ScreeningState.objects.create(test=test, asked_at=timezone.now())
    piloted = make_pair(make_test()).test
    pilot, _ = pilot_make(test=piloted, n_raters=2, n_careless=0)
    assert pilot.status == PilotStatus.QUEUED

    response = staff.get(QUEUE_URL)

    assert {(line.job.kind, line.job.status) for line in response.context["others"]} == {
        ("Upload of clips", "running"),
        ("Results", "queued"),
        ("Screening", "queued"),
        ("Simulated raters", "queued"),
    }
    assert "bench:43" in response.text


def test_scores_on_the_gpu_are_waited_for_too(staff: Client, broker: None) -> None:
    make_worker("gpu@bench", "gpu")
    ScreeningWorth.objects.create(test=make_test(title="Rain"), question="relevance", preset="small", status="running")
    make_run(make_test(), RunStatus.QUEUED)

    response = staff.get(QUEUE_URL)

    assert waits_of(response) == ["Waits for the GPU: it is at work for “Rain” (worth of rules)."]
    assert "on the GPU's queue" in response.text


def test_what_others_work_on_has_no_name(client: Client, broker: None) -> None:
    own = make_test(title="Sounds of mine")
    client.force_login(make_member(own))
    make_worker("gpu@bench", "gpu")
    running = make_running_run(make_test(title="Secret sounds"))
    waiting = make_run(own, RunStatus.QUEUED)

    response = client.get(QUEUE_URL)

    assert "Secret sounds" not in response.text
    assert f"/dashboard/runs/{running.uuid}/" not in response.text
    assert f"/dashboard/runs/{waiting.uuid}/" in response.text
    assert "a test that you do not work on" in response.text
    (words,) = waits_of(response)
    assert words.startswith("Waits for the GPU: a run of another test is on bench since")


def test_nobody_else_sees_it(client: Client) -> None:
    for address in (QUEUE_URL, f"{QUEUE_URL}live/"):
        assert client.get(address).status_code == 302


def test_the_live_part_is_a_part(staff: Client) -> None:
    response = staff.get(f"{QUEUE_URL}live/")

    assert "<html" not in response.text
    assert "no-store" in response.headers["Cache-Control"]


def test_the_number_of_jobs_does_not_change_the_number_of_queries(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in (1, 4):
        for number in range(n):
            make_worker(f"{n}{number}@bench", "gpu")
            make_running_run(make_test())
            make_run(make_test(), RunStatus.QUEUED)
            ClipImport.objects.create(test=make_test(), archive_name="a.zip")
        # Session and user; runs, workers, other work of six kinds, lost workers, the account's tests.
        with django_assert_num_queries(12):
            staff.get(QUEUE_URL)
