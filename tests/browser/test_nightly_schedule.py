"""A schedule is made in the admin, fires at a moved clock, and what came of it stands on the pages."""

import dataclasses
from datetime import UTC, datetime, time, timedelta

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from benchmarks.moved_clock import Beat, carry_out
from benchmarks.nightly_schedule import make_schedule
from modeling.config import PRESETS
from tests.browser.conftest import PHONE, OpenPage
from tests.worker.studies import make_study
from worker import jobs
from worker.models import RunStatus, TrainingPlan, TrainingRun, TrainingSchedule, Verdict
from worker.schedules import TASK

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def one_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "small", dataclasses.replace(PRESETS["small"], epochs=1))


def test_it_works(open_as_staff: OpenPage, live_server: LiveServer) -> None:
    test = make_study(title="Rain at night")
    TrainingPlan.objects.create(test=test, preset="small", retrain_after=0)
    page = open_as_staff("/admin/")
    make_schedule(
        page, live_server.url, test="Rain at night", time_of_day="02:00", time_zone="Europe/Berlin", least_new=100
    )
    schedule = TrainingSchedule.objects.get()
    assert (schedule.at, str(schedule.timezone), schedule.least_new) == (time(2), "Europe/Berlin", 100)

    due = schedule.next_due(datetime.now(UTC))
    sent = [(name, told) for name, told in Beat(due - timedelta(hours=1)).tick(due) if name == TASK]
    carry_out(sent, due)
    run = TrainingRun.objects.get()
    jobs.run_execute(run_id=run.pk)

    run.refresh_from_db()
    assert run.status == RunStatus.DONE, run.message
    # Thirty held-out pairs promote nothing.
    assert run.model_version.challenge.verdict == Verdict.TOO_FEW
    page.goto("/admin/worker/trainingschedule/")
    expect(page.get_by_text(f"Run {str(run.uuid)[:8]} was started, with 162 new ratings.")).to_be_visible()
    page.goto(f"/dashboard/tests/{test.slug}/models/")
    expect(page.get_by_text(run.model_version.weights_sha256[:12]).first).to_be_visible()


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desk", "phone"])
def test_the_form_fits(open_as_staff: OpenPage, size: dict[str, object]) -> None:
    make_study(title="Rain at night")
    page = open_as_staff("/admin/worker/trainingschedule/add/", **size)

    expect(page.get_by_role("button", name="Save", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
