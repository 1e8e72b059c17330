"""The press of Retrain: one run for any number of presses, and a sentence where there is too little data."""

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.factories import make_pair, make_test
from tests.webapp.factories import make_rating, make_run, make_trainable_test
from worker.models import RunStatus, RunTrigger, TrainingRun


def retrain_url(slug: str) -> str:
    return reverse("dashboard:retrain", args=[slug])


def test_it_works(staff: Client, researcher: User) -> None:
    test = make_trainable_test()

    response = staff.post(retrain_url(test.slug))

    run = TrainingRun.objects.get()
    assert (run.test, run.status) == (test, RunStatus.QUEUED)
    assert (run.trigger, run.requested_by) == (RunTrigger.PERSON, researcher)
    assert response.status_code == 303
    assert response.url == f"/dashboard/runs/{run.uuid}/"
    page = staff.get(response.url)
    assert "Queued" in page.text
    assert "This run is next: it starts as soon as a worker is free." in page.text


def test_a_double_click_makes_one_run_and_lands_on_it(staff: Client) -> None:
    test = make_trainable_test()

    first, second = staff.post(retrain_url(test.slug)), staff.post(retrain_url(test.slug))

    assert TrainingRun.objects.count() == 1
    assert first.url == second.url


def test_a_press_while_a_run_trains_lands_on_that_run(staff: Client) -> None:
    test = make_trainable_test()
    # Without a sign of life yet: it has just begun.
    run = make_run(test, RunStatus.RUNNING)

    response = staff.post(retrain_url(test.slug))

    assert response.url == f"/dashboard/runs/{run.uuid}/"
    assert TrainingRun.objects.count() == 1


def test_without_ratings_the_tests_page_says_so(staff: Client) -> None:
    test = make_test(title="Sounds of rain")

    response = staff.post(retrain_url(test.slug), follow=True)

    assert response.redirect_chain == [(f"/dashboard/tests/{test.slug}/", 303)]
    assert "“Sounds of rain” has no ratings of study pairs yet." in response.text
    assert not TrainingRun.objects.exists()


def test_too_little_data_is_said_on_the_tests_page(staff: Client) -> None:
    test = make_test()
    make_rating(make_pair(test), 5)

    response = staff.post(retrain_url(test.slug), follow=True)

    assert response.redirect_chain == [(f"/dashboard/tests/{test.slug}/", 303)]
    assert "rated pairs that are held out for measuring; training needs at least 30." in response.text
    assert not TrainingRun.objects.exists()


def test_looking_starts_nothing(staff: Client) -> None:
    test = make_trainable_test()

    assert staff.get(retrain_url(test.slug)).status_code == 405
    assert not TrainingRun.objects.exists()


def test_a_form_of_another_site_starts_nothing(researcher: User) -> None:
    test = make_trainable_test()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(researcher)

    assert browser.post(retrain_url(test.slug)).status_code == 403
    assert not TrainingRun.objects.exists()
