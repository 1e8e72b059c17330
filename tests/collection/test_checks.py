"""The comprehension check: two attempts, no trace of what is right, and an end without blame."""

from collections.abc import Sequence
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests.choices import SessionStatus, TestStatus
from listening_tests.comprehension import CheckItem, check_items
from listening_tests.models import Assignment, ListeningTest, Pair, Session
from listening_tests.services.checks import check_submit
from listening_tests.services.sessions import session_start
from tests.collection.sitting import consent_form
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db


@pytest.fixture
def test() -> ListeningTest:
    test = make_test()
    make_pairs(test, 5)
    test.check_questions.create()
    test.check_questions.create(
        prompt="When may you give a score?",
        right_answer="When I have heard the whole sound",
        wrong_answer="At once",
        other_wrong_answer="",
    )
    return test


@pytest.fixture
def session(test) -> Session:
    return session_start(test=test, rater_uuid=uuid4())


@pytest.fixture
def sitting(client, test) -> Session:
    """Of the client's browser."""
    client.post(f"/t/{test.slug}/start/", consent_form(client.get(f"/t/{test.slug}/")))
    return Session.objects.latest("pk")


def answers(session: Session, right: Sequence[bool]) -> dict[int, str]:
    return {
        item.question.pk: name_of(item, is_right) for item, is_right in zip(check_items(session), right, strict=True)
    }


def name_of(item: CheckItem, is_right: bool) -> str:
    return next(name for name in item.answers if item.is_right(name) is is_right)


def form(session: Session, *right: bool, attempt: int = 1) -> dict[str, object]:
    given = answers(session, right)
    return {f"check-{pk}": name for pk, name in given.items()} | {"attempt": attempt}


def post(client: Client, test: ListeningTest, data: dict[str, object]):
    return client.post(f"/t/{test.slug}/check/", data)


def follow(client: Client, test: ListeningTest, data: dict[str, object]):
    """The page that the rater reads then."""
    return client.post(f"/t/{test.slug}/check/", data, follow=True)


def standing() -> tuple[object, ...]:
    session = Session.objects.get()
    return session.status, session.needs_check, session.check_attempts


class TestService:
    def test_it_works(self, session):
        assert session.needs_check
        receipt = check_submit(session=session, attempt=1, answers=answers(session, [True, True]))
        assert (receipt.counted, receipt.wrong) == (True, frozenset())
        assert standing() == (SessionStatus.ACTIVE, False, 1)

    def test_a_wrong_answer_is_named_and_may_be_mended(self, session):
        first, second = session.test.check_questions.all()
        receipt = check_submit(session=session, attempt=1, answers=answers(session, [True, False]))
        assert receipt.wrong == {second.pk}
        assert standing() == (SessionStatus.ACTIVE, True, 1)
        check_submit(session=session, attempt=2, answers=answers(session, [True, True]))
        assert standing() == (SessionStatus.ACTIVE, False, 2)

    def test_two_wrong_attempts_end_the_session_and_give_its_pairs_back(self, session):
        assert Pair.objects.filter(load=1).count() == 3
        check_submit(session=session, attempt=1, answers=answers(session, [False, True]))
        check_submit(session=session, attempt=2, answers=answers(session, [False, True]))
        assert standing() == (SessionStatus.SCREENED, True, 2)
        assert Session.objects.get().finished_at is not None
        assert not Pair.objects.exclude(load=0).exists()
        assert Assignment.objects.filter(released_at__isnull=False).count() == 3

    def test_a_repeat_of_an_attempt_counts_once_and_tells_nothing(self, session):
        given = answers(session, [False, True])
        check_submit(session=session, attempt=1, answers=given)
        receipt = check_submit(session=session, attempt=1, answers=given)
        assert (receipt.counted, receipt.wrong) == (False, frozenset())
        assert standing() == (SessionStatus.ACTIVE, True, 1)

    def test_a_repeat_after_the_end_changes_nothing(self, session):
        for attempt in (1, 2):
            check_submit(session=session, attempt=attempt, answers=answers(session, [False, True]))
        before = Session.objects.values().get()
        for attempt in (1, 2, 3):
            assert not check_submit(session=session, attempt=attempt, answers=answers(session, [True, True])).counted
        assert Session.objects.values().get() == before

    @pytest.mark.parametrize("attempt", [0, 2, 7])
    def test_an_attempt_out_of_turn_is_not_counted(self, session, attempt):
        assert not check_submit(session=session, attempt=attempt, answers=answers(session, [True, True])).counted
        assert standing() == (SessionStatus.ACTIVE, True, 0)

    def test_what_is_missing_or_unknown_is_wrong(self, session):
        first, second = session.test.check_questions.all()
        receipt = check_submit(session=session, attempt=1, answers={first.pk: first.right_answer})
        assert receipt.wrong == {first.pk, second.pk}

    def test_a_lease_that_ended_is_given_back_once(self, session):
        Assignment.objects.filter(session=session).update(released_at=timezone.now())
        Pair.objects.update(load=0)
        for attempt in (1, 2):
            check_submit(session=session, attempt=attempt, answers=answers(session, [False, True]))
        assert not Pair.objects.exclude(load=0).exists()


class TestOrder:
    def test_it_is_the_same_for_a_session_and_differs_between_sessions(self, test):
        sessions = [Session(test=test) for _ in range(12)]
        orders = [tuple(check_items(session)[0].answers.values()) for session in sessions]
        assert orders == [tuple(check_items(session)[0].answers.values()) for session in sessions]
        assert len(set(orders)) > 1
        assert len({answers[0] for answers in orders}) > 1

    def test_the_names_of_the_answers_differ_between_sessions(self, test):
        one, two = (set(check_items(Session(test=test))[0].answers) for _ in range(2))
        assert not one & two


class TestPage:
    def test_it_works(self, client, test, sitting):
        page = client.get(f"/t/{test.slug}/check/")
        assertContains(page, test.instructions)
        assertContains(page, "You have two attempts.")
        assertContains(page, 'type="radio"', count=5)
        assertNotContains(page, "checked")
        assertRedirects(post(client, test, form(sitting, True, True)), f"/t/{test.slug}/sound/")

    def test_it_comes_first(self, client, test, sitting):
        for path in ("sound/", "rate/", "questions/", "done/"):
            assertRedirects(client.get(f"/t/{test.slug}/{path}"), f"/t/{test.slug}/check/")
        assertContains(client.get(f"/t/{test.slug}/"), "Welcome back")
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/check/")

    def test_nothing_of_the_page_tells_the_right_answer(self, client, test, sitting):
        """Neither the order, which is that of the names, nor any word."""
        page = client.get(f"/t/{test.slug}/check/").content.decode()
        for item in check_items(sitting):
            names = [page.index(f'value="{name}"') for name in item.answers]
            assert names == sorted(names)
        assert "right" not in page

    def test_a_wrong_answer_is_told_with_the_instructions(self, client, test, sitting):
        page = follow(client, test, form(sitting, False, True))
        assertContains(page, "Not all of this is right yet")
        assertContains(page, "This answer is not right.", count=2)
        assertContains(page, " checked", count=2)
        assertContains(page, "You have one more attempt;")
        assertContains(page, test.instructions)
        assertContains(page, 'name="attempt" value="2"')
        assertContains(client.get(f"/t/{test.slug}/check/"), "You have one more attempt;")

    def test_a_repeated_request_does_not_use_up_the_second_attempt(self, client, test, sitting):
        for _ in range(3):
            assertContains(follow(client, test, form(sitting, False, True)), "You have one more attempt;")
        assert standing() == (SessionStatus.ACTIVE, True, 1)
        assertRedirects(post(client, test, form(sitting, True, True, attempt=2)), f"/t/{test.slug}/sound/")

    def test_an_attempt_that_was_counted_cannot_be_used_to_find_out_what_is_right(self, client, test, sitting):
        post(client, test, form(sitting, False, True))
        pages = [follow(client, test, form(sitting, right, True)).content.decode() for right in (True, False)]
        assert not any("This answer is not right." in page for page in pages)

    def test_what_was_wrong_is_told_to_this_rater_and_of_this_attempt(self, client, test, sitting):
        told = post(client, test, form(sitting, False, True)).url
        assertContains(client.get(told), "This answer is not right.")
        assertNotContains(client.get(told[:-2]), "This answer is not right.")
        Session.objects.update(check_attempts=0)
        assertNotContains(client.get(told), "This answer is not right.")
        stranger = Client()
        stranger.post(f"/t/{test.slug}/start/", consent_form(stranger.get(f"/t/{test.slug}/")))
        assertNotContains(stranger.get(told), "This answer is not right.")

    def test_a_question_that_was_taken_away_meanwhile_is_not_asked_again(self, client, test, sitting):
        told = post(client, test, form(sitting, False, True)).url
        test.check_questions.first().delete()
        page = client.get(told)
        assertContains(page, 'type="radio"', count=2)
        assertNotContains(page, "This answer is not right.")

    def test_a_question_left_out_costs_no_attempt(self, client, test, sitting):
        given = form(sitting, True, True)
        given.popitem()
        page = post(client, test, {"attempt": 1} | dict(list(given.items())[:1]))
        assertContains(page, "Choose one of the answers.", status_code=422)
        assert standing() == (SessionStatus.ACTIVE, True, 0)

    @pytest.mark.parametrize("attempt", ["", "x", "0", "1e9", "-1"])
    def test_a_forged_attempt_costs_nothing(self, client, test, sitting, attempt):
        response = post(client, test, form(sitting, True, True) | {"attempt": attempt})
        assertContains(response, "The form did not arrive whole.", status_code=422)
        assert standing() == (SessionStatus.ACTIVE, True, 0)

    def test_the_end_is_told_kindly_and_with_a_code_of_its_own(self, client, test, sitting):
        post(client, test, form(sitting, False, True))
        response = post(client, test, form(sitting, False, True, attempt=2))
        assertRedirects(response, f"/t/{test.slug}/ended/")
        for path in ("", "check/", "sound/", "rate/", "questions/", "done/", "ended/"):
            page = client.get(f"/t/{test.slug}/{path}", follow=True)
            assertContains(page, "It is not held against you.")
            assertContains(page, test.screened_out_code)
            assertNotContains(page, test.completion_code)

    def test_looking_changes_nothing(self, client, test, sitting):
        client.get(f"/t/{test.slug}/check/")
        assert standing() == (SessionStatus.ACTIVE, True, 0)

    def test_while_paused(self, client, test, sitting):
        test.status = TestStatus.PAUSED
        test.save()
        for answer in (client.get(f"/t/{test.slug}/check/"), post(client, test, form(sitting, False, False))):
            assertContains(answer, "This listening test is paused.")
        assert standing() == (SessionStatus.ACTIVE, True, 0)

    def test_closed_meanwhile_it_leads_to_the_end(self, client, test, sitting):
        test.status = TestStatus.CLOSED
        test.save()
        for answer in (client.get(f"/t/{test.slug}/check/"), post(client, test, form(sitting, False, False))):
            assertContains(answer, "It was closed before you had finished. Your session counts as complete:")
        assert standing() == (SessionStatus.ACTIVE, True, 0)
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/questions/")
        page = client.post(f"/t/{test.slug}/questions/", {"skip": "1"}, follow=True)
        assertContains(page, test.completion_code)
        assert standing() == (SessionStatus.CUT_SHORT, True, 0)

    def test_a_test_whose_questions_were_taken_away_lets_the_rater_through(self, client, test, sitting):
        test.check_questions.all().delete()
        client.get(f"/t/{test.slug}/check/")
        assertRedirects(post(client, test, {"attempt": 1}), f"/t/{test.slug}/sound/")

    def test_hostile_words_of_the_researcher_are_text(self, client, test):
        test.check_questions.create(prompt="<script>alert(1)</script>", wrong_answer='"><img src=x onerror=alert(2)>')
        client.post(f"/t/{test.slug}/start/", consent_form(client.get(f"/t/{test.slug}/")))
        page = client.get(f"/t/{test.slug}/check/")
        assertNotContains(page, "<script>alert")
        assertNotContains(page, "<img")

    def test_it_takes_few_queries(self, client, test, sitting, django_assert_max_num_queries):
        with django_assert_max_num_queries(4):
            client.get(f"/t/{test.slug}/check/")

    def test_a_stranger(self, client, test):
        assertRedirects(client.get(f"/t/{test.slug}/check/"), f"/t/{test.slug}/")
        assertRedirects(client.post(f"/t/{test.slug}/check/"), f"/t/{test.slug}/")
