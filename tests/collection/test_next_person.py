"""The next person at a browser whose rater has withdrawn. Nobody knows any more who that was, so a link that claims
somebody may be another person's.
"""

import pytest
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests import rater_cookie
from listening_tests.choices import TestStatus
from listening_tests.models import ListeningTest, Rater, RaterIdentity, Session
from tests.collection.sitting import consent_form, rate_all, send_withdrawal, skip_the_questions, start_sitting
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db


@pytest.fixture
def test() -> ListeningTest:
    test = make_test()
    make_pairs(test, 3)
    return test


@pytest.fixture
def withdrawn(client, test) -> Session:
    start_sitting(client, test, "?PROLIFIC_PID=one")
    send_withdrawal(client, test, follow=False)
    return Session.objects.get()


@pytest.fixture
def address(client, test, withdrawn) -> str:
    """Of the consent page, as the page of who withdrew offers it."""
    url: str = client.get(f"/t/{test.slug}/?PROLIFIC_PID=two", follow=True).context["somebody_else_url"]
    return url


def test_it_works(client, test, withdrawn, address):
    page = client.get(f"/t/{test.slug}/?PROLIFIC_PID=two", follow=True)
    assertContains(page, "You have withdrawn")
    assertContains(page, "Are you somebody else?")
    page = client.get(address)
    assertContains(page, "I agree, start")
    form = consent_form(page) | {"somebody_else": "1"}
    assertContains(page, '<input type="hidden" name="somebody_else" value="1">', html=True)
    assertRedirects(client.post(f"/t/{test.slug}/start/", form), f"/t/{test.slug}/sound/")
    session = Session.objects.latest("pk")
    assert session.rater != withdrawn.rater
    assert RaterIdentity.objects.get().rater == session.rater
    assert RaterIdentity.objects.get().claimed_id == "two"
    assertContains(client.get(address), "Welcome back")


def test_looking_changes_nothing(client, test, withdrawn, address):
    client.get(address)
    assert Session.objects.count() == Rater.objects.count() == 1
    assertContains(client.get(f"/t/{test.slug}/", follow=True), "You have withdrawn")


def test_a_double_click_begins_one_sitting(client, test, withdrawn, address):
    form = consent_form(client.get(address)) | {"somebody_else": "1"}
    cookie = client.cookies[rater_cookie.NAME].value
    client.post(f"/t/{test.slug}/start/", form)
    client.post(f"/t/{test.slug}/start/", form)
    client.cookies[rater_cookie.NAME] = cookie
    client.post(f"/t/{test.slug}/start/", form)
    assert Session.objects.count() == 2


def test_what_changed_meanwhile_is_read_and_agreed_to_as_somebody_else(client, test, withdrawn, address):
    form = consent_form(client.get(address)) | {"somebody_else": "1"}
    ListeningTest.objects.update(consent_version=2)
    page = client.post(f"/t/{test.slug}/start/", form)
    assertContains(page, 'name="somebody_else"', status_code=409)


def test_a_sitting_that_goes_on_stays_whose_it_is(client, test):
    session = start_sitting(client, test)
    assertContains(client.get(f"/t/{test.slug}/?PROLIFIC_PID=two&somebody_else=1"), "Welcome back")
    form = {"newcomer": rater_cookie.newcomer_write(), "somebody_else": "1"}
    client.post(f"/t/{test.slug}/start/", form | {"recruiter": "prolific", "claimed_id": "two"})
    assert Session.objects.get() == session


def test_who_had_finished_keeps_the_code(client, test):
    start_sitting(client, test)
    rate_all(client, test)
    skip_the_questions(client, test)
    send_withdrawal(client, test, follow=False)
    page = client.get(f"/t/{test.slug}/?PROLIFIC_PID=two", follow=True)
    assertContains(page, test.completion_code)
    assertContains(page, "this browser shows the code above no more")


def test_a_test_that_takes_nobody_offers_nothing(client, test, withdrawn):
    ListeningTest.objects.update(status=TestStatus.CLOSED)
    page = client.get(f"/t/{test.slug}/?PROLIFIC_PID=two", follow=True)
    assertContains(page, "You have withdrawn")
    assertNotContains(page, "somebody else")


def test_a_link_of_nobody_in_particular_offers_no_other_start(client, test):
    start_sitting(client, test)
    send_withdrawal(client, test, follow=False)
    for query in ("", "?PROLIFIC_PID=", "?somebody_else=1"):
        assertNotContains(client.get(f"/t/{test.slug}/{query}", follow=True), "somebody else")
    client.post(f"/t/{test.slug}/start/", {"newcomer": rater_cookie.newcomer_write(), "somebody_else": "1"})
    assert Session.objects.count() == 1
