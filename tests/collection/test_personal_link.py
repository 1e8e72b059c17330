"""The personal link: a sitting goes on at another device, and nobody but its holder gets in."""

import pytest
from django.core import signing
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests import rater_cookie
from listening_tests.choices import SessionStatus, TestStatus
from listening_tests.models import ListeningTest, Session
from tests.collection.sitting import an_answer, current_state, rate_all, send, skip_the_questions, start_sitting
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db


@pytest.fixture
def test() -> ListeningTest:
    test = make_test(contact_email="lab@example.org")
    make_pairs(test, 3)
    return test


@pytest.fixture
def session(client, test) -> Session:
    return start_sitting(client, test)


@pytest.fixture
def link(client, test, session) -> str:
    """The path of the link that the page shows."""
    url: str = client.get(f"/t/{test.slug}/link/").context["link"]
    return url.removeprefix("http://testserver")


@pytest.fixture
def other() -> Client:
    return Client()


class TestShowing:
    def test_it_works(self, client, test, session):
        page = client.get(f"/t/{test.slug}/link/")
        assertContains(page, f"http://testserver/t/{test.slug}/link/")
        assertContains(page, "keep it to yourself")
        assert page["Referrer-Policy"] == "same-origin"
        assert "no-store" in page["Cache-Control"]

    def test_a_stranger(self, client, test):
        assertRedirects(client.get(f"/t/{test.slug}/link/"), f"/t/{test.slug}/")

    def test_post_is_refused(self, client, test, session):
        assert client.post(f"/t/{test.slug}/link/").status_code == 405

    def test_it_takes_few_queries(self, client, test, session, django_assert_max_num_queries):
        with django_assert_max_num_queries(2):
            client.get(f"/t/{test.slug}/link/")


class TestOpening:
    def test_it_works(self, client, test, link, other):
        state = send(client, test, an_answer(current_state(client, test))).json()
        page = other.get(link)
        assertContains(page, "1 of 3 sounds are rated and saved.")
        assertRedirects(other.post(link), f"/t/{test.slug}/sound/")
        assertRedirects(other.post(f"/t/{test.slug}/sound/"), f"/t/{test.slug}/rate/")
        assert current_state(other, test)["next"] == state["next"]
        assert send(other, test, an_answer(state)).status_code == 201

    def test_looking_changes_nothing(self, test, session, link, other):
        before = list(Session.objects.values())
        other.get(link)
        assert rater_cookie.NAME not in other.cookies
        assert list(Session.objects.values()) == before

    def test_it_tells_nobody_else(self, link, other):
        page = other.get(link)
        assert page["Referrer-Policy"] == "same-origin"
        assert "no-store" in page["Cache-Control"]
        assertNotContains(page, 'href="http')

    def test_on_the_same_device_nothing_is_asked_again(self, client, test, link):
        assertRedirects(client.post(link), f"/t/{test.slug}/rate/")

    def test_who_has_finished_sees_the_code(self, client, test, link, other):
        rate_all(client, test)
        skip_the_questions(client, test)
        assertRedirects(other.post(link), f"/t/{test.slug}/done/")
        assertContains(other.get(f"/t/{test.slug}/done/"), test.completion_code)

    def test_a_browser_of_somebody_else_is_told_so(self, test, session, link, other):
        theirs = start_sitting(other, test)
        assertContains(other.get(link), "Another person has used this browser for a listening test.")
        other.post(link)
        assert other.cookies[rater_cookie.NAME].value.startswith(str(session.rater.uuid))
        theirs.refresh_from_db()
        assert theirs.sound_set_up_at is not None

    def test_a_browser_of_somebody_who_sits_at_another_test_is_told_so(self, link, other):
        another = make_test()
        make_pairs(another, 1)
        start_sitting(other, another)
        assertContains(other.get(link), "Another person has used this browser for a listening test.")

    def test_the_raters_own_browser_is_told_nothing_of_others(self, client, link):
        assertNotContains(client.get(link), "Another person")

    def test_while_paused(self, test, link, other):
        ListeningTest.objects.update(status=TestStatus.PAUSED)
        page = other.post(link, follow=True)
        assertContains(page, "This listening test is paused.")

    def test_a_form_from_elsewhere_is_refused(self, link):
        response = Client(enforce_csrf_checks=True).post(link)
        assert response.status_code == 403
        assert rater_cookie.NAME not in response.cookies


class TestRefusals:
    SENTENCE = "This personal link leads nowhere. Copy the whole link from the page on your first device"

    def refused(self, client: Client, path: str) -> None:
        for answer in (client.get(path), client.post(path)):
            assertContains(answer, self.SENTENCE, status_code=404)
            assertContains(answer, "lab@example.org", status_code=404)
        assert rater_cookie.NAME not in client.cookies

    @pytest.mark.parametrize("token", ["x", "a:b:c", "0" * 5000])
    def test_what_is_no_link(self, test, other, token):
        self.refused(other, f"/t/{test.slug}/link/{token}/")

    def test_a_link_cut_short(self, link, other):
        self.refused(other, f"{link[:-3]}/")

    def test_signed_for_another_purpose(self, test, session, other):
        for salt in ("listening_tests.newcomer", "listening_tests.rater"):
            token = signing.dumps(session.uuid.hex, salt=salt)
            self.refused(other, f"/t/{test.slug}/link/{token}/")

    def test_of_another_test(self, test, link, other):
        another = make_test(contact_email="lab@example.org")
        self.refused(other, link.replace(test.slug, another.slug, 1))

    def test_of_a_sitting_that_is_gone(self, session, link, other):
        Session.objects.all().delete()
        self.refused(other, link)

    def test_of_somebody_who_withdrew(self, test, link, other):
        Session.objects.update(status=SessionStatus.WITHDRAWN)
        for answer in (other.get(link), other.post(link)):
            assertContains(answer, "The person of this personal link has withdrawn from the test", status_code=410)
        assert rater_cookie.NAME not in other.cookies
