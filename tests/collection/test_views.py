"""The rater's pages: who sees which, and what a GET never does."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests import rater_cookie
from listening_tests.choices import PairRole, SessionStatus, TestStatus, WithdrawnRatings
from listening_tests.models import Assignment, Consent, Rater, RaterIdentity, Session
from tests.collection.sitting import (
    an_answer,
    consent_form,
    current_state,
    rate_all,
    send,
    skip_the_questions,
    start_sitting,
)
from tests.factories import make_clip, make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Rater, RaterIdentity, Consent, Session, Assignment))


class TestConsent:
    def test_it_works(self, client):
        test = make_test(contact_email="lab@example.org", pairs_per_session=3)
        make_pairs(test, 5)
        make_pair(test, role=PairRole.PRACTICE)
        page = client.get(f"/t/{test.slug}/")
        assertContains(page, test.instructions)
        assertContains(page, test.consent_text)
        assertContains(page, "lab@example.org")
        assertContains(page, "<strong>3</strong> sounds to rate", html=False)
        assertContains(page, "<strong>1</strong> for practice first")
        assertContains(page, "I agree, start")

    def test_looking_changes_nothing(self, client):
        test = make_test()
        make_pairs(test, 2)
        client.get(f"/t/{test.slug}/?PROLIFIC_PID=abc")
        assert counts() == (0, 0, 0, 0, 0)
        assert rater_cookie.NAME not in client.cookies

    def test_the_duration_counts_hearing_twice_and_choosing_and_what_comes_before_and_after(self, client):
        # (2 * 10 s + 8 s) * 20 and 45 s for the sound and 45 s for the last questions: 650 s, told as 11 minutes.
        test = make_test()
        for _ in range(20):
            make_pair(test, clip=make_clip(duration_s=10))
        assertContains(client.get(f"/t/{test.slug}/"), "about <strong>11 minutes</strong>")

    def test_the_questions_of_the_researcher_take_time_too(self, client):
        # (2 * 11 s + 8 s) * 1 + 90 s = 120 s, and 15 s for each of two questions.
        test = make_test()
        make_pair(test, clip=make_clip(duration_s=11))
        assertContains(client.get(f"/t/{test.slug}/"), "about <strong>2 minutes</strong>")
        test.check_questions.create()
        test.survey_questions.create(prompt="Do you play an instrument?")
        assertContains(client.get(f"/t/{test.slug}/"), "about <strong>3 minutes</strong>")

    @pytest.mark.parametrize(
        ("treatment", "sentence"),
        [
            (WithdrawnRatings.DELETE, "your scores are deleted."),
            (
                WithdrawnRatings.EXCLUDE,
                "your scores are left out of every analysis, and kept without anything that says who you are.",
            ),
        ],
    )
    def test_it_says_what_withdrawing_does_and_what_is_not_kept(self, client, treatment, sentence):
        test = make_test(withdrawn_ratings=treatment, consent_version=3)
        make_pair(test)
        page = client.get(f"/t/{test.slug}/")
        assertContains(page, f"If you withdraw, which you can do on every page of this test, {sentence}")
        assertContains(page, "Your IP address is never kept.")
        assertContains(page, "Version 3 of this text.")

    def test_hostile_words_of_the_researcher_are_text(self, client):
        test = make_test(title="<script>alert(1)</script>", instructions="<img src=x onerror=alert(2)>")
        make_pair(test)
        page = client.get(f"/t/{test.slug}/")
        assertNotContains(page, "<script>alert")
        assertNotContains(page, "<img")

    def test_unknown_test(self, client):
        page = client.get("/t/nowhere/")
        assertContains(page, "There is no listening test at this address.", status_code=404)

    def test_draft_does_not_exist(self, client):
        test = make_test(status=TestStatus.DRAFT)
        assertContains(client.get(f"/t/{test.slug}/"), "There is no listening test", status_code=404)

    @pytest.mark.parametrize(
        ("status", "sentence"),
        [
            (
                TestStatus.PAUSED,
                "This listening test is paused. Please come back later; every score that reached us is saved.",
            ),
            (TestStatus.CLOSED, "This listening test is closed. Thank you for your interest."),
        ],
    )
    def test_not_open(self, client, status, sentence):
        test = make_test(status=status)
        make_pair(test)
        page = client.get(f"/t/{test.slug}/")
        assertContains(page, sentence)
        assertNotContains(page, "I agree")

    def test_nothing_left_is_told_before_starting(self, client):
        test = make_test(ratings_per_pair=1)
        make_pair(test, load=1)
        page = client.get(f"/t/{test.slug}/")
        assertContains(page, "Every sound of this listening test has all the ratings it needs.")
        assertNotContains(page, "I agree")

    def test_a_lease_that_has_ended_leaves_room(self, client):
        test = make_test(ratings_per_pair=1)
        make_pair(test)
        start_sitting(Client(), test)
        assertContains(
            client.get(f"/t/{test.slug}/"), "The last sounds of this listening test are with other raters now."
        )
        Assignment.objects.update(lease_expires_at=timezone.now())
        assertContains(client.get(f"/t/{test.slug}/"), "I agree, start")

    def test_simulated_says_so(self, client):
        test = make_test(is_simulated=True)
        make_pair(test)
        assertContains(client.get(f"/t/{test.slug}/"), "simulated")
        start_sitting(client, test)
        assertContains(client.get(f"/t/{test.slug}/rate/"), "simulated")


class TestStart:
    def test_it_works(self, client):
        test = make_test()
        make_pairs(test, 2)
        page = client.get(f"/t/{test.slug}/")
        response = client.post(f"/t/{test.slug}/start/", consent_form(page))
        assertRedirects(response, f"/t/{test.slug}/sound/")
        session = Session.objects.get()
        assert (session.test, session.consent.version, session.planned_count) == (test, 1, 2)

    def test_the_cookie_is_signed_and_out_of_reach_of_scripts(self, client, settings):
        settings.SESSION_COOKIE_SECURE = True
        test = make_test()
        make_pair(test)
        session = start_sitting(client, test)
        cookie = client.cookies[rater_cookie.NAME]
        assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)
        assert cookie.value.startswith(f"{session.rater.uuid}:")

    def test_a_forged_cookie_is_nobody(self, client):
        test = make_test()
        make_pair(test)
        session = start_sitting(Client(), test)
        client.cookies[rater_cookie.NAME] = str(session.rater.uuid)
        assertRedirects(client.get(f"/t/{test.slug}/rate/"), f"/t/{test.slug}/")

    def test_a_double_click_makes_one_sitting(self, client):
        test = make_test()
        make_pair(test)
        form = consent_form(client.get(f"/t/{test.slug}/"))
        client.post(f"/t/{test.slug}/start/", form)
        Client().post(f"/t/{test.slug}/start/", form)
        assert counts() == (1, 0, 1, 1, 1)

    def test_a_second_tab_finds_the_first_ones_sitting(self, client):
        test = make_test()
        make_pair(test)
        second_tab = consent_form(client.get(f"/t/{test.slug}/"))
        start_sitting(client, test)
        client.post(f"/t/{test.slug}/start/", second_tab)
        assert counts() == (1, 0, 1, 1, 1)

    def test_get_is_refused(self, client):
        test = make_test()
        make_pair(test)
        assert client.get(f"/t/{test.slug}/start/").status_code == 405
        assert counts() == (0, 0, 0, 0, 0)

    def test_without_the_forms_pseudonym_it_goes_back(self, client):
        test = make_test()
        make_pair(test)
        response = client.post(f"/t/{test.slug}/start/", {"newcomer": "forged"})
        assertRedirects(response, f"/t/{test.slug}/")
        assert counts() == (0, 0, 0, 0, 0)

    @pytest.mark.parametrize(
        ("status", "sentence"),
        [
            (TestStatus.PAUSED, "This listening test is paused."),
            (TestStatus.CLOSED, "This listening test is closed."),
        ],
    )
    def test_paused_or_closed_meanwhile(self, client, status, sentence):
        test = make_test()
        make_pair(test)
        form = consent_form(client.get(f"/t/{test.slug}/"))
        test.status = status
        test.save()
        response = client.post(f"/t/{test.slug}/start/", form)
        assertContains(response, sentence, status_code=409)
        assert counts() == (0, 0, 0, 0, 0)

    def test_full_meanwhile(self, client):
        test = make_test(ratings_per_pair=1)
        pair = make_pair(test)
        form = consent_form(client.get(f"/t/{test.slug}/"))
        pair.load = 1
        pair.save()
        response = client.post(f"/t/{test.slug}/start/", form)
        assertContains(response, "Every sound of this listening test", status_code=409)
        assert counts() == (0, 0, 0, 0, 0)

    def test_a_form_from_elsewhere_is_refused_in_words(self):
        test = make_test()
        make_pair(test)
        response = Client(enforce_csrf_checks=True).post(f"/t/{test.slug}/start/", {})
        assertContains(response, "Allow cookies for this site", status_code=403)
        assertContains(response, "write to the people who invited you.", status_code=403)


class TestRecruiter:
    def test_the_link_is_a_claim(self, client):
        test = make_test()
        make_pair(test)
        session = start_sitting(client, test, "?PROLIFIC_PID=5f1e&STUDY_ID=s")
        assert (session.rater.identity.recruiter, session.rater.identity.claimed_id) == ("prolific", "5f1e")

    @pytest.mark.parametrize("claim", ["", "x" * 201, "a%00b", "a%0Ab"])
    def test_what_no_recruiter_sends_is_left_out(self, client, claim):
        test = make_test()
        make_pair(test)
        start_sitting(client, test, f"?PROLIFIC_PID={claim}")
        assert counts() == (1, 0, 1, 1, 1)

    def test_knowing_a_claim_opens_nothing(self, client):
        test = make_test()
        make_pair(test)
        start_sitting(Client(), test, "?PROLIFIC_PID=victim")
        assertContains(client.get(f"/t/{test.slug}/?PROLIFIC_PID=victim"), "I agree, start")

    def test_another_person_at_the_same_browser_is_another_rater(self, client):
        test = make_test()
        make_pair(test)
        first = start_sitting(client, test, "?PROLIFIC_PID=one")
        second = start_sitting(client, test, "?PROLIFIC_PID=two")
        assert first.rater != second.rater
        assertContains(client.get(f"/t/{test.slug}/?PROLIFIC_PID=two"), "Welcome back")


class TestComingBack:
    def test_an_open_sitting_is_offered(self, client):
        test = make_test()
        make_pairs(test, 3)
        start_sitting(client, test)
        send(client, test, an_answer(current_state(client, test)))
        page = client.get(f"/t/{test.slug}/")
        assertContains(page, "You have rated 1 of 3 sounds; all of that is saved.")
        assertContains(page, "Continue")

    def test_continuing_comes_to_the_same_pair(self, client):
        test = make_test()
        make_pairs(test, 3)
        start_sitting(client, test)
        before = current_state(client, test)
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/rate/")
        assert current_state(client, test) == before

    def test_an_ended_lease_is_renewed_by_post_alone(self, client):
        test = make_test()
        make_pairs(test, 1)
        start_sitting(client, test)
        Assignment.objects.update(lease_expires_at=timezone.now())
        before = list(Assignment.objects.values())
        assertContains(client.get(f"/t/{test.slug}/rate/"), "Continue")
        assert list(Assignment.objects.values()) == before
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/rate/")
        assert current_state(client, test)["next"]["assignment"] == str(before[0]["uuid"])

    def test_a_finished_rater_sees_the_code_again(self, client):
        test = make_test()
        make_pairs(test, 2)
        start_sitting(client, test)
        rate_all(client, test)
        skip_the_questions(client, test)
        page = client.get(f"/t/{test.slug}/", follow=True)
        assertContains(page, test.completion_code)
        assertContains(page, "2 ratings of yours are saved.")
        assertRedirects(client.get(f"/t/{test.slug}/rate/"), f"/t/{test.slug}/done/")

    def test_paused_in_the_middle(self, client):
        test = make_test()
        make_pairs(test, 2)
        start_sitting(client, test)
        test.status = TestStatus.PAUSED
        test.save()
        for path in ("", "rate/"):
            assertContains(client.get(f"/t/{test.slug}/{path}"), "This listening test is paused.")

    def test_closed_in_the_middle_counts_as_complete(self, client):
        test = make_test()
        make_pairs(test, 2)
        start_sitting(client, test)
        send(client, test, an_answer(current_state(client, test)))
        test.status = TestStatus.CLOSED
        test.save()
        Assignment.objects.update(lease_expires_at=timezone.now())
        client.post(f"/t/{test.slug}/resume/")
        assert Session.objects.get().status == SessionStatus.CUT_SHORT
        skip_the_questions(client, test)
        page = client.get(f"/t/{test.slug}/done/")
        assertContains(page, "your session counts as complete.")
        assertContains(page, test.completion_code)


class TestCode:
    def test_not_before_the_end(self, client):
        test = make_test()
        make_pairs(test, 2)
        start_sitting(client, test)
        for page in (client.get(f"/t/{test.slug}/done/", follow=True), client.get(f"/t/{test.slug}/rate/")):
            assertNotContains(page, test.completion_code)

    def test_not_for_a_stranger(self, client):
        test = make_test()
        make_pair(test)
        assertRedirects(client.get(f"/t/{test.slug}/done/"), f"/t/{test.slug}/")
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/")


class TestRatingPage:
    def test_it_works(self, client):
        test = make_test()
        pair = make_pair(test)
        start_sitting(client, test)
        page = client.get(f"/t/{test.slug}/rate/")
        assertContains(page, pair.caption.text)
        assertContains(page, "Saved 0 of 1")
        assertContains(page, 'type="radio"', count=11)
        assert not re.search(r'type="radio"[^>]* checked', page.content.decode())
        assert "no-store" in page["Cache-Control"]

    def test_without_scripts_it_says_so(self, client):
        test = make_test()
        make_pair(test)
        sentence = "Turn it on in your browser, then reload this page.</p></noscript>"
        assertContains(client.get(f"/t/{test.slug}/"), sentence)
        start_sitting(client, test)
        assertContains(client.get(f"/t/{test.slug}/rate/"), sentence)

    def test_practice_is_told(self, client):
        test = make_test()
        make_pair(test)
        make_pair(test, role=PairRole.PRACTICE)
        start_sitting(client, test)
        first = current_state(client, test)
        assert (first["next"]["practice"], first["planned"]) == (True, 1)
        second = send(client, test, an_answer(first)).json()
        assert (second["next"]["practice"], second["saved"]) == (False, 0)

    @pytest.mark.parametrize("role", [PairRole.ANCHOR, PairRole.GOLD])
    def test_anchor_and_gold_look_like_study(self, role):
        """But for what names this one pair, the pages are the same, letter by letter."""
        pages = []
        for one in (PairRole.STUDY, role):
            test = make_test(slug=f"same-{len(pages)}", title="Same")
            pair = make_pair(test, role=one, system="sys", expected_min=0, expected_max=2)
            client = Client()
            start_sitting(client, test)
            page = client.get(f"/t/{test.slug}/rate/")
            own = [
                *(test.slug, pair.caption.text, current_state(client, test)["next"]["assignment"]),
                *(page.context["csrf_token"], page.context["state"]["sitting"]),
            ]
            text = page.content.decode()
            for word in own:
                text = text.replace(str(word), "")
            pages.append(text)
        assert pages[0] == pages[1]
        assert role not in pages[1]
