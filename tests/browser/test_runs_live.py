"""A run that is watched while it trains, the form that starts one, and the queue, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from modeling.results import MeasuredPoint
from tests.browser.conftest import OpenPage
from tests.factories import make_test
from tests.webapp.factories import make_run, make_running_run, make_trainable_test
from worker.models import RunStatus, TrainingRun, WorkerSign
from worker.run_log import run_log_add
from worker.run_points import points_store

pytestmark = pytest.mark.django_db(transaction=True)

STALE = "The server does not answer just now"
_COURSE = """() => echarts.getInstanceByDom(document.querySelector("[data-chart=course]")).getOption()
    .series.map((each) => each.data)"""


def measured(run: TrainingRun, step: int, epoch: int, loss: float, validation: float | None = None) -> None:
    points_store(run_id=run.pk, points=[MeasuredPoint(step, 9, epoch, 3, loss, validation)])


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_the_course_is_drawn_as_it_comes(open_as_staff: OpenPage) -> None:
    run = make_running_run(make_test())
    measured(run, 1, 0, 1.5)
    run_log_add(run_id=run.pk, text="Trains.")
    page = open_as_staff(f"/dashboard/runs/{run.uuid}/")
    expect(page.locator("[data-chart=course] canvas")).to_be_visible()
    assert page.evaluate(_COURSE) == [[[1, 1.5]], []]
    page.evaluate("window.chart = document.querySelector('[data-chart=course] canvas')")

    measured(run, 3, 1, 0.75, 0.375)
    run_log_add(run_id=run.pk, text="After epoch 1 of 3.")

    expect(page.get_by_text("After epoch 1 of 3.")).to_be_visible()
    page.get_by_text("The numbers after each epoch as a table").click()
    expect(page.get_by_role("cell", name="0.375")).to_be_visible()
    assert page.evaluate(_COURSE) == [[[1, 1.5], [3, 0.75]], [[3, 0.375]]]
    # The very chart, and a table that somebody has opened stays open.
    run_log_add(run_id=run.pk, text="Embeds clips.")
    expect(page.get_by_text("Embeds clips.")).to_be_visible()
    expect(page.get_by_role("cell", name="0.375")).to_be_visible()
    assert page.evaluate("window.chart.isConnected")

    TrainingRun.objects.filter(pk=run.pk).update(status=RunStatus.CANCELLED, finished_at=timezone.now())

    expect(page.get_by_text("The run was cancelled.")).to_be_visible()
    expect(page.locator("[data-look]")).to_have_count(0)
    expect(page.locator("[data-chart=course] canvas")).to_be_visible()


def test_a_lost_connection_is_told_asked_about_less_often_and_found_again(open_as_staff: OpenPage) -> None:
    run = make_running_run(make_test(), step=120)
    page = open_as_staff("/dashboard/queue/")
    page.clock.install()
    page.goto(f"/dashboard/runs/{run.uuid}/")
    asked: list[str] = []

    def refuse(route: object) -> None:
        asked.append("")
        route.abort()  # type: ignore[attr-defined]

    page.route("**/live/", refuse)
    for wait_s in (2, 4, 8):
        before = len(asked)
        page.clock.run_for(wait_s * 1000 - 500)
        assert len(asked) == before
        with page.expect_event("requestfailed"):
            page.clock.run_for(1000)
        expect(page.get_by_text(STALE)).to_be_visible()
        assert len(asked) == before + 1
        page.clock.run_for(0)

    page.unroute("**/live/")
    TrainingRun.objects.filter(pk=run.pk).update(step=300)
    page.evaluate("window.dispatchEvent(new Event('online'))")

    expect(page.get_by_role("progressbar")).to_have_attribute("value", "300")
    expect(page.get_by_text(STALE)).to_be_hidden()


@pytest.mark.parametrize("options", [{"viewport": {"width": 360, "height": 640}}, {"color_scheme": "dark"}])
def test_the_pages_of_runs_fit_and_have_no_violation(open_as_staff: OpenPage, options: dict[str, object]) -> None:
    test = make_trainable_test(title="Sounds of rain that have a rather long name")
    page = open_as_staff(f"/dashboard/tests/{test.slug}/train/", **options)
    page.get_by_label("Epochs at most").fill("0")
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_text("epochs must be a whole number from 1 to 1000, not 0.")).to_be_visible()
    assert fits(page)
    assert Axe().run(page).response["violations"] == []
    page.get_by_label("Epochs at most").fill("3")
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_role("heading", name="In the queue")).to_be_visible()
    assert TrainingRun.objects.get().config["epochs"] == 3

    now = timezone.now()
    WorkerSign.objects.create(name="gpu@bench", host="bench:41", queues="gpu", started_at=now, seen_at=now)
    running = make_running_run(make_test(), host="a-host-with-a-long-name.example.org:12345", device="NVIDIA H200")
    make_run(make_test(), RunStatus.QUEUED)
    page.goto("/dashboard/queue/")
    expect(page.get_by_role("heading", name="Runs that wait")).to_be_visible()
    assert fits(page)
    assert Axe().run(page).response["violations"] == []

    measured(running, 1, 0, 1.5)
    measured(running, 3, 1, 0.75, 0.375)
    run_log_add(
        run_id=running.pk, text="The checkpoint " + "/a/long/path" * 20 + " cannot be written.", is_warning=True
    )
    page.goto(f"/dashboard/runs/{running.uuid}/")
    expect(page.locator("[data-chart=course] canvas")).to_be_visible()
    assert fits(page)
    assert Axe().run(page).response["violations"] == []
