"""Recruitment on the page of a test in the admin."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests.choices import Role
from listening_tests.models import ListeningTest, RaterIdentity, RecruitedSitting, Session
from tests.collection.admin_pages import existing, form_of_test, page
from tests.collection.sitting import start_sitting
from tests.factories import make_pair, make_test
from tests.webapp.factories import make_member

pytestmark = pytest.mark.django_db
RECRUITED = {
    "recruiter": "prolific",
    "completion_code": "DONE1",
    "screened_out_code": "SCREEN1",
    "no_consent_code": "NO1",
    "technical_failure_code": "TECH1",
    "max_raters": 30,
    "reward": "2.50",
    "screened_out_reward": "0.20",
    "currency": "EUR",
}


@pytest.fixture
def test() -> ListeningTest:
    return make_test(recruiter="prolific")


def save(client, test: ListeningTest, **changes: object):
    return client.post(page("listeningtest_change", test.pk), existing(test, **RECRUITED, **changes))


def ids_of(test: ListeningTest) -> set[str]:
    return set(test.excluded_ids.values_list("claimed_id", flat=True))


def test_it_works(admin_client, test):
    other = make_test()
    assertContains(admin_client.get(page("listeningtest_change", test.pk)), "Recruitment")
    file = SimpleUploadedFile("ids.txt", b"\xef\xbb\xbfthree\r\none\r\n")

    response = save(admin_client, test, excluded_ids="one\ntwo", excluded_file=file, excluded_tests=[other.pk])

    assertRedirects(response, page("listeningtest_changelist"))
    test.refresh_from_db()
    assert (test.recruiter, test.no_consent_code, test.max_raters) == ("prolific", "NO1", 30)
    assert (test.reward, test.screened_out_reward, test.currency) == (Decimal("2.50"), Decimal("0.20"), "EUR")
    assert list(test.excluded_tests.all()) == [other]
    assert ids_of(test) == {"one", "two", "three"}
    assertContains(admin_client.get(page("listeningtest_change", test.pk)), "one\ntwo\nthree")
    save(admin_client, test, excluded_ids="two")
    assert ids_of(test) == {"two"}


def test_the_study_url_is_there_to_be_copied(admin_client, test):
    url = f"http://testserver/t/{test.slug}/?PROLIFIC_PID={{{{%PROLIFIC_PID%}}}}&amp;STUDY_ID={{{{%STUDY_ID%}}}}"
    assertContains(admin_client.get(page("listeningtest_change", test.pk)), url)
    assertContains(admin_client.get(page("listeningtest_add")), "Shown once the test is saved.")


def test_refusals_change_nothing(admin_client, test):
    changes = {
        "no_consent_code": "DONE1",
        "excluded_ids": "one\na,b",
        "excluded_file": SimpleUploadedFile("a.txt", b"\xff\xfe"),
        "max_raters": 0,
        "reward": "-1",
        "currency": "eur",
        "recruiter": "nobody",
    }
    response = admin_client.post(page("listeningtest_change", test.pk), existing(test, **RECRUITED | changes))
    for sentence in (
        "This is the code for “Complete” too, so nobody could tell the two apart. Give each outcome a code of its own.",
        "Line 2 is no id: one id stands on each line, of at most 200 characters and without a comma.",
        "The file is no text in UTF-8. Save it as plain text.",
        "Ensure this value is greater than or equal to 1.",
        "Ensure this value is greater than or equal to 0.",
        "A currency is three capital letters, such as GBP, USD, EUR or JPY.",
        "Select a valid choice. nobody is not one of the available choices.",
    ):
        assertContains(response, sentence)
    test.refresh_from_db()
    assert (test.max_raters, test.currency, ids_of(test)) == (None, "GBP", set())


def test_a_test_may_have_no_code_but_for_complete(admin_client, test):
    codes = {"screened_out_code": "", "no_consent_code": "", "technical_failure_code": ""}
    admin_client.post(page("listeningtest_change", test.pk), existing(test, **RECRUITED | codes))
    test.refresh_from_db()
    assert (test.completion_code, test.screened_out_code, test.technical_failure_code) == ("DONE1", "", "")


def test_a_new_test_has_a_code_for_each_outcome(admin_client):
    codes = {name: value for name, value in RECRUITED.items() if name.endswith("_code")}
    admin_client.post(page("listeningtest_add"), form_of_test(**codes))
    test = ListeningTest.objects.get()
    assert (test.screened_out_code, test.recruiter, ids_of(test)) == ("SCREEN1", "plain", set())
    fresh = make_test()
    assert len({fresh.completion_code, fresh.screened_out_code, fresh.no_consent_code}) == 3


def test_who_may_not_see_identities_neither_sees_nor_sends_the_list(client, test):
    analyst = make_member(test, Role.ANALYST)
    analyst.user_permissions.set(Permission.objects.filter(content_type__app_label="listening_tests"))
    client.force_login(analyst)
    test.excluded_ids.create(claimed_id="5f1e-known")
    response = client.get(page("listeningtest_change", test.pk))
    assertContains(response, "Recruitment")
    assertNotContains(response, "5f1e-known")
    assertNotContains(response, 'name="excluded_ids"')
    save(client, test, excluded_ids="nobody")
    assert ids_of(test) == {"5f1e-known"}


def test_erasing_an_identity_erases_what_the_link_said_of_the_sitting(admin_client, client, test):
    make_pair(test)
    session = start_sitting(client, test, "?PROLIFIC_PID=ann&STUDY_ID=one")
    identity = session.rater.identity
    admin_client.post(page("rateridentity_delete", identity.pk), {"post": "yes"})
    assert not RaterIdentity.objects.exists() and not RecruitedSitting.objects.exists()
    assert Session.objects.get() == session
