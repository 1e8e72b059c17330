"""The queue, and a run's page in each of its states."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries, Settings

from listening_tests.choices import AuditedAction
from listening_tests.models import AuditEntry, Clip
from modeling.results import MeasuredPoint
from tests.factories import make_caption, make_pair, make_test
from tests.webapp.factories import make_done_run, make_prediction, make_run, make_running_run
from worker.models import MeasuredModel, Metric, MetricName, RunStatus, TrainingRun
from worker.run_log import run_log_add
from worker.run_points import points_store

RUNS_URL = "/dashboard/runs/"


def page_of(run: TrainingRun) -> str:
    return reverse("dashboard:run_page", args=[run.uuid])


def live_part_of(run: TrainingRun) -> str:
    return reverse("dashboard:run_live", args=[run.uuid])


def made_before(run: TrainingRun, minutes: int) -> None:
    TrainingRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=minutes))


def test_it_works(staff: Client) -> None:
    waiting, running = make_run(make_test(), RunStatus.QUEUED), make_running_run(make_test())
    ended = make_done_run(make_test())
    made_before(running, 5)

    response = staff.get(RUNS_URL)

    assert [line.run for line in response.context["queue"]] == [running, waiting]
    assert [line.run for line in response.context["recent"]] == [ended]
    assert "Training, step 120 of 400." in response.text
    assert 'value="120" max="400"' in response.text
    assert "Waits in the queue." in response.text
    assert "better by 0.31, 95 % interval 0.22 to 0.40." in response.text


def test_without_runs_the_page_says_so(staff: Client) -> None:
    text = staff.get(RUNS_URL).text

    assert "Nothing is queued or running." in text
    assert "No run has ended yet." in text


def test_the_number_of_runs_does_not_change_the_number_of_queries(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n_runs in (1, 4):
        for _ in range(n_runs):
            make_running_run(make_test())
            make_done_run(make_test())
        # Session and user; the queue, what ended.
        with django_assert_num_queries(4):
            staff.get(RUNS_URL)


def test_a_queued_run_says_how_many_are_ahead(staff: Client) -> None:
    made_before(make_running_run(make_test()), 5)
    run = make_run(make_test(), RunStatus.QUEUED, message="The queue cannot be reached just now.")

    text = staff.get(page_of(run)).text

    assert "1 run is ahead of this one." in text
    assert "The queue cannot be reached just now." in text
    assert f'hx-get="{live_part_of(run)}"' in text


def test_a_running_run_shows_how_far_it_is(staff: Client) -> None:
    run = make_running_run(make_test())

    response = staff.get(live_part_of(run))

    text = response.text
    assert 'value="120" max="400"' in text
    assert "120 of 400" in text
    assert "1.234" in text
    assert "about 2 minutes" in text
    assert "<html" not in text
    assert "HX-Reswap" not in response.headers
    assert "no-store" in response.headers["Cache-Control"]


def test_a_run_that_has_counted_no_steps_yet_shows_a_bar_without_an_end(staff: Client) -> None:
    run = make_run(make_test(), RunStatus.RUNNING, phase="snapshot")

    text = staff.get(live_part_of(run)).text

    assert "Freezing the ratings in a snapshot" in text
    assert "not counted yet" in text
    assert "no estimate yet" in text


def test_the_live_part_of_an_ended_run_takes_its_own_place(staff: Client) -> None:
    response = staff.get(live_part_of(make_done_run(make_test())))

    assert response.headers["HX-Reswap"] == "outerHTML"
    assert "better by 0.31" in strip_tags(response.text)


@pytest.mark.parametrize(
    ("status", "after"), [(RunStatus.QUEUED, RunStatus.CANCELLED), (RunStatus.RUNNING, RunStatus.CANCELLING)]
)
def test_a_run_on_its_way_can_be_cancelled_any_number_of_times(staff: Client, status: str, after: str) -> None:
    run = make_run(make_test(), status)
    cancel_url = reverse("dashboard:run_cancel", args=[run.uuid])
    assert cancel_url in staff.get(page_of(run)).text

    responses = [staff.post(cancel_url), staff.post(cancel_url)]

    run.refresh_from_db()
    assert run.status == after
    assert [(response.status_code, response.url) for response in responses] == [(303, page_of(run))] * 2
    assert cancel_url not in staff.get(page_of(run)).text


def test_a_run_that_is_done_cannot_be_cancelled(staff: Client) -> None:
    run = make_done_run(make_test())

    assert staff.post(reverse("dashboard:run_cancel", args=[run.uuid])).status_code == 303

    run.refresh_from_db()
    assert run.status == RunStatus.DONE


def test_a_failed_run_says_why(staff: Client) -> None:
    run = make_run(make_test(), RunStatus.FAILED, message="The snapshot holds 12 held-out pairs; 30 are needed.")

    text = staff.get(page_of(run)).text

    assert "The snapshot holds 12 held-out pairs; 30 are needed." in text
    assert "Traceback" not in text


def test_an_errored_run_says_so_and_keeps_its_traceback_folded(staff: Client) -> None:
    run = make_run(make_test(), RunStatus.ERRORED, traceback="ZeroDivisionError: <division> by zero")

    text = staff.get(page_of(run)).text

    assert "a fault of Earmark or its host and not of your data" in text
    assert "<details><summary>Traceback" in text
    assert "ZeroDivisionError: &lt;division&gt; by zero" in text


def test_a_finished_run_shows_the_numbers_that_were_stored(staff: Client) -> None:
    run = make_done_run(make_test(is_simulated=True), message="The built-in small model was used.", n_validation=71)

    response = staff.get(page_of(run))

    text = strip_tags(response.text)
    assert "Tuned model: SRCC better by 0.31, 95 % interval 0.22 to 0.40, 168 held-out pairs." in text
    rows = {row.name: {cell.label: cell for cell in row.cells} for row in response.context["measure_rows"]}
    assert list(rows) == ["SRCC", "LCC", "Kendall tau-b", "MSE (0 to 10)"]
    assert strip_tags(rows["SRCC"]["Tuned"].value) == "0.62"
    assert strip_tags(rows["SRCC"]["Tuned"].interval) == "0.53 to 0.70"
    assert strip_tags(rows["LCC"]["Untuned"].value) == "0.29"
    assert strip_tags(rows["MSE (0 to 10)"]["Tuned less untuned"].value) == "−6.55"
    for shown in ("0.53 to 0.70", "+0.35", "−8.20 to −4.90", "The built-in small model was used."):
        assert shown in text
    assert "168 pairs held out, 640 for training, 71 for validation, 32 dropped" in text
    assert "3,360 ratings of 840 pairs by 168 raters" in text
    assert "5a" * 32 in text
    assert "c3" * 32 in text
    assert "&quot;model&quot;: &quot;builtin&quot;" in response.text
    # Beside the title, on the chart, above the table and where the model is wrong; no pairs are stored here.
    assert response.text.count('<span class="badge simulated">') == 4


def test_a_difference_that_is_not_clear_is_called_so(staff: Client) -> None:
    run = make_done_run(make_test())
    run.metrics.filter(model=MeasuredModel.DIFFERENCE, name=MetricName.SRCC).update(value=0.04, low=-0.03, high=0.11)

    assert (
        "Tuned model: SRCC not clearly better or worse: +0.04, and the 95 % interval −0.03 to 0.11 holds zero, "
        "168 held-out pairs." in strip_tags(staff.get(page_of(run)).text)
    )


def test_what_is_undefined_breaks_no_page(staff: Client) -> None:
    run = make_done_run(make_test())
    Metric.objects.update(low=None, high=None)
    Metric.objects.filter(name=MetricName.KTAU).update(value=None)
    Metric.objects.filter(model=MeasuredModel.CEILING).delete()

    response = staff.get(page_of(run))

    assert "SRCC changed by +0.31, no interval is defined" in strip_tags(response.text)

    Metric.objects.update(value=None)
    for url in (page_of(run), RUNS_URL, "/dashboard/"):
        assert "is not defined for one of the models" in staff.get(url).text


def test_a_done_run_without_numbers_says_so(staff: Client) -> None:
    run = make_run(make_test(), RunStatus.DONE)

    assert "its numbers are not stored" in staff.get(page_of(run)).text


def test_held_out_pairs_come_worst_disagreement_first(staff: Client) -> None:
    test = make_test()
    run = make_done_run(test)
    make_prediction(run, make_pair(test, caption=make_caption("A near miss")), human_mean=5, tuned_score=5.5)
    far = make_pair(test, caption=make_caption("<b>Far</b> & wide"))
    make_prediction(run, far, human_mean=9, tuned_score=2, base_cosine=-0.125, tuned_cosine=0.25)

    response = staff.get(page_of(run))

    assert [point.caption for point in response.context["points"]] == ["<b>Far</b> & wide", "A near miss"]
    first = {"id": 1, "base": -0.125, "tuned": 0.25, "human": 9, "ratings": 4, "caption": "<b>Far</b> & wide"}
    audio = reverse("dashboard:clip_audio", args=[far.clip.uuid])
    assert response.context["scatter"]["points"][0] == first | {"audio": audio}
    assert "&lt;b&gt;Far&lt;/b&gt; &amp; wide" in response.text
    assert reverse("dashboard:clip_audio", args=[far.clip.uuid]) in response.text


def test_a_pair_without_audio_has_no_address_to_play(staff: Client) -> None:
    test = make_test()
    run = make_done_run(test)
    make_prediction(run, make_pair(test, clip=Clip.objects.create(name="imported.wav")))

    [point] = staff.get(page_of(run)).context["scatter"]["points"]
    assert point["audio"] == ""


def test_the_number_of_points_does_not_change_the_number_of_queries(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = make_done_run(make_test())
    for n_points in (1, 5):
        for _ in range(n_points):
            make_prediction(run)
        # Session and user; the run, its metrics, report and parts, its predictions, its course, its held-out pairs.
        with django_assert_num_queries(14):
            staff.get(page_of(run))


def test_the_course_of_a_run_is_drawn_from_its_points(staff: Client) -> None:
    run = make_running_run(make_test())
    points_store(
        run_id=run.pk,
        points=[
            MeasuredPoint(0, 400, 0, 10, validation=0.25),
            MeasuredPoint(1, 400, 0, 10, loss=1.5),
            MeasuredPoint(40, 400, 1, 10, loss=0.75, validation=0.375),
        ],
    )
    run_log_add(run_id=run.pk, text="Trains.")
    run_log_add(run_id=run.pk, text="The disk is <nearly> full.", is_warning=True)

    response = staff.get(live_part_of(run))

    assert response.context["course"]["loss"] == [[1, 1.5], [40, 0.75]]
    assert response.context["course"]["validation"] == [[0, 0.25], [40, 0.375]]
    assert response.context["course"]["validation_name"] == "SRCC on validation pairs"
    assert [(point.epoch, point.step) for point in response.context["epochs"]] == [(0, 0), (1, 40)]
    assert [line.text for line in response.context["log_lines"]] == ["The disk is <nearly> full.", "Trains."]
    for shown in ("0.250", "0.375", "0.750", "Warning: The disk is &lt;nearly&gt; full."):
        assert shown in response.text


def test_what_a_run_takes_is_told(staff: Client) -> None:
    run = make_running_run(make_test())
    columns = {"device": "NVIDIA H200", "is_on_gpu": True, "device_seconds": 1234.4, "code_version": "commit abc"}
    sizes = {"memory_bytes": 2**30, "peak_memory_bytes": 3 * 2**30, "gpu_memory_bytes": 5 * 2**30}
    more = {"peak_gpu_memory_bytes": 7 * 2**30, "gpu_memory_total_bytes": 140 * 2**30, "seed": 7, "attempt": 2}
    TrainingRun.objects.filter(pk=run.pk).update(**columns, **sizes, **more)

    text = staff.get(live_part_of(run)).text.replace("\xa0", " ")

    assert "1,234 GPU seconds, in 2 attempts" in text
    assert "5.0 GB now, 7.0 GB at most, of 140.0 GB" in text
    assert "1.0 GB now, 3.0 GB at most" in text
    assert "commit abc" in text

    TrainingRun.objects.filter(pk=run.pk).update(is_on_gpu=False, device_seconds=4.26)
    assert "4.3 seconds on a CPU, in 2 attempts; no GPU was used" in staff.get(live_part_of(run)).text


def test_a_cancelled_run_with_a_checkpoint_offers_to_go_on(staff: Client, settings: Settings) -> None:
    run = make_run(make_test(), RunStatus.CANCELLED, checkpoint="runs/x/checkpoint/epoch-00001-step-000000")
    go_on = reverse("dashboard:run_go_on", args=[run.uuid])
    assert go_on in staff.get(page_of(run)).text
    (settings.MEDIA_ROOT / "runs" / str(run.uuid) / "checkpoint/epoch-00001-step-000000").mkdir(parents=True)

    responses = [staff.post(go_on), staff.post(go_on)]

    run.refresh_from_db()
    assert (run.status, run.finished_at) == (RunStatus.QUEUED, None)
    assert [(response.status_code, response.url) for response in responses] == [(303, page_of(run))] * 2
    (entry,) = AuditEntry.objects.filter(test=run.test, action=AuditedAction.TRAINED)
    assert entry.detail == f"Run {run.uuid}, from its checkpoint"
    assert go_on not in staff.get(page_of(run)).text


def test_a_run_without_a_checkpoint_says_that_it_cannot_go_on(staff: Client) -> None:
    run = make_run(make_test(), RunStatus.CANCELLED)
    go_on = reverse("dashboard:run_go_on", args=[run.uuid])
    assert go_on not in staff.get(page_of(run)).text

    text = staff.post(go_on, follow=True).text

    assert "has no checkpoint to go on from. Start a new run." in text
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED
