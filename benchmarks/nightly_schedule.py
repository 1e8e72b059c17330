"""A schedule made in the admin by a person at a browser fires, at a moved clock; the worker trains the demo's model, it
takes the untuned one's place, and the pages say so.

Fails where one of these does not happen. `EARMARK_SCREENSHOTS=FOLDER` keeps a picture of every page.
"""

import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import django
from playwright.sync_api import Page, expect

from benchmarks.browser_rater import chromium
from benchmarks.installation import Installation

if TYPE_CHECKING:
    from worker.models import TrainingRun

LONGEST_S = 1800.0
LONGEST_PAGE_MS = 60_000
PAUSE_S = 0.5
DEMO = "demo"


def sign_in(page: Page, installation: Installation) -> None:
    page.goto(f"{installation.site}/admin/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill((installation.home / "first_password").read_text().strip())
    page.get_by_role("button", name="Log in").click()


def make_schedule(page: Page, site: str, *, test: str, time_of_day: str, time_zone: str, least_new: int) -> None:
    """What a researcher does in the admin."""
    page.goto(f"{site}/admin/worker/trainingschedule/add/")
    page.locator("#id_test").select_option(label=test)
    page.locator("#id_at").fill(time_of_day)
    page.locator("#id_timezone").select_option(time_zone)
    page.locator("#id_least_new").fill(str(least_new))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()


def fire(schedule_moment: datetime) -> "TrainingRun":
    """The run that beat and a worker begin when the clock shows that moment."""
    from benchmarks.moved_clock import Beat, carry_out
    from worker.models import TrainingRun
    from worker.schedules import TASK

    beat = Beat(schedule_moment - timedelta(hours=1))
    sent = [(name, arguments) for name, arguments in beat.tick(schedule_moment) if name == TASK]
    if len(sent) != 1:
        raise RuntimeError(f"Beat sent {sent} at {schedule_moment}.")
    carry_out(sent, schedule_moment)
    return TrainingRun.objects.get()


def wait_for(run: "TrainingRun") -> None:
    over = time.monotonic() + LONGEST_S
    while run.is_active:
        if time.monotonic() > over:
            raise TimeoutError(f"{run} is {run.status} still.")
        time.sleep(PAUSE_S)
        run.refresh_from_db()


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("EARMARK_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def walk(installation: Installation, page: Page) -> None:
    from listening_tests.models import ListeningTest
    from worker.models import RunTrigger, TrainingSchedule

    test = ListeningTest.objects.get(slug=DEMO)
    sign_in(page, installation)
    make_schedule(
        page, installation.site, test=str(test), time_of_day="02:00", time_zone="Europe/Berlin", least_new=100
    )
    schedule = TrainingSchedule.objects.get()
    run = fire(schedule.next_due(datetime.now(UTC)) + timedelta(seconds=1))
    told = run.created_at
    wait_for(run)
    if run.status != "done" or run.trigger != RunTrigger.SCHEDULE:
        raise RuntimeError(f"{run} is {run.status}: {run.message}")
    challenge = run.model_version.challenge
    sys.stdout.write(
        f"Fired at {told:%Y-%m-%d %H:%M} UTC by a moved clock; {run.n_heldout} held-out pairs, SRCC better by "
        f"{challenge.difference:.3f} ({challenge.low:.3f} to {challenge.high:.3f}), verdict: {challenge.verdict}\n"
    )
    page.goto(f"{installation.site}/admin/worker/trainingschedule/")
    expect(page.get_by_text(f"Run {str(run.uuid)[:8]} was started, with")).to_be_visible()
    picture(page, "schedules")
    page.goto(f"{installation.site}/dashboard/tests/{DEMO}/models/")
    expect(page.get_by_text("In use").first).to_be_visible()
    expect(page.get_by_text(run.model_version.weights_sha256[:12]).first).to_be_visible()
    picture(page, "models")
    page.goto(f"{installation.site}/dashboard/runs/{run.uuid}/")
    expect(page.get_by_text(f"{challenge.difference:.2f}").first).to_be_visible()
    picture(page, "run")
    if run.model_version.promotions.count() != 1:
        raise RuntimeError("The run's model was not put in use.")


def main() -> int:
    installation = Installation(Path(os.environ["EARMARK_HOME"]))
    installation.manage("prepare")
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    installation.start()
    try:
        django.setup()
        with chromium() as browser:
            page = browser.new_page()
            page.set_default_timeout(LONGEST_PAGE_MS)
            walk(installation, page)
    finally:
        installation.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
