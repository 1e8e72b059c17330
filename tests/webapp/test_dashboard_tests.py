"""The list of tests and a test's page."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import TestKind, TestStatus
from listening_tests.models import Exclusion, ListeningTest, Question
from tests.factories import make_pair, make_pairs, make_test
from tests.sittings import answer_all, anything_in, make_test_of, prefer
from tests.webapp.factories import make_done_run, make_rating, make_run, make_running_run, make_session
from worker.models import RunStatus, TrainingPlan, TrainingRun

LIST_URL = "/dashboard/"


def page_of(test: ListeningTest) -> str:
    return reverse("dashboard:test_page", args=[test.slug])


def test_it_works(staff: Client) -> None:
    test = make_test(title="Sounds of rain", ratings_per_pair=4)
    pairs = make_pairs(test, 3)
    make_rating(pairs[0], 7)
    run = make_done_run(test)

    response = staff.get(LIST_URL)

    (row,) = response.context["rows"]
    assert (row.line.n_answers, row.line.n_wanted) == (1, 12)
    assert row.last_run.run == run
    assert row.last_run.words == "SRCC 0.62, untuned 0.31: better by 0.31, 95 % interval 0.22 to 0.40."
    text = response.text
    assert "Sounds of rain" in text
    assert "1 of 12" in text
    assert row.last_run.words in text
    assert f"/t/{test.slug}/" in text
    assert page_of(test) in text


def test_without_a_test_the_list_says_how_to_make_one(staff: Client) -> None:
    response = staff.get(LIST_URL)

    assert "There is no test yet." in response.text
    assert "manage.py import_clips" in response.text


def test_a_draft_has_no_address_to_rate_at_but_one_to_open_it(staff: Client) -> None:
    draft = make_test(status=TestStatus.DRAFT)
    opening = {LIST_URL: page_of(draft), page_of(draft): reverse("dashboard:set_up", args=[draft.slug])}

    for url, leads_to in opening.items():
        text = staff.get(url).text
        assert f'<a href="{leads_to}">' in text
        assert not re.search(rf'href="[^"]*/t/{draft.slug}/"', text)


def test_a_test_without_a_question_has_a_page_too(staff: Client) -> None:
    test = ListeningTest.objects.create(slug="rain", title="Rain")
    page = staff.get(page_of(test))

    assert page.status_code == 200
    assert page.context["histogram"]["rows"] == []
    assert staff.get(LIST_URL).status_code == 200


def test_what_does_not_count_is_not_counted(staff: Client) -> None:
    test = make_test(ratings_per_pair=2)
    counted, excluded = make_rating(make_pair(test), 3), make_rating(make_pair(test), 9)
    make_rating(make_pair(test, role="anchor"), 0)
    Exclusion.objects.create(rating=excluded, rule="screening", reason="The anchors were scored too high.")

    (row,) = staff.get(LIST_URL).context["rows"]
    page = staff.get(page_of(test))

    assert (row.line.n_answers, row.line.n_wanted) == (1, 4)
    assert page.context["overview"].n_answers == 1
    assert page.context["histogram"]["rows"][int(counted.score)] == ["3", 1]
    assert "1, and 1 more left out by a rule" in page.text


def test_the_number_of_tests_does_not_change_the_number_of_queries(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n_tests in (1, 4):
        for _ in range(n_tests):
            test = make_test()
            make_rating(make_pair(test), 5)
            make_done_run(test)
            make_running_run(test)
        # Session and user; ratings, comparisons; pairs, comparisons and sounds to answer; problems, last runs, tests.
        with django_assert_num_queries(10):
            staff.get(LIST_URL)


def test_a_test_page_shows_what_came_in(staff: Client) -> None:
    test = make_test(title="Sounds of rain", ratings_per_pair=2)
    first, second, _unrated = make_pairs(test, 3)
    day = datetime(2026, 3, 30, 12, tzinfo=UTC)
    session = make_session(test)
    make_rating(first, 7, session=session, submitted_at=day)
    make_rating(second, 10, session=session, submitted_at=day + timedelta(days=2))
    make_rating(second, 10, submitted_at=day + timedelta(days=2))

    response = staff.get(page_of(test))

    assert response.context["per_day"]["rows"] == [["30 Mar", 1], ["31 Mar", 0], ["1 Apr", 2]]
    assert response.context["by_answers"]["rows"] == [["0", 1], ["1", 1], ["2", 1]]
    assert response.context["histogram"]["rows"][7] == ["7", 1]
    assert response.context["histogram"]["rows"][10] == ["10", 2]
    assert "2 of 3, 2 ratings wanted for each" in response.text
    assert f'value="http://testserver/t/{test.slug}/"' in response.text


def test_a_page_without_ratings_says_so(staff: Client) -> None:
    response = staff.get(page_of(make_test(status=TestStatus.DRAFT)))

    assert "No ratings yet. Send raters to the address above." in response.text
    assert "nobody finds it at this address yet" in response.text
    assert "No run yet. Press Retrain once there are enough ratings." in response.text


@pytest.mark.parametrize(
    ("retrain_after", "n_ratings", "sentence"),
    [
        (3, 1, "A new run starts by itself after 3 new ratings; 1 so far; next look at "),
        (1, 2, "2 new ratings, and 1 are enough."),
        (0, 2, "No run starts by itself: that is turned off for this test. 2 new ratings since the last run."),
    ],
)
def test_the_plan_is_said_in_a_sentence(staff: Client, retrain_after: int, n_ratings: int, sentence: str) -> None:
    test = make_test()
    TrainingPlan.objects.create(test=test, retrain_after=retrain_after)
    for pair in make_pairs(test, n_ratings):
        make_rating(pair, 4)

    assert sentence in staff.get(page_of(test)).text


def test_simulated_numbers_say_so_wherever_they_stand(staff: Client) -> None:
    test = make_test(is_simulated=True)
    make_rating(make_pair(test), 4)
    make_done_run(test)
    badge = '<span class="badge simulated">simulated</span>'

    assert badge in staff.get(LIST_URL).text
    assert badge in staff.get(reverse("dashboard:runs_page")).text
    # Beside the title, above the numbers, on each of three charts and over the runs.
    assert staff.get(page_of(test)).text.count(badge) == 6


def test_collected_numbers_are_not_called_simulated(staff: Client) -> None:
    test = make_test()
    make_done_run(test)

    for url in (LIST_URL, page_of(test), reverse("dashboard:runs_page")):
        assert "simulated" not in staff.get(url).text


def test_the_runs_of_a_test_refresh_themselves_only_while_one_is_active(staff: Client) -> None:
    test = make_test()
    run = make_run(test, RunStatus.QUEUED)
    live_url = reverse("dashboard:test_runs", args=[test.slug])

    assert f'hx-get="{live_url}"' in staff.get(page_of(test)).text
    assert "Waits in the queue." in staff.get(live_url).text

    run.delete()
    make_done_run(test)
    assert f'hx-get="{live_url}"' not in staff.get(page_of(test)).text


def test_the_last_refresh_takes_the_place_of_what_refreshed_itself(staff: Client) -> None:
    test = make_test()
    live_url = reverse("dashboard:test_runs", args=[test.slug])
    run = make_running_run(test)
    assert "HX-Reswap" not in staff.get(live_url).headers

    TrainingRun.objects.filter(pk=run.pk).update(status=RunStatus.CANCELLED, finished_at=timezone.now())
    response = staff.get(live_url)

    assert response.headers["HX-Reswap"] == "outerHTML"
    assert "no-store" in response.headers["Cache-Control"]
    assert "A run is on its way" not in response.text


def test_the_number_of_runs_and_ratings_does_not_change_the_number_of_queries(
    staff: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test()
    counts = []
    for n_pairs in (1, 5):
        for pair in make_pairs(test, n_pairs):
            make_rating(pair, 5)
            make_done_run(test)
        with django_assert_max_num_queries(25) as captured:
            staff.get(page_of(test))
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_titles_and_captions_are_text_not_markup(staff: Client) -> None:
    test = make_test(title="<script>alert(1)</script>")

    for url in (LIST_URL, page_of(test)):
        assert "<script>alert(1)" not in staff.get(url).text


def test_a_comparison_has_a_page_that_is_true_for_it(staff: Client) -> None:
    test = make_test_of(TestKind.COMPARISON, n_captions=2, systems=("mine", "<b>other</b>"), ratings_per_pair=1)
    answer_all(test, prefer("mine"))

    response = staff.get(page_of(test))

    text = response.text
    assert "Paired comparison" in text
    assert "2 of 2, 1 answer wanted for each" in text
    assert "Comparisons by number of answers" in text
    assert response.context["by_answers"]["rows"] == [["0", 0], ["1", 2]]
    rows = dict(response.context["choices"]["rows"])
    assert list(rows) == ["A", "No difference", "B"] and rows["A"] + rows["B"] == 2
    assert "mine: preferred in 2 of 2" in text
    assert "&lt;b&gt;other&lt;/b&gt;" in text and "<b>other" not in text
    assert "How often each score was given" not in text


def test_side_by_side_has_a_page_that_is_true_for_it(staff: Client) -> None:
    test = make_test_of(TestKind.SIDE_BY_SIDE, n_captions=2)
    answer_all(test, anything_in(test.kind), most=1)

    response = staff.get(page_of(test))

    text = response.text
    assert "Side by side" in text
    assert "1 of 2, 4 answers wanted for each" in text
    assert "Trials by number of answers" in text
    assert "How often each score was given to a study sound." in text
    assert response.context["histogram"]["rows"][10] == ["10", 3]
    assert "Systems preferred" not in text


def test_a_flagged_comparison_leads_to_the_list_of_comparisons(staff: Client) -> None:
    test = make_test_of(TestKind.COMPARISON, n_captions=1, systems=("mine", "other"))
    answer_all(test, prefer("mine"), elapsed_s=0)

    comparisons = f"{reverse('admin:listening_tests_comparison_changelist')}?test__id__exact={test.pk}"
    told = (
        f'<a href="{comparisons}&amp;question=relevance&amp;too_soon__exact=1">1 came sooner</a> than the clips could'
    )
    assert told in staff.get(page_of(test)).text


def test_one_of_several_questions_is_chosen_by_the_address(staff: Client) -> None:
    test = make_test()
    Question.objects.create(test=test, name="quality", prompt="How <i>good</i>?", scale_max=100, scale_step=0)
    make_pair(test)
    answer_all(test, anything_in(test.kind))

    first, second = staff.get(page_of(test)), staff.get(page_of(test), {"question": "quality"})

    assert first.context["histogram"]["rows"][10] == ["10", 1]
    assert second.context["histogram"]["rows"][19] == ["95 to 100", 1]
    assert '<a href="?question=quality#answers">quality</a>' in first.text
    assert '<a href="?question=quality#answers" aria-current="page">quality</a>' in second.text
    assert "How well does the caption match the sound?" in first.text
    assert "How &lt;i&gt;good&lt;/i&gt;?" in second.text
    assert staff.get(page_of(test), {"question": "order"}).status_code == 404


def test_with_one_question_there_is_nothing_to_choose(staff: Client) -> None:
    assert 'aria-label="Question"' not in staff.get(page_of(make_test())).text


@pytest.mark.parametrize("kind", TestKind.values)
def test_the_number_of_answers_does_not_change_the_number_of_queries(
    staff: Client, kind: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test_of(kind)
    Question.objects.create(test=test, name="second")
    counts = []
    for _ in range(2):
        answer_all(test, anything_in(kind))
        with django_assert_max_num_queries(25) as captured:
            staff.get(page_of(test), {"question": "second"})
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_the_list_tells_the_kind_where_it_is_not_the_usual_one(staff: Client) -> None:
    make_test_of(TestKind.RATING)
    assert "paired comparison" not in staff.get(LIST_URL).text
    make_test_of(TestKind.COMPARISON)
    text = staff.get(LIST_URL).text
    assert "0 of 36</span>" in text and "paired comparison</span>" in text
