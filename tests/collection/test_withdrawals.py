"""Withdrawal: what goes, what stays, and that pay and use are two verdicts."""

from uuid import uuid4

import pytest
from django.db.models import Count
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests.choices import PairRole, ProblemKind, SessionStatus, TestStatus, WithdrawnRatings
from listening_tests.exceptions import Withdrawn
from listening_tests.models import (
    Assignment,
    Exclusion,
    ListeningTest,
    Pair,
    ProblemReport,
    Questionnaire,
    Rater,
    RaterIdentity,
    Rating,
    Session,
    SurveyAnswer,
    Withdrawal,
)
from listening_tests.services.ratings import Answer, rating_submit
from listening_tests.services.withdrawals import TREATMENTS, rater_withdraw
from tests.collection.sitting import (
    an_answer,
    current_state,
    rate_all,
    send,
    send_withdrawal,
    skip_the_questions,
    start_sitting,
)
from tests.factories import make_pair, make_pairs, make_test

pytestmark = pytest.mark.django_db

DELETE, EXCLUDE = WithdrawnRatings.DELETE, WithdrawnRatings.EXCLUDE


@pytest.fixture
def test() -> ListeningTest:
    test = make_test(contact_email="lab@example.org")
    make_pairs(test, 6)
    make_pair(test, role=PairRole.PRACTICE)
    return test


def sit(client: Client, test: ListeningTest, n_ratings: int = 3, query: str = "") -> Session:
    """A sitting with so many ratings, the first of them practice."""
    session = start_sitting(client, test, query)
    state = current_state(client, test)
    for _ in range(n_ratings):
        state = send(client, test, an_answer(state)).json()
    return Session.objects.get(pk=session.pk)


def make_test_with_pairs() -> ListeningTest:
    test = make_test()
    make_pairs(test, 2)
    return test


def sit_to_the_code(client: Client, test: ListeningTest) -> Session:
    start_sitting(client, test)
    rate_all(client, test)
    skip_the_questions(client, test)
    return Session.objects.latest("pk")


def assert_loads_are_true() -> None:
    """The load of each pair is its ratings plus its open leases."""
    for pair in Pair.objects.exclude(role=PairRole.PRACTICE).annotate(n_ratings=Count("ratings")):
        leases = pair.assignments.filter(rated_at__isnull=True, released_at__isnull=True).count()
        assert pair.load == pair.n_ratings + leases


class TestDeleting:
    def test_it_works(self, client, test):
        session = sit(client, test, query="?PROLIFIC_PID=5f1e")
        first = Rating.objects.order_by("submitted_at").first()
        assert RaterIdentity.objects.exists()
        withdrawal = rater_withdraw(session=session)
        assert (withdrawal.n_ratings, withdrawal.treatment) == (3, DELETE)
        assert first is not None
        assert withdrawal.first_rated_at == first.submitted_at
        assert not Rating.objects.exists()
        assert not RaterIdentity.objects.exists()
        session.refresh_from_db()
        assert session.status == SessionStatus.WITHDRAWN
        assert session.finished_at is not None

    def test_the_pairs_are_free_for_others(self, client, test):
        sit(Client(), test, n_ratings=2)
        session = sit(client, test, n_ratings=4)
        rater_withdraw(session=session)
        assert_loads_are_true()
        assert not session.assignments.filter(rated_at__isnull=True, released_at__isnull=True).exists()

    def test_the_ratings_of_others_stay(self, client, test):
        other = sit(Client(), test)
        rater_withdraw(session=sit(client, test))
        assert set(Rating.objects.values_list("rater", flat=True)) == {other.rater_id}

    def test_exclusions_by_rules_go_with_their_ratings(self, client, test):
        session = sit(client, test)
        Exclusion.objects.bulk_create(Exclusion(rating=rating, rule="anchors") for rating in Rating.objects.all())
        rater_withdraw(session=session)
        assert not Exclusion.objects.exists()

    def test_the_pseudonym_the_consent_and_the_assignments_stay(self, client, test):
        session = sit(client, test)
        before = session.assignments.count()
        rater_withdraw(session=session)
        assert session.assignments.count() == before
        assert Rater.objects.count() == 1
        assert session.rater.consents.count() == 1

    def test_ratings_at_another_test_stay(self, client, test):
        other_test = make_test_with_pairs()
        session = sit(client, test)
        other = sit(client, other_test, n_ratings=1)
        assert other.rater == session.rater
        rater_withdraw(session=session)
        assert Rating.objects.get().test == other_test
        other.refresh_from_db()
        assert other.status == SessionStatus.ACTIVE

    def test_before_the_first_rating(self, client, test):
        withdrawal = rater_withdraw(session=sit(client, test, n_ratings=0))
        assert (withdrawal.n_ratings, withdrawal.first_rated_at) == (0, None)
        assert_loads_are_true()

    def test_a_late_rating_is_taken_off_its_pair_too(self, client, test):
        session = start_sitting(client, test)
        state = current_state(client, test)
        state = send(client, test, an_answer(state)).json()
        Assignment.objects.filter(uuid=state["next"]["assignment"]).update(released_at=timezone.now())
        Pair.objects.filter(assignments__uuid=state["next"]["assignment"]).update(load=0)
        send(client, test, an_answer(state))
        assert_loads_are_true()
        rater_withdraw(session=session)
        assert_loads_are_true()


@pytest.mark.parametrize(("promised", "since"), [(DELETE, EXCLUDE), (EXCLUDE, DELETE)])
def test_what_was_promised_holds_whatever_the_test_says_since(client, test, promised, since) -> None:
    ListeningTest.objects.update(withdrawn_ratings=promised)
    session = sit(client, test)
    ListeningTest.objects.update(withdrawn_ratings=since)
    assertContains(client.get(f"/t/{test.slug}/withdraw/"), TREATMENTS[promised].capitalize())
    assert rater_withdraw(session=session).treatment == promised
    assert Rating.objects.exists() is (promised == EXCLUDE)
    assertContains(client.get(f"/t/{test.slug}/withdraw/"), TREATMENTS[promised].capitalize())


class TestExcluding:
    def test_it_works(self, client, test):
        ListeningTest.objects.update(withdrawn_ratings=EXCLUDE)
        session = sit(client, test, query="?PROLIFIC_PID=5f1e")
        kept = sorted(Rating.objects.values_list("pk", "score"))
        withdrawal = rater_withdraw(session=session)
        assert (withdrawal.n_ratings, withdrawal.treatment) == (3, EXCLUDE)
        assert sorted(Rating.objects.values_list("pk", "score")) == kept
        rules = Exclusion.objects.values_list("rule", "version", "reason").distinct()
        assert list(rules) == [("withdrawal", 1, "The rater withdrew from the test.")]
        assert Exclusion.objects.count() == 3
        assert not RaterIdentity.objects.exists()
        assert_loads_are_true()

    def test_what_the_rater_agreed_to_is_done_whatever_the_test_says_since(self, client, test):
        ListeningTest.objects.update(withdrawn_ratings=EXCLUDE)
        session = sit(client, test)
        ListeningTest.objects.update(withdrawn_ratings=DELETE, consent_version=2)
        assertContains(client.get(f"/t/{test.slug}/withdraw/"), "left out of every analysis")
        assert rater_withdraw(session=session).treatment == EXCLUDE
        assert Rating.objects.count() == 3

    def test_exclusions_by_rules_stay(self, client, test):
        ListeningTest.objects.update(withdrawn_ratings=EXCLUDE)
        session = sit(client, test, n_ratings=1)
        Exclusion.objects.create(rating=Rating.objects.get(), rule="anchors")
        rater_withdraw(session=session)
        assert set(Exclusion.objects.values_list("rule", flat=True)) == {"anchors", "withdrawal"}


@pytest.mark.parametrize("treatment", [DELETE, EXCLUDE])
class TestEitherWay:
    def test_a_repeat_finds_it_done(self, client, test, treatment):
        ListeningTest.objects.update(withdrawn_ratings=treatment)
        session = sit(client, test)
        first = rater_withdraw(session=session)
        before = Session.objects.values().get()
        assert rater_withdraw(session=session) == first
        assert Session.objects.values().get() == before
        assert Withdrawal.objects.count() == 1
        assert_loads_are_true()

    def test_every_word_of_theirs_goes(self, client, test, treatment):
        ListeningTest.objects.update(withdrawn_ratings=treatment)
        session = sit_to_the_code(client, test)
        question = test.survey_questions.create(prompt="Who are you?")
        questionnaire = Questionnaire.objects.create(session=session, remarks="I am Sam.")
        SurveyAnswer.objects.create(questionnaire=questionnaire, question=question, text="Sam")
        assignment = session.assignments.first()
        for kind in (ProblemKind.OTHER, ProblemKind.LOAD):
            ProblemReport.objects.create(
                test=test, session=session, assignment=assignment, kind=kind, text="Sam here", browser="Sam's"
            )
        rater_withdraw(session=session)
        assert not Questionnaire.objects.exists()
        assert not SurveyAnswer.objects.exists()
        assert set(ProblemReport.objects.values_list("kind", "text", "browser")) == {
            (ProblemKind.OTHER, "", ""),
            (ProblemKind.LOAD, "", ""),
        }

    def test_later_ratings_are_refused(self, client, test, treatment):
        ListeningTest.objects.update(withdrawn_ratings=treatment)
        session = sit(client, test)
        state = current_state(client, test)
        rater_withdraw(session=session)
        n_ratings = Rating.objects.count()
        with pytest.raises(Withdrawn):
            rating_submit(
                session=session,
                assignment_uuid=state["next"]["assignment"],
                answer=Answer.of_score(client_uuid=uuid4(), score=5, plays=1, heard_s=1, elapsed_s=2),
            )
        assert send(client, test, an_answer(state)).status_code == 410
        assert Rating.objects.count() == n_ratings


class TestPage:
    def test_it_works(self, client, test):
        sit(client, test)
        page = client.get(f"/t/{test.slug}/withdraw/")
        assertContains(page, "You need no reason.")
        assertContains(page, "Your scores are deleted.")
        assertContains(page, "There is no completion code, since the session is not finished.")
        response = send_withdrawal(client, test, follow=False)
        assertRedirects(response, f"/t/{test.slug}/withdraw/")
        page = client.get(f"/t/{test.slug}/withdraw/")
        assertContains(page, "You have withdrawn")
        assertContains(page, "write to <a href=")
        assertNotContains(page, test.completion_code)

    def test_who_sits_at_other_tests_reads_what_goes_there_too(self, client, test):
        start_sitting(Client(), other_test := make_test_with_pairs())
        sit(client, test)
        clause = "erased, for the other listening tests that you have taken part in here as well"
        page = client.get(f"/t/{test.slug}/withdraw/")
        assertContains(page, "who you are is erased; so is every text that you wrote to us.")
        sit(client, other_test, n_ratings=0)
        for one in (test, other_test):
            page = client.get(f"/t/{one.slug}/withdraw/")
            assertContains(page, clause)
            assertContains(page, "in this test. Your scores at the others stay.")

    def test_looking_changes_nothing(self, client, test):
        sit(client, test)
        client.get(f"/t/{test.slug}/withdraw/")
        assert not Withdrawal.objects.exists()
        assert Session.objects.get().status == SessionStatus.ACTIVE

    def test_a_repeat_is_answered_alike(self, client, test):
        sit(client, test)
        for _ in range(2):
            response = send_withdrawal(client, test)
            assertContains(response, "You have withdrawn")
        assert Withdrawal.objects.get().n_ratings == 3

    def test_who_comes_back_is_told(self, client, test):
        sit(client, test)
        send_withdrawal(client, test, follow=False)
        for path in ("", "check/", "sound/", "rate/", "questions/", "done/", "ended/", "link/"):
            assertRedirects(client.get(f"/t/{test.slug}/{path}"), f"/t/{test.slug}/withdraw/")
        for path in ("start/", "resume/", "check/", "sound/", "questions/"):
            client.post(f"/t/{test.slug}/{path}")
        assert Session.objects.get().status == SessionStatus.WITHDRAWN
        assert not RaterIdentity.objects.exists()

    def test_who_has_finished_keeps_the_code(self, client, test):
        sit_to_the_code(client, test)
        page = client.get(f"/t/{test.slug}/withdraw/")
        assertContains(page, "You keep your completion code: you did the work.")
        page = send_withdrawal(client, test)
        assertContains(page, test.completion_code)
        assertContains(client.get(f"/t/{test.slug}/", follow=True), test.completion_code)

    def test_who_has_rated_all_and_not_seen_the_code_gets_it(self, client, test):
        start_sitting(client, test)
        rate_all(client, test)
        page = send_withdrawal(client, test)
        assertContains(page, test.completion_code)

    def test_who_was_screened_gets_none(self, client, test):
        sit(client, test, n_ratings=0)
        Session.objects.update(status=SessionStatus.SCREENED, needs_check=True, finished_at=timezone.now())
        page = client.get(f"/t/{test.slug}/withdraw/")
        assertContains(page, "There is no completion code, since the test ended for you before the first sound.")
        page = send_withdrawal(client, test)
        assertContains(page, "You have withdrawn")
        assertNotContains(page, test.completion_code)

    def test_excluding_is_said(self, client, test):
        ListeningTest.objects.update(withdrawn_ratings=EXCLUDE)
        sit(client, test)
        sentence = "Your scores are left out of every analysis, and kept without anything that says who you are."
        assertContains(client.get(f"/t/{test.slug}/withdraw/"), sentence)
        assertContains(send_withdrawal(client, test), sentence)

    @pytest.mark.parametrize("status", [TestStatus.PAUSED, TestStatus.CLOSED])
    def test_while_the_test_is_not_open(self, client, test, status):
        sit(client, test)
        ListeningTest.objects.update(status=status)
        assertContains(client.get(f"/t/{test.slug}/withdraw/"), "Withdraw from this test")
        assertContains(send_withdrawal(client, test), "You have withdrawn")

    def test_without_a_contact_address(self, client, test):
        ListeningTest.objects.update(contact_email="")
        sit(client, test)
        page = send_withdrawal(client, test)
        assertContains(page, "write to the people who invited you.")

    def test_the_form_of_another_rater_withdraws_nobody(self, client, test):
        """As where a browser was handed on while the page stood open."""
        other = sit(Client(), test)
        session = sit(client, test)
        page = client.post(f"/t/{test.slug}/withdraw/", {"sitting": other.uuid}, follow=True)
        assertContains(page, "Withdraw from this test")
        assertContains(page, f'name="sitting" value="{session.uuid}"')
        assert not Withdrawal.objects.exists()

    def test_a_stranger(self, client, test):
        for answer in (client.get(f"/t/{test.slug}/withdraw/"), send_withdrawal(client, test, follow=False)):
            assertContains(answer, "This browser has no sitting at this test, so there is nothing to withdraw here.")
        assert not Withdrawal.objects.exists()

    def test_it_takes_few_queries(self, client, test, django_assert_max_num_queries):
        sit(client, test)
        with django_assert_max_num_queries(4):
            client.get(f"/t/{test.slug}/withdraw/")
