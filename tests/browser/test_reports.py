"""Reports as they are looked at: on a phone, a tablet and a desk, light and dark, in print, and as a file of their own.

`EARMARK_SCREENSHOTS=FOLDER` keeps a picture of each.
"""

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect

from listening_tests.models import ListeningTest
from tests.browser.conftest import OpenPage
from tests.factories import make_test
from tests.webapp.reports import make_measured_run
from worker.models import Promotion, PromotionTrigger, TrainingRun

pytestmark = pytest.mark.django_db(transaction=True)
LOOKS = ((360, "light"), (768, "dark"), (1280, "light"), (1280, "dark"))


@pytest.fixture
def staff(client: Client, signed_in: dict[str, object]) -> Client:
    return client


@pytest.fixture
def page(open_as_staff: OpenPage) -> Page:
    return open_as_staff("/dashboard/runs/")


@pytest.fixture
def runs(transactional_db: None) -> list[TrainingRun]:
    """Three runs of a test on more and more ratings, the second in use when the third ended."""
    test: ListeningTest = make_test(is_simulated=True, title="Rain, wind and a <b>bell</b>")
    made = [make_measured_run(test, 600, sd=0.3), make_measured_run(test, 1_500, sd=0.26)]
    Promotion.objects.create(
        test=test, question="relevance", version=made[1].model_version, trigger=PromotionTrigger.PERSON, reason="Best."
    )
    return [*made, make_measured_run(test, 3_000, sd=0.16)]


def look(page: Page, name: str) -> None:
    """Nothing overflows, no picture is missing, and axe finds nothing, at any width and in any scheme."""
    for width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for picture in page.locator("img").all():
            picture.scroll_into_view_if_needed()
            expect(picture).to_have_js_property("complete", True)
            assert picture.evaluate("image => image.naturalWidth") > 0
        keep(page, f"{name}-{width}-{scheme}")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    found = Axe().run(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


def keep(page: Page, name: str) -> None:
    folder = os.environ.get("EARMARK_SCREENSHOTS")
    if folder:
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def print_out(page: Page, name: str) -> None:
    """On paper nothing is dark, whatever the screen is."""
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 794, "height": 1123})
    keep(page, f"{name}-print")
    paper = page.pdf(format="A4", print_background=True)
    assert paper.startswith(b"%PDF")
    if "EARMARK_SCREENSHOTS" in os.environ:
        (Path(os.environ["EARMARK_SCREENSHOTS"]) / f"{name}.pdf").write_bytes(paper)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = page.evaluate("getComputedStyle(document.querySelector('h1')).color")
    assert (ground, ink) == ("rgb(255, 255, 255)", "rgb(29, 35, 39)")


def test_a_run_s_report_on_every_screen_and_on_paper(page: Page, runs: list[TrainingRun]) -> None:
    page.goto(reverse("dashboard:run_page", args=[runs[-1].uuid]))
    expect(page.get_by_text("Against the champion of the day")).to_be_visible()
    look(page, "run")
    print_out(page, "run")


def test_a_test_s_report_on_every_screen_and_on_paper(page: Page, runs: list[TrainingRun]) -> None:
    page.goto(reverse("dashboard:report_page", args=[runs[0].test.slug]))
    expect(page.get_by_text("1,000 more ratings would raise the held-out SRCC by")).to_be_visible()
    look(page, "test")
    print_out(page, "test")


@pytest.mark.parametrize("name", ["run", "test"])
def test_the_file_is_whole_without_a_server(
    page: Page, staff: Client, runs: list[TrainingRun], tmp_path: Path, name: str
) -> None:
    of_run, of_test = (
        reverse("dashboard:run_report_html", args=[runs[-1].uuid]),
        reverse("dashboard:test_report_html", args=[runs[0].test.slug]),
    )
    file = tmp_path / "report.html"
    file.write_bytes(staff.get(of_run if name == "run" else of_test).content)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(file.as_uri())

    expect(page.get_by_role("heading", level=1)).to_contain_text("Rain, wind and a <b>bell</b>")
    expect(page.get_by_role("img")).to_have_count(4 if name == "run" else 1)
    look(page, f"file-of-{name}")
    print_out(page, f"file-of-{name}")
    assert asked == [file.as_uri()]


def test_one_press_makes_a_follow_up_test(page: Page, runs: list[TrainingRun]) -> None:
    page.goto(reverse("dashboard:run_page", args=[runs[-1].uuid]))
    page.get_by_role("button", name="Make a follow-up test of").click()

    expect(page.get_by_role("heading", name="Follow-up of Rain, wind and a <b>bell</b>")).to_be_visible()
    page.goto(reverse("dashboard:run_pairs", args=[runs[-1].uuid]))
    look(page, "pairs")
