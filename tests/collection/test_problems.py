"""Problems that raters report: from any page, once, within limits, and without an address of theirs."""

from uuid import UUID, uuid4

import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests.choices import ProblemKind, SessionStatus, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import Assignment, ListeningTest, ProblemReport, Session
from listening_tests.services.problems import MOST_OF_A_SESSION, MOST_OF_STRANGERS_A_DAY, problem_report
from tests.collection.sitting import current_state, send_withdrawal, start_sitting
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db

TOO_MANY_OF_YOURS = (
    "You have sent 20 reports from this test, which is as many as it takes. "
    "They have arrived; write to the contact address for more."
)
TOO_MANY_TODAY = (
    "This test has had 200 reports today from people who are not in a sitting, which is as many as it takes in a day. "
    "Write to the contact address, or try again tomorrow."
)


@pytest.fixture
def test() -> ListeningTest:
    test = make_test()
    make_pairs(test, 3)
    return test


def problem_form(client: Client, test: ListeningTest, query: str = "", **words: str) -> dict[str, object]:
    """What the button of the page sends."""
    form = client.get(f"/t/{test.slug}/problem/{query}").context["form"]
    return {name: form[name].value() or "" for name in ("client_uuid", "pair")} | {"text": "No sound"} | words


def send(client: Client, test: ListeningTest, data: dict[str, object], **options):
    return client.post(f"/t/{test.slug}/problem/", data, **options)


def file_many(test: ListeningTest, session: Session | None, number: int, kind: str = ProblemKind.OTHER) -> None:
    ProblemReport.objects.bulk_create(
        ProblemReport(test=test, session=session, kind=kind, text="Again") for _ in range(number)
    )


class TestService:
    def test_it_works(self, client, test):
        session = start_sitting(client, test)
        assignment = session.assignments.earliest("pk")
        report = problem_report(
            test=test,
            session=session,
            client_uuid=uuid4(),
            text="It crackles.",
            browser="A browser",
            assignment_uuid=assignment.uuid,
        )
        assert ProblemReport.objects.get() == report
        assert (report.kind, report.session, report.assignment) == (ProblemKind.OTHER, session, assignment)
        assert (report.text, report.browser) == ("It crackles.", "A browser")

    def test_a_repeat_finds_the_report(self, test):
        client_uuid = uuid4()
        first, second = (
            problem_report(test=test, session=None, client_uuid=client_uuid, text="Once") for _ in range(2)
        )
        assert first == second
        assert ProblemReport.objects.get().text == "Once"

    def test_other_words_from_the_same_form_are_another_report(self, test):
        """As after Back, where the browser shows the form as it was sent."""
        client_uuid = uuid4()
        for text in ("First", "Second", "First"):
            problem_report(test=test, session=None, client_uuid=client_uuid, text=text)
        assert sorted(ProblemReport.objects.values_list("text", flat=True)) == ["First", "Second"]

    def test_the_pair_of_another_rater_is_left_out(self, client, test):
        other = start_sitting(Client(), test)
        session = start_sitting(client, test)
        stranger_to = other.assignments.earliest("pk").uuid
        for of_session in (session, None):
            report = problem_report(
                test=test, session=of_session, client_uuid=uuid4(), text="Mine", assignment_uuid=stranger_to
            )
            assert report.assignment is None

    def test_long_names_of_browsers_are_cut(self, test):
        report = problem_report(test=test, session=None, client_uuid=uuid4(), text="No sound", browser="x" * 5000)
        assert len(report.browser) == 300

    def test_a_session_has_a_limit(self, client, test):
        session = start_sitting(client, test)
        file_many(test, session, MOST_OF_A_SESSION)
        with pytest.raises(Refused) as refusal:
            problem_report(test=test, session=session, client_uuid=uuid4(), text="More")
        assert str(refusal.value) == TOO_MANY_OF_YOURS
        assert ProblemReport.objects.count() == MOST_OF_A_SESSION

    def test_a_repeat_of_the_last_one_is_no_further_one(self, client, test):
        session = start_sitting(client, test)
        client_uuid = uuid4()
        last = problem_report(test=test, session=session, client_uuid=client_uuid, text="Last")
        file_many(test, session, MOST_OF_A_SESSION)
        assert problem_report(test=test, session=session, client_uuid=client_uuid, text="Last") == last

    def test_skipped_sounds_are_outside_of_the_limit(self, client, test):
        session = start_sitting(client, test)
        assignments = list(Assignment.objects.all())
        ProblemReport.objects.bulk_create(
            ProblemReport(test=test, session=session, assignment=one, kind=ProblemKind.LOAD) for one in assignments
        )
        file_many(test, session, MOST_OF_A_SESSION - 1)
        problem_report(test=test, session=session, client_uuid=uuid4(), text="One more")

    def test_strangers_have_a_limit_a_day(self, test, client):
        file_many(test, None, MOST_OF_STRANGERS_A_DAY)
        with pytest.raises(Refused) as refusal:
            problem_report(test=test, session=None, client_uuid=uuid4(), text="More")
        assert str(refusal.value) == TOO_MANY_TODAY
        session = start_sitting(client, test)
        problem_report(test=test, session=session, client_uuid=uuid4(), text="From a rater")
        problem_report(test=make_test(), session=None, client_uuid=uuid4(), text="Of another test")


class TestPage:
    def test_it_works(self, client, test):
        session = start_sitting(client, test)
        response = send(client, test, problem_form(client, test), headers={"User-Agent": "Some browser 1.0"})
        assertRedirects(response, f"/t/{test.slug}/problem/?sent")
        page = client.get(response.url)
        assertContains(page, "Thank you, your report has arrived")
        assertContains(page, f'href="/t/{test.slug}/rate/"')
        report = ProblemReport.objects.get()
        assert (report.session, report.text, report.browser) == (session, "No sound", "Some browser 1.0")
        assert report.assignment is None

    def test_it_can_name_the_pair(self, client, test):
        start_sitting(client, test)
        assignment = current_state(client, test)["next"]["assignment"]
        send(client, test, problem_form(client, test, f"?pair={assignment}"))
        report = ProblemReport.objects.get()
        assert report.assignment is not None
        assert report.assignment.uuid == UUID(assignment)

    def test_without_a_sitting(self, client, test):
        response = send(client, test, problem_form(client, test))
        assertContains(client.get(response.url), f'href="/t/{test.slug}/"')
        assert ProblemReport.objects.get().session is None

    def test_after_withdrawing_it_says_nothing_of_who_they_are(self, client, test):
        start_sitting(client, test)
        assertContains(client.get(f"/t/{test.slug}/problem/"), "together with the name of your browser")
        assignment = current_state(client, test)["next"]["assignment"]
        send_withdrawal(client, test, follow=False)
        page = client.get(f"/t/{test.slug}/problem/")
        assertContains(page, "without anything that says who you are")
        data = problem_form(client, test, f"?pair={assignment}")
        response = send(client, test, data, headers={"User-Agent": "Some browser 1.0"})
        assertContains(client.get(response.url), f'href="/t/{test.slug}/withdraw/"')
        report = ProblemReport.objects.get()
        assert (report.session, report.assignment, report.text, report.browser) == (None, None, "No sound", "")

    def test_no_address_of_the_rater_is_kept(self, client, test):
        send(client, test, problem_form(client, test), REMOTE_ADDR="203.0.113.9")
        assert "203.0.113" not in str(ProblemReport.objects.values().get())

    def test_a_repeat_is_answered_alike(self, client, test):
        data = problem_form(client, test)
        assert send(client, test, data).url == send(client, test, data).url
        assert ProblemReport.objects.count() == 1

    @pytest.mark.parametrize("query", ["?pair=", "?pair=x", "?pair=" + "9" * 5000])
    def test_a_strange_pair_is_left_out(self, client, test, query):
        send(client, test, problem_form(client, test, query))
        assert ProblemReport.objects.get().assignment is None

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "Say in a few words what happened."),
            ("  \r\n ", "Say in a few words what happened."),
            ("x" * 2001, "This text has 2001 characters. Shorten it to 2,000 or fewer."),
            ("nul\0", "Null characters are not allowed."),
        ],
    )
    def test_refusals(self, client, test, text, sentence):
        page = send(client, test, problem_form(client, test, text=text))
        assertContains(page, "This is not sent yet", status_code=422)
        assertContains(page, sentence, count=2, status_code=422)
        assert not ProblemReport.objects.exists()

    @pytest.mark.parametrize("name", ["client_uuid", "pair"])
    def test_a_forged_form(self, client, test, name):
        page = send(client, test, problem_form(client, test) | {name: "forged"})
        assertContains(page, "The form did not arrive whole.", status_code=422)
        assert not ProblemReport.objects.exists()

    def test_past_the_limit(self, client, test):
        file_many(test, start_sitting(client, test), MOST_OF_A_SESSION)
        assertContains(send(client, test, problem_form(client, test)), TOO_MANY_OF_YOURS, status_code=429)

    def test_looking_changes_nothing(self, client, test):
        client.get(f"/t/{test.slug}/problem/")
        client.get(f"/t/{test.slug}/problem/?sent")
        assert not ProblemReport.objects.exists()

    def test_hostile_words_come_back_as_text(self, client, test):
        text = "</textarea><script>alert(1)</script>" + "x" * 2000
        page = send(client, test, problem_form(client, test, text=text))
        assertNotContains(page, "<script>alert", status_code=422)

    @pytest.mark.parametrize("status", [TestStatus.PAUSED, TestStatus.CLOSED])
    def test_while_the_test_is_not_open(self, client, test, status):
        ListeningTest.objects.update(status=status)
        assertRedirects(send(client, test, problem_form(client, test)), f"/t/{test.slug}/problem/?sent")

    def test_an_unknown_test(self, client):
        page = client.get("/t/nowhere/problem/")
        assertContains(page, "There is no listening test at this address.", status_code=404)

    def test_it_takes_few_queries(self, client, test, django_assert_max_num_queries):
        start_sitting(client, test)
        with django_assert_max_num_queries(2):
            client.get(f"/t/{test.slug}/problem/")


class TestFoot:
    """What stands at the foot of the pages."""

    def feet(self, client: Client, test: ListeningTest, *paths: str) -> list[str]:
        pages = [client.get(f"/t/{test.slug}/{path}", follow=True).content.decode() for path in paths]
        return [page[page.index("<footer") :] for page in pages]

    def test_before_the_sitting(self, client, test):
        ListeningTest.objects.update(contact_email="lab@example.org")
        for foot in self.feet(client, test, "", "problem/", "withdraw/"):
            assert "lab@example.org" in foot
            assert "Report a problem" in foot
            assert "Continue on another device" not in foot

    def test_on_every_page_of_a_sitting(self, client, test):
        ListeningTest.objects.update(contact_email="lab@example.org")
        start_sitting(client, test)
        feet = self.feet(client, test, "", "rate/", "problem/", "problem/?sent", "withdraw/", "link/")
        Session.objects.update(sound_set_up_at=None)
        feet += self.feet(client, test, "sound/")
        Session.objects.update(needs_check=True)
        feet += self.feet(client, test, "check/")
        Session.objects.update(status=SessionStatus.COMPLETE)
        feet += self.feet(client, test, "questions/")
        client.post(f"/t/{test.slug}/questions/", {"skip": "1"})
        feet += self.feet(client, test, "done/")
        ListeningTest.objects.update(status=TestStatus.PAUSED)
        Session.objects.update(status=SessionStatus.ACTIVE)
        feet += self.feet(client, test, "rate/")
        for foot in feet:
            for words in ("lab@example.org", "Report a problem", "Continue on another device", "Withdraw"):
                assert words in foot

    def test_after_withdrawing(self, client, test):
        start_sitting(client, test)
        send_withdrawal(client, test, follow=False)
        (foot,) = self.feet(client, test, "")
        assert "Report a problem" in foot
        assert "Continue on another device" not in foot
