"""What a rater agreed to is what they read, even where the researcher changes it meanwhile."""

import pytest
from pytest_django.asserts import assertContains, assertRedirects

from listening_tests.choices import WithdrawnRatings
from listening_tests.models import Consent, ListeningTest, Rater
from tests.collection.sitting import consent_form
from tests.factories import make_pair, make_test

pytestmark = pytest.mark.django_db
CHANGED = "What you agree to was changed while you read it. Please read it again."


@pytest.mark.parametrize(
    "change",
    [
        {"consent_version": 2},
        {"consent_text": "Your scores are given to everybody."},
        {"withdrawn_ratings": WithdrawnRatings.EXCLUDE},
    ],
)
def test_what_was_changed_meanwhile_is_read_again(client, change):
    test = make_test()
    make_pair(test)
    form = consent_form(client.get(f"/t/{test.slug}/?PROLIFIC_PID=5f1e"))
    ListeningTest.objects.update(**change)

    page = client.post(f"/t/{test.slug}/start/", form)

    assertContains(page, CHANGED, status_code=409)
    assert not Rater.objects.exists()
    assertRedirects(client.post(f"/t/{test.slug}/start/", consent_form(page)), f"/t/{test.slug}/sound/")
    consent = Consent.objects.get()
    test.refresh_from_db()
    assert (consent.version, consent.withdrawn_ratings) == (test.consent_version, test.withdrawn_ratings)
    assert consent.rater.identity.claimed_id == "5f1e"


def test_a_form_that_names_no_terms_begins_nothing(client):
    test = make_test()
    make_pair(test)
    form = consent_form(client.get(f"/t/{test.slug}/"))
    del form["terms"]
    assertContains(client.post(f"/t/{test.slug}/start/", form), CHANGED, status_code=409)
    assert not Rater.objects.exists()


def test_who_sits_already_is_not_asked_again(client):
    test = make_test()
    make_pair(test)
    form = consent_form(client.get(f"/t/{test.slug}/"))
    client.post(f"/t/{test.slug}/start/", form)
    ListeningTest.objects.update(consent_version=2)
    assertRedirects(client.post(f"/t/{test.slug}/start/", form), f"/t/{test.slug}/sound/")
    assert Consent.objects.get().version == 1
