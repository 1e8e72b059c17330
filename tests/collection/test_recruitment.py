"""Into a test and out of it: what links claim, who is let in, and the code of each outcome."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests import rater_cookie
from listening_tests.choices import Outcome, ProblemKind, SessionStatus, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import (
    Assignment,
    Declined,
    ExcludedId,
    ListeningTest,
    Rater,
    RaterIdentity,
    RecruitedSitting,
    Session,
)
from listening_tests.recruiters import Claim
from listening_tests.recruitment import EXCLUDED, FULL
from listening_tests.selectors import assignments_open
from listening_tests.services.recruitment import excluded_ids_read, excluded_ids_set
from listening_tests.services.sessions import session_screen_out, session_start
from listening_tests.services.skips import MOST_SKIPS, assignment_skip
from tests.collection.sitting import (
    an_answer,
    consent_form,
    current_state,
    rate_all,
    send,
    send_withdrawal,
    skip_the_questions,
    start_sitting,
)
from tests.factories import make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db

PERSON, STUDY, SUBMISSION = "5f1e0c3a9b7d2e4f6a8c0b1d", "6a1e0c3a9b7d2e4f6a8c0b1d", "7b1e0c3a9b7d2e4f6a8c0b1d"
LINK = f"?PROLIFIC_PID={PERSON}&STUDY_ID={STUDY}&SESSION_ID={SUBMISSION}"
LAST_PLACES = "Other people have the last places of this study now."


@pytest.fixture
def test() -> ListeningTest:
    test = make_test(recruiter="prolific")
    make_pairs(test, 3)
    return test


def end_the_leases() -> None:
    Assignment.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def way_back(code: str) -> str:
    return f'href="https://app.prolific.com/submissions/complete?cc={code}"'


class TestLink:
    def test_it_works(self, client: Client, test: ListeningTest) -> None:
        session = start_sitting(client, test, LINK)

        identity = RaterIdentity.objects.get()
        assert (identity.rater, identity.recruiter, identity.claimed_id) == (session.rater, "prolific", PERSON)
        recruited = RecruitedSitting.objects.get()
        assert (recruited.session, recruited.study, recruited.submission) == (session, STUDY, SUBMISSION)
        rate_all(client, test)
        assert Session.objects.get().outcome == Outcome.COMPLETE
        assertNotContains(client.get(f"/t/{test.slug}/questions/"), test.completion_code)
        skip_the_questions(client, test)
        page = client.get(f"/t/{test.slug}/done/")
        assertContains(page, way_back(test.completion_code))
        assertContains(page, 'id="way-back" data-sitting=')
        assertContains(page, "hidden>\n  <a class=")

    def test_a_plain_test_has_a_code_and_no_way_back(self, client: Client, test: ListeningTest) -> None:
        ListeningTest.objects.update(recruiter="plain")
        start_sitting(client, test, LINK)
        rate_all(client, test)
        skip_the_questions(client, test)
        page = client.get(f"/t/{test.slug}/done/")
        assertContains(page, test.completion_code)
        assertNotContains(page, "prolific.com")
        assertNotContains(page, "way_back.js")

    def test_the_same_id_at_two_browsers_is_two_raters(self, test: ListeningTest) -> None:
        for browser in (Client(), Client()):
            start_sitting(browser, test, LINK)
        assert Session.objects.values("rater").distinct().count() == 2
        assert set(RaterIdentity.objects.values_list("claimed_id", flat=True)) == {PERSON}

    def test_an_id_is_no_password(self, client: Client, test: ListeningTest) -> None:
        """Who knows somebody's id does not come into their sitting."""
        theirs = start_sitting(Client(), test, LINK)
        assertContains(client.get(f"/t/{test.slug}/{LINK}"), "I agree, start")
        assert start_sitting(client, test, LINK) != theirs

    def test_who_withdraws_takes_all_that_the_recruiter_said_along(self, client: Client, test: ListeningTest) -> None:
        other = make_test(recruiter="prolific")
        make_pair(other)
        start_sitting(client, test, LINK)
        start_sitting(client, other, LINK)
        assert RecruitedSitting.objects.count() == 2
        send_withdrawal(client, test)
        assert (RaterIdentity.objects.count(), RecruitedSitting.objects.count()) == (0, 0)

    def test_hostile_parameters_are_text(self, client: Client, test: ListeningTest) -> None:
        page = client.get(f"/t/{test.slug}/", {"PROLIFIC_PID": "a", "STUDY_ID": '"><script>alert(1)</script>'})
        assertContains(page, 'name="study" value="&quot;&gt;&lt;script&gt;')


class TestNo:
    def decline(self, client: Client, test: ListeningTest) -> dict[str, str]:
        form = {"newcomer": client.get(f"/t/{test.slug}/{LINK}").context["newcomer"]}
        assertRedirects(client.post(f"/t/{test.slug}/declined/", form), f"/t/{test.slug}/declined/")
        return form

    def test_it_works(self, client: Client, test: ListeningTest) -> None:
        assertContains(client.get(f"/t/{test.slug}/{LINK}"), "No, I do not want to take part")
        form = self.decline(client, test)
        assert Declined.objects.count() == 1
        assert not Rater.objects.exists() and not RaterIdentity.objects.exists()
        assert rater_cookie.NAME not in client.cookies
        page = client.get(f"/t/{test.slug}/declined/")
        assertContains(page, "You do not take part")
        assertContains(page, way_back(test.no_consent_code))
        assertNotContains(page, test.completion_code)
        client.post(f"/t/{test.slug}/declined/", form)
        assert Declined.objects.count() == 1

    def test_looking_counts_nobody(self, client: Client, test: ListeningTest) -> None:
        client.get(f"/t/{test.slug}/declined/")
        client.post(f"/t/{test.slug}/declined/", {"newcomer": "forged"})
        assert not Declined.objects.exists()

    def test_without_a_code_the_study_is_to_be_returned(self, client: Client, test: ListeningTest) -> None:
        ListeningTest.objects.update(no_consent_code="")
        page = client.get(f"/t/{test.slug}/declined/")
        assertContains(page, "If you were invited through a recruiting site, please return the study there.")
        assertNotContains(page, "prolific.com")

    def test_who_changes_their_mind_is_who_they_were_and_not_counted(self, client: Client, test: ListeningTest) -> None:
        form = consent_form(client.get(f"/t/{test.slug}/{LINK}"))
        page = client.post(f"/t/{test.slug}/declined/", form, follow=True)
        assertContains(page, f'href="/t/{test.slug}/{LINK.replace("&", "&amp;")}">I have changed my mind')
        assertRedirects(client.post(f"/t/{test.slug}/start/", form), f"/t/{test.slug}/sound/")
        client.post(f"/t/{test.slug}/declined/", form)
        assert not Declined.objects.exists()
        assert RecruitedSitting.objects.get().identity.claimed_id == PERSON

    def test_a_draft_has_no_such_page(self, client: Client, test: ListeningTest) -> None:
        ListeningTest.objects.update(status=TestStatus.DRAFT)
        assert client.post(f"/t/{test.slug}/declined/", {"newcomer": "x"}).status_code == 404


class TestCodes:
    """Each outcome has its own, and no page shows another one."""

    def test_screened_out(self, client: Client, test: ListeningTest) -> None:
        session_screen_out(session=start_sitting(client, test))
        page = client.get(f"/t/{test.slug}/", follow=True)
        assertContains(page, way_back(test.screened_out_code))
        assertNotContains(page, test.completion_code)
        ListeningTest.objects.update(screened_out_code="")
        assertContains(client.get(f"/t/{test.slug}/ended/"), "please return the study there")
        assert Session.objects.get().outcome == Outcome.SCREENED_OUT

    def test_technical_failure(self, client: Client, test: ListeningTest) -> None:
        make_pairs(test, MOST_SKIPS)
        session = start_sitting(client, test)
        while session.status == SessionStatus.ACTIVE:
            next_up = assignments_open(session=session)[0]
            session = assignment_skip(session=session, assignment_uuid=next_up.uuid, kind=ProblemKind.DECODE).session
        assert (session.status, session.outcome) == (SessionStatus.CUT_SHORT, Outcome.TECHNICAL_FAILURE)
        skip_the_questions(client, test)
        page = client.get(f"/t/{test.slug}/done/")
        assertContains(page, "The sounds would not play here, so the test ends for you. That is not held against you.")
        assertContains(page, way_back(test.technical_failure_code))
        assertNotContains(page, test.completion_code)
        ListeningTest.objects.update(technical_failure_code="")
        assertContains(client.get(f"/t/{test.slug}/done/"), way_back(test.completion_code))

    def test_what_the_platform_cut_short_counts_as_complete(self, client: Client, test: ListeningTest) -> None:
        start_sitting(client, test)
        ListeningTest.objects.update(status=TestStatus.CLOSED)
        client.post(f"/t/{test.slug}/resume/")
        assert Session.objects.values_list("status", "outcome").get() == ("cut_short", "complete")
        skip_the_questions(client, test)
        assertContains(client.get(f"/t/{test.slug}/done/"), way_back(test.completion_code))

    def test_after_a_withdrawal_the_code_of_the_end_stays(self, client: Client, test: ListeningTest) -> None:
        start_sitting(client, test)
        rate_all(client, test)
        send_withdrawal(client, test)
        page = client.get(f"/t/{test.slug}/withdraw/")
        assertContains(page, way_back(test.completion_code))
        assert Session.objects.get().outcome == Outcome.COMPLETE


class TestFull:
    @pytest.fixture
    def test(self) -> ListeningTest:
        test = make_test(max_raters=1, pairs_per_session=2)
        make_pairs(test, 4)
        return test

    def test_it_works(self, client: Client, test: ListeningTest) -> None:
        """One at work, and one done: told before anybody agrees to anything."""
        other = Client()
        form = consent_form(client.get(f"/t/{test.slug}/"))
        start_sitting(other, test)
        page = client.get(f"/t/{test.slug}/")
        assertContains(page, "This study is full")
        assertContains(page, f"{LAST_PLACES} A place that somebody leaves comes free within 30 minutes")
        assertNotContains(page, "I agree")
        rate_all(other, test)
        assertContains(client.get(f"/t/{test.slug}/"), str(FULL))
        assertContains(client.post(f"/t/{test.slug}/start/", form), str(FULL), status_code=409)
        assert (Session.objects.count(), Rater.objects.count()) == (1, 1)

    def test_who_is_in_goes_on(self, client: Client, test: ListeningTest) -> None:
        session = start_sitting(client, test)
        assertContains(client.get(f"/t/{test.slug}/"), "Welcome back")
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/rate/")
        send(client, test, an_answer(current_state(client, test)))
        assert Session.objects.get() == session

    def test_an_abandoned_place_comes_free(self, client: Client, test: ListeningTest) -> None:
        start_sitting(Client(), test)
        end_the_leases()
        assertContains(client.get(f"/t/{test.slug}/"), "I agree, start")
        start_sitting(client, test)
        assert Session.objects.count() == 2

    def test_who_was_ended_by_a_check_or_withdrew_takes_no_place(self, client: Client, test: ListeningTest) -> None:
        other = Client()
        session_screen_out(session=start_sitting(other, test))
        assertContains(client.get(f"/t/{test.slug}/"), "I agree, start")
        start_sitting(client, test)
        send_withdrawal(client, test)
        assertContains(Client().get(f"/t/{test.slug}/"), "I agree, start")

    def test_who_comes_back_to_a_lost_place_before_rating_is_told(self, client: Client, test: ListeningTest) -> None:
        start_sitting(client, test)
        end_the_leases()
        other = Client()
        start_sitting(other, test)
        assertContains(client.post(f"/t/{test.slug}/resume/"), LAST_PLACES, status_code=409)
        assert assignments_open(session=Session.objects.earliest("pk")) == []
        end_the_leases()
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/rate/")

    def test_who_has_rated_goes_on_all_the_same(self, client: Client, test: ListeningTest) -> None:
        start_sitting(client, test)
        send(client, test, an_answer(current_state(client, test)))
        end_the_leases()
        start_sitting(Client(), test)
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/rate/")
        assert Session.objects.earliest("pk").status == SessionStatus.ACTIVE

    def test_between_two_pairs_nobody_loses_their_place(self, client: Client, test: ListeningTest) -> None:
        """Everything in hand is rated, and what comes next is in other hands for a moment."""
        start_sitting(Client(), test)
        Assignment.objects.update(rated_at=timezone.now())
        assertContains(client.get(f"/t/{test.slug}/"), "This study is full")


class TestExcluded:
    def test_by_the_recruiters_id(self, client: Client, test: ListeningTest) -> None:
        earlier = make_test()
        make_pair(earlier)
        start_sitting(Client(), earlier, LINK)
        form = consent_form(client.get(f"/t/{test.slug}/{LINK}"))
        test.excluded_tests.add(earlier)
        page = client.get(f"/t/{test.slug}/{LINK}")
        assertContains(page, "This study is not for you")
        assertContains(page, str(EXCLUDED))
        assertContains(client.post(f"/t/{test.slug}/start/", form), str(EXCLUDED), status_code=409)
        assert not Session.objects.filter(test=test).exists()
        assertContains(client.get(f"/t/{test.slug}/?PROLIFIC_PID=other"), "I agree, start")

    def test_by_the_browser(self, client: Client, test: ListeningTest) -> None:
        earlier = make_test()
        make_pair(earlier)
        start_sitting(client, earlier)
        test.excluded_tests.add(earlier)
        assertContains(client.get(f"/t/{test.slug}/"), str(EXCLUDED))
        assertContains(Client().get(f"/t/{test.slug}/"), "I agree, start")
        # One way only: who took part in this one may come to the earlier one.
        assertNotContains(client.get(f"/t/{earlier.slug}/"), "not for you")

    def test_by_a_list(self, client: Client, test: ListeningTest) -> None:
        excluded_ids_set(test=test, claimed_ids=["one", PERSON])
        assertContains(client.get(f"/t/{test.slug}/{LINK}"), str(EXCLUDED))
        with pytest.raises(Refused, match="^This study is not for people who took part"):
            session_start(test=test, rater_uuid=uuid4(), claim=Claim("prolific", PERSON))
        assert not Rater.objects.exists()
        excluded_ids_set(test=test, claimed_ids=["two", "one"])
        assert set(ExcludedId.objects.values_list("claimed_id", flat=True)) == {"one", "two"}
        assertContains(client.get(f"/t/{test.slug}/{LINK}"), "I agree, start")

    def test_a_list_is_read_line_by_line(self) -> None:
        assert excluded_ids_read(' one \r\n\n"two",\none\n') == ["one", "two"]

    @pytest.mark.parametrize("line", ["x" * 201, "one,two", "a\x00b"])
    def test_a_list_is_refused_whole(self, line: str) -> None:
        with pytest.raises(Refused) as refusal:
            excluded_ids_read(f"fine\n{line}\nfine too")
        assert str(refusal.value) == (
            "Line 2 is no id: one id stands on each line, of at most 200 characters and without a comma. "
            "Nothing was changed."
        )
