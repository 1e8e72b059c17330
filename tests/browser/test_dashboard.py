"""The researcher's pages in a real browser: Retrain, the live run, and a click on a point that plays its clip.

That no script failed and no content was refused by the site's policy is checked at the end of every test.
"""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from listening_tests.choices import TestKind
from listening_tests.models import ListeningTest
from tests.browser.conftest import DESK, OpenPage, make_tone
from tests.factories import make_caption, make_pair, make_test
from tests.sittings import answer_all, anything_in, make_test_of
from tests.webapp.factories import (
    make_done_run,
    make_prediction,
    make_rating,
    make_running_run,
    make_staff,
    make_trainable_test,
)
from worker.models import RunStatus, TrainingRun

pytestmark = pytest.mark.django_db(transaction=True)


def make_report() -> tuple[ListeningTest, TrainingRun]:
    """A finished run over two pairs that can be heard. The first was rated 9, the model says 0.2; the second agrees."""
    test = make_test(is_simulated=True)
    run = make_done_run(test)
    far = make_pair(
        test, clip=make_tone(hertz=440, duration_s=0.5), caption=make_caption("A <b>bell</b> rings & fades")
    )
    near = make_pair(test, clip=make_tone(hertz=220, duration_s=0.5), caption=make_caption("A low hum"))
    make_prediction(run, far, human_mean=9, n_ratings=6, base_cosine=0.1, tuned_cosine=0.25, tuned_score=2)
    make_prediction(run, near, human_mean=4, n_ratings=3, base_cosine=0.3, tuned_cosine=0.5, tuned_score=4)
    return test, run


def click_point(page: Page, cosine: float, human_mean: float) -> None:
    """Clicks where the scatter draws this pair."""
    place = page.evaluate(
        """([cosine, human]) => {
            const element = document.querySelector('[data-chart=scatter]');
            element.scrollIntoView({block: 'center'});
            const [x, y] = echarts.getInstanceByDom(element).convertToPixel('grid', [cosine, human]);
            const box = element.getBoundingClientRect();
            return [box.x + x, box.y + y];
        }""",
        [cosine, human_mean],
    )
    page.mouse.click(*place)


def expect_heard_to_its_end(page: Page, duration_s: float) -> None:
    audio = page.locator("#player audio")
    expect(audio).to_have_js_property("ended", True)
    assert audio.evaluate("audio => audio.duration") == pytest.approx(duration_s, abs=0.01)


def test_retrain_is_seen_queued_and_can_be_cancelled(open_as_staff: OpenPage) -> None:
    test = make_trainable_test()
    page = open_as_staff(f"/dashboard/tests/{test.slug}/")

    page.get_by_role("button", name="Retrain").dblclick()

    expect(page.get_by_role("heading", name="In the queue")).to_be_visible()
    run = TrainingRun.objects.get()
    expect(page).to_have_url(re.compile(f"/dashboard/runs/{run.uuid}/$"))

    page.get_by_role("button", name="Cancel the run").click()

    expect(page.get_by_text("Cancelled before it began.")).to_be_visible()
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


def test_a_run_is_followed_to_its_report_without_a_reload(open_as_staff: OpenPage) -> None:
    test, done = make_report()
    run = make_running_run(test, step=120, total_steps=400)
    page = open_as_staff(f"/dashboard/runs/{run.uuid}/")
    bar = page.get_by_role("progressbar")
    expect(bar).to_have_attribute("value", "120")
    page.evaluate("window.wasNotReloaded = true")
    page.get_by_role("button", name="Cancel the run").focus()

    TrainingRun.objects.filter(pk=run.pk).update(step=300, seconds_left=20)

    expect(bar).to_have_attribute("value", "300")
    expect(page.get_by_text("less than a minute")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel the run")).to_be_focused()

    done.metrics.update(run=run)
    done.predictions.update(run=run)
    TrainingRun.objects.filter(pk=run.pk).update(status=RunStatus.DONE, finished_at=done.finished_at)

    expect(page.get_by_text("Tuned model: SRCC better by 0.31")).to_be_visible()
    expect(bar).to_have_count(0)
    expect(page.locator("[data-chart=scatter] canvas")).to_be_visible()
    click_point(page, 0.25, 9)
    expect(page.locator("#player")).to_contain_text("A <b>bell</b> rings & fades")
    assert page.evaluate("window.wasNotReloaded")


def test_a_tests_page_stops_asking_once_no_run_is_on_its_way(open_as_staff: OpenPage) -> None:
    test = make_test()
    run = make_running_run(test, step=120, total_steps=400)
    page = open_as_staff(f"/dashboard/tests/{test.slug}/")
    expect(page.get_by_text("A run is on its way")).to_be_visible()
    bar = page.get_by_role("progressbar")
    TrainingRun.objects.filter(pk=run.pk).update(step=300)
    expect(bar).to_have_attribute("value", "300")

    TrainingRun.objects.filter(pk=run.pk).update(
        status=RunStatus.CANCELLED, finished_at=timezone.now(), message="Cancelled at step 310."
    )

    expect(page.get_by_text("Cancelled at step 310.")).to_be_visible()
    expect(page.get_by_text("A run is on its way")).to_have_count(0)
    expect(page.get_by_role("link", name="Change the plan")).to_have_count(1)
    expect(page.locator("[hx-get]")).to_have_count(0)


def test_a_click_on_a_point_plays_its_clip_and_shows_its_caption(open_as_staff: OpenPage) -> None:
    _, run = make_report()
    page = open_as_staff(f"/dashboard/runs/{run.uuid}/")
    player = page.locator("#player")
    expect(player).to_be_hidden()

    click_point(page, 0.25, 9)

    expect(player).to_contain_text("A <b>bell</b> rings & fades")
    expect(player).to_contain_text("9.0 of 10 (6 ratings)")
    expect_heard_to_its_end(page, duration_s=0.5)

    page.get_by_role("radio", name="Untuned").check()
    click_point(page, 0.3, 4)

    expect(player).to_contain_text("A low hum")
    expect(player).to_contain_text("4.0 of 10 (3 ratings)")


def test_the_keyboard_reaches_every_pair(open_as_staff: OpenPage) -> None:
    _, run = make_report()
    page = open_as_staff(f"/dashboard/runs/{run.uuid}/")
    first_row = page.locator("tr[data-pair]").first
    expect(first_row).to_contain_text("bell")

    page.get_by_role("button", name="Off by").press("Enter")
    expect(first_row).to_contain_text("A low hum")
    page.get_by_role("button", name="Play: A low hum").press("Enter")

    expect(page.locator("#player")).to_contain_text("A low hum")
    expect_heard_to_its_end(page, duration_s=0.5)


def test_a_clip_whose_file_is_gone_is_said_to_be_so(open_as_staff: OpenPage) -> None:
    _, run = make_report()
    clip = run.predictions.order_by("pk")[0].pair.clip
    clip.rendition.storage.delete(clip.rendition.name)
    page = open_as_staff(f"/dashboard/runs/{run.uuid}/")

    page.get_by_role("button", name="Play: A <b>bell</b>").click()

    expect(page.get_by_text("The clip could not be played.")).to_be_visible()


@pytest.mark.parametrize("options", [{"viewport": {"width": 360, "height": 640}}, {"color_scheme": "dark"}])
def test_every_chart_is_drawn_and_nothing_overflows(open_as_staff: OpenPage, options: dict[str, object]) -> None:
    test, run = make_report()
    make_rating(make_pair(test), 7)
    page = open_as_staff(f"/dashboard/tests/{test.slug}/", **options)
    expect(page.locator("[data-chart] canvas")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0

    page.goto(f"/dashboard/runs/{run.uuid}/")

    expect(page.locator("[data-chart] canvas")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


@pytest.mark.parametrize("options", [{"viewport": {"width": 320, "height": 640}}, {"color_scheme": "dark"}])
@pytest.mark.parametrize("kind", TestKind.values)
def test_every_kind_of_test_has_its_charts_and_a_question_is_chosen_by_keyboard(
    open_as_staff: OpenPage, kind: str, options: dict[str, object]
) -> None:
    test = make_test_of(kind, n_captions=2, systems=("one-of-a-long-name" * 3, "other"))
    test.questions.create(name="quality", prompt="How good is it?", scale_max=100, scale_step=0)
    answer_all(test, anything_in(kind))
    page = open_as_staff(f"/dashboard/tests/{test.slug}/", **options)
    switch = page.get_by_role("navigation", name="Question")
    expect(switch.get_by_role("link", name="relevance")).to_have_attribute("aria-current", "page")
    switch.get_by_role("link", name="quality").focus()
    page.keyboard.press("Enter")
    expect(switch.get_by_role("link", name="quality")).to_have_attribute("aria-current", "page")
    expect(page.get_by_text("How good is it?")).to_be_visible()
    expect(page.locator("[data-chart=counts] canvas")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert Axe().run(page).response["violations"] == []


def test_signing_in_leads_to_the_page_and_signing_out_ends_it(open_page: OpenPage) -> None:
    make_staff("researcher")
    page = open_page("/dashboard/runs/", **DESK)
    page.get_by_label("Username").fill("researcher")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.goto("/dashboard/runs/")

    expect(page).to_have_url(re.compile("/admin/login/"))


def test_a_live_page_whose_sign_in_has_ended_leads_to_the_sign_in(open_as_staff: OpenPage) -> None:
    page = open_as_staff("/dashboard/runs/")
    page.context.clear_cookies()

    expect(page).to_have_url(re.compile("/admin/login/"))
