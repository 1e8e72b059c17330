"""The page of what screening rules are worth: asking, watching, cancelling, and who may."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from listening_tests.choices import AuditedAction, Role
from listening_tests.models import AuditEntry, ListeningTest
from tests.factories import make_test
from tests.webapp.factories import make_member, make_trainable_test
from worker.models import RuleWorth, ScreeningState, ScreeningWorth, WorthStatus

pytestmark = pytest.mark.django_db


def url_of(name: str, test: ListeningTest, *more: object) -> str:
    return reverse(f"dashboard:screening_worth{name}", args=[test.slug, *more])


def make_worth(test: ListeningTest, **fields: object) -> ScreeningWorth:
    values = {"question": "relevance", "preset": "small", "status": WorthStatus.DONE, "n_models": 3, "n_done": 3}
    return ScreeningWorth.objects.create(test=test, **values | fields)


def make_rows(worth: ScreeningWorth) -> None:
    RuleWorth.objects.create(
        worth=worth, rule="anchors", n_raters=2, n_ratings=1_024, srcc=0.5, low=0.41, high=0.58,
        difference=0.06, difference_low=0.01, difference_high=0.11,
    )  # fmt: skip
    RuleWorth.objects.create(worth=worth, rule="gold", n_raters=0, n_ratings=0, message="Nobody fails it.")


def test_it_works(staff: Client) -> None:
    test = make_test()
    assert "Nobody has asked yet." in staff.get(url_of("", test)).text
    make_rows(make_worth(test, srcc=0.44, low=0.35, high=0.52, n_heldout=311, n_ratings=4_000))

    text = staff.get(url_of("", test)).text

    assert "Without any rule: SRCC 0.44</strong> (95 % interval 0.35 to 0.52) on 311 held-out pairs" in text
    assert "2 raters, 1,024 answers to learn from" in text
    assert "Better by 0.06, 95 % interval 0.01 to 0.11." in text
    assert "Nobody fails it." in text
    assert "What each rule is worth" in staff.get(reverse("dashboard:screening_page", args=[test.slug])).text


def test_a_press_asks_once_and_another_cancels(staff: Client) -> None:
    test = make_trainable_test()
    refused = staff.post(url_of("_ask", test), follow=True)
    assert "have not been looked at yet" in refused.text
    ScreeningState.objects.create(test=test, computed_at="2026-01-01T00:00Z")

    for _ in range(2):
        assert staff.post(url_of("_ask", test)).status_code == 303

    worth = ScreeningWorth.objects.get()
    assert AuditEntry.objects.get(test=test, action=AuditedAction.TRAINED).detail.startswith("Worth of the screening")
    text = staff.get(url_of("", test)).text
    assert "Waits in the queue" in text and "Retrain with each rule on and off" not in text
    ScreeningWorth.objects.update(status=WorthStatus.RUNNING, n_models=4, n_done=1, step=3, total_steps=9)
    live = staff.get(url_of("_live", test))
    assert "1 of 4 models measured; of the next one, step 3 of 9." in live.text

    for _ in range(2):
        assert staff.post(url_of("_cancel", test, worth.uuid)).status_code == 303

    worth.refresh_from_db()
    assert worth.status == WorthStatus.CANCELLED
    assert staff.get(url_of("_live", test)).headers["HX-Refresh"] == "true"
    assert "Cancelled. What was measured until then stands below." in staff.get(url_of("", test)).text


def test_who_may_not_train_may_look_alone(client: Client) -> None:
    test = make_test()
    worth = make_worth(test)
    client.force_login(make_member(test, Role.ASSISTANT))
    assert client.get(url_of("", test)).status_code == 200
    assert client.post(url_of("_ask", test)).status_code == 403
    assert client.post(url_of("_cancel", test, worth.uuid)).status_code == 403
    client.force_login(make_member(make_test(), username="stranger"))
    assert client.get(url_of("", test)).status_code == 404


def test_an_earlier_job_is_read_by_its_name(staff: Client) -> None:
    test = make_test()
    first = make_worth(test, srcc=0.31, n_heldout=100)
    make_worth(test, srcc=0.47, n_heldout=100)
    assert "SRCC 0.47" in staff.get(url_of("", test)).text
    assert "SRCC 0.31" in staff.get(url_of("", test), {"job": first.uuid}).text
    assert "SRCC 0.47" in staff.get(url_of("", test), {"job": "none"}).text


def test_the_number_of_jobs_does_not_change_the_number_of_queries(
    staff: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    test = make_test()
    for n_jobs in (1, 3):
        for _ in range(n_jobs):
            make_rows(make_worth(test, srcc=0.4, n_heldout=90))
        # Session and user; the test; jobs; rules.
        with django_assert_num_queries(5):
            staff.get(url_of("", test))
