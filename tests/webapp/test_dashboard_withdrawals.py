"""Who withdrew, the models concerned, and the press that asks for one without their ratings."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import AuditedAction, Role, WithdrawnRatings
from listening_tests.models import AuditEntry, ListeningTest, Rater, Withdrawal
from tests.factories import make_test
from tests.webapp.factories import make_done_run, make_member, make_run, make_trainable_test
from worker.models import DatasetSnapshot, ModelVersion, RunStatus, TrainingRun

pytestmark = pytest.mark.django_db
AN_HOUR = timedelta(hours=1)


def page_of(test: ListeningTest) -> str:
    return reverse("dashboard:withdrawals", args=[test.slug])


def press(client: Client, test: ListeningTest) -> object:
    return client.post(reverse("dashboard:retrain_without", args=[test.slug]), {"question": "relevance"}, follow=True)


def make_snapshot(test: ListeningTest, hours_ago: float) -> DatasetSnapshot:
    at = timezone.now() - hours_ago * AN_HOUR
    snapshot = DatasetSnapshot.objects.create(
        test=test, directory="snapshots/1", sha256="5a" * 32, n_ratings=9, n_pairs=3, n_raters=3, read_at=at,
        question="relevance",
    )  # fmt: skip
    DatasetSnapshot.objects.filter(pk=snapshot.pk).update(created_at=at)
    return DatasetSnapshot.objects.get(pk=snapshot.pk)


def make_model(test: ListeningTest, hours_ago: float, weights: str) -> ModelVersion:
    run = make_done_run(test, snapshot=make_snapshot(test, hours_ago), question="relevance")
    ModelVersion.objects.filter(run=run).update(weights_sha256=weights * 64)
    return ModelVersion.objects.get(run=run)


def withdraw(test: ListeningTest, hours_ago: float, n_ratings: int = 7) -> Withdrawal:
    at = timezone.now() - hours_ago * AN_HOUR
    row = Withdrawal.objects.create(
        test=test, rater=Rater.objects.create(), treatment=WithdrawnRatings.DELETE, n_ratings=n_ratings,
        first_rated_at=at - 9 * AN_HOUR if n_ratings else None,
    )  # fmt: skip
    Withdrawal.objects.filter(pk=row.pk).update(created_at=at)
    return row


def test_it_works(staff: Client) -> None:
    test = make_trainable_test()
    assert "Nobody has withdrawn from this test." in staff.get(page_of(test)).text
    make_model(test, hours_ago=5, weights="a")
    make_model(test, hours_ago=3, weights="b")
    withdraw(test, hours_ago=4)
    withdraw(test, hours_ago=2)
    withdraw(test, hours_ago=1, n_ratings=0)

    response = staff.get(page_of(test))

    names = [[model.weights_sha256[0] for model in concern.models] for concern in response.context["concerns"]]
    assert names == [[], ["b", "a"], ["a"]]
    assert "the newest such model is" in response.text and "Retrain without them" in response.text
    assert page_of(test) in staff.get(reverse("dashboard:test_page", args=[test.slug])).text


def test_one_press_asks_for_one_run(staff: Client) -> None:
    test = make_trainable_test()
    make_model(test, hours_ago=5, weights="a")
    withdraw(test, hours_ago=4)

    first, second = press(staff, test), press(staff, test)

    run = TrainingRun.objects.get(status=RunStatus.QUEUED)
    assert run.question == "relevance"
    assert first.redirect_chain == second.redirect_chain == [(reverse("dashboard:run_page", args=[run.uuid]), 303)]
    assert AuditEntry.objects.get(test=test, action=AuditedAction.TRAINED).detail.endswith("of who withdrew")
    text = staff.get(page_of(test)).text
    assert "is on its way." in text and "Retrain without them" not in text


def test_a_model_without_them_is_the_answer(staff: Client) -> None:
    test = make_trainable_test()
    make_model(test, hours_ago=5, weights="a")
    withdraw(test, hours_ago=4)
    without = make_model(test, hours_ago=3, weights="b")

    response = press(staff, test)

    assert response.redirect_chain == [(reverse("dashboard:run_page", args=[without.run.uuid]), 303)]
    assert not TrainingRun.objects.filter(status=RunStatus.QUEUED).exists()
    text = staff.get(page_of(test)).text
    assert "was made without them." in text and "Retrain without them" not in text


def test_a_run_that_began_before_stands_in_the_way(staff: Client) -> None:
    test = make_trainable_test()
    make_model(test, hours_ago=5, weights="a")
    run = make_run(test, RunStatus.RUNNING, snapshot=make_snapshot(test, 4.5), question="relevance",
                   heartbeat_at=timezone.now())  # fmt: skip
    withdraw(test, hours_ago=4)

    text = press(staff, test).text

    told = f"{run} is on its way on ratings that were read before the withdrawal. Press again when it has ended"
    assert told in text and "and still has them" in text
    assert TrainingRun.objects.filter(status=RunStatus.QUEUED).count() == 0


def test_without_withdrawals_there_is_nothing_to_do(staff: Client) -> None:
    test = make_trainable_test()
    withdraw(test, hours_ago=1, n_ratings=0)
    assert f"Nobody who had rated has withdrawn from “{test.title}”" in press(staff, test).text
    assert not TrainingRun.objects.exists()


def test_who_may_not_train_may_look_alone(client: Client) -> None:
    test = make_test()
    make_model(test, hours_ago=5, weights="a")
    withdraw(test, hours_ago=4)
    client.force_login(make_member(test, Role.ASSISTANT))
    assert "Retrain without them" not in client.get(page_of(test)).text
    assert client.post(reverse("dashboard:retrain_without", args=[test.slug])).status_code == 403


def test_the_number_of_withdrawals_does_not_change_the_number_of_queries(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test()
    for number in (1, 3):
        for _ in range(number):
            make_model(test, hours_ago=5, weights="a")
            withdraw(test, hours_ago=4)
        # Session and user; the test; withdrawals, how many, their models; who rated, models again, a run without them
        # and one under way.
        with django_assert_num_queries(10):
            staff.get(page_of(test))
