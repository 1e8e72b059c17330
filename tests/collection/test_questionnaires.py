"""The questionnaire at the end: everything may be left out, and the code comes after it."""

from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests.choices import SessionStatus, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Questionnaire, Session, SurveyAnswer
from listening_tests.rater_forms import QuestionnaireForm
from listening_tests.services.questionnaires import QuestionnaireAnswers, questionnaire_skip, questionnaire_submit
from tests.collection.sitting import rate_all, start_sitting
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db

QUESTION_GONE = (
    "One of the questions was taken away while you answered, so nothing is sent yet. Please look at your answers and "
    "send them once again."
)


@pytest.fixture
def test() -> ListeningTest:
    test = make_test()
    make_pairs(test, 2)
    return test


@pytest.fixture
def session(client, test) -> Session:
    start_sitting(client, test)
    rate_all(client, test)
    return Session.objects.get()


def answered() -> list[tuple[str, str, str]]:
    return list(Questionnaire.objects.values_list("device", "surroundings", "remarks"))


class TestService:
    def test_it_works(self, test, session):
        instrument = test.survey_questions.create(prompt="Do you play an instrument?")
        age = test.survey_questions.create(prompt="How old are you?")
        answers = QuestionnaireAnswers("headphones", "quiet", "A dog barked.", {instrument.pk: "The tuba", age.pk: ""})
        questionnaire_submit(session=session, answers=answers)
        assert answered() == [("headphones", "quiet", "A dog barked.")]
        assert list(SurveyAnswer.objects.values_list("question", "text")) == [(instrument.pk, "The tuba")]
        assert Session.objects.get().questionnaire_at is not None

    def test_a_repeat_keeps_the_first_answers(self, session):
        for remarks in ("First", "Second"):
            questionnaire_submit(session=session, answers=QuestionnaireAnswers(remarks=remarks))
        assert answered() == [("", "", "First")]

    def test_a_question_that_was_taken_away_is_not_answered(self, test, session):
        kept, gone = (test.survey_questions.create(prompt=prompt) for prompt in ("Why?", "Which?"))
        answers = QuestionnaireAnswers(remarks="Kept", own={kept.pk: "So", gone.pk: "This"})
        gone.delete()
        with pytest.raises(Refused) as refusal:
            questionnaire_submit(session=session, answers=answers)
        assert str(refusal.value) == QUESTION_GONE
        assert (answered(), SurveyAnswer.objects.count()) == ([], 0)
        assert Session.objects.get().questionnaire_at is None

    def test_skipping_stores_no_answers(self, session):
        questionnaire_skip(session=session)
        assert answered() == []
        assert Session.objects.get().questionnaire_at is not None

    def test_answers_after_skipping_are_not_taken(self, session):
        questionnaire_skip(session=session)
        before = Session.objects.values().get()
        questionnaire_submit(session=session, answers=QuestionnaireAnswers(remarks="Late"))
        assert (answered(), Session.objects.values().get()) == ([], before)

    @pytest.mark.parametrize("status", [SessionStatus.ACTIVE, SessionStatus.SCREENED, SessionStatus.WITHDRAWN])
    def test_not_of_a_session_that_is_not_finished(self, session, status):
        Session.objects.update(status=status)
        questionnaire_submit(session=session, answers=QuestionnaireAnswers(remarks="Early"))
        questionnaire_skip(session=session)
        assert answered() == []
        assert Session.objects.get().questionnaire_at is None


class TestPage:
    def test_it_works(self, client, test, session):
        page = client.get(f"/t/{test.slug}/questions/")
        for words in ("What did you listen with?", "How quiet was it around you?", "anything else that you want"):
            assertContains(page, words)
        data = {"device": "earphones", "surroundings": "noisy", "remarks": "A tram\r\npassed."}
        assertRedirects(client.post(f"/t/{test.slug}/questions/", data), f"/t/{test.slug}/done/")
        assert answered() == [("earphones", "noisy", "A tram\npassed.")]

    def test_the_code_comes_after_it(self, client, test, session):
        for path in ("", "rate/", "done/", "questions/"):
            page = client.get(f"/t/{test.slug}/{path}", follow=True)
            assertContains(page, "A few last questions")
            assertNotContains(page, test.completion_code)
        assertRedirects(client.get(f"/t/{test.slug}/done/"), f"/t/{test.slug}/questions/")
        page = client.post(f"/t/{test.slug}/questions/", {"skip": "1"}, follow=True)
        assertContains(page, test.completion_code)
        assertRedirects(client.get(f"/t/{test.slug}/questions/"), f"/t/{test.slug}/done/")

    def test_everything_may_be_left_out(self, client, test, session):
        test.survey_questions.create(prompt="Why?")
        test.survey_questions.create(prompt="Which?", choices="This\nThat")
        assertRedirects(client.post(f"/t/{test.slug}/questions/", {}), f"/t/{test.slug}/done/")
        assert answered() == [("", "", "")]
        assert not SurveyAnswer.objects.exists()

    def test_skip_takes_no_answers_along(self, client, test, session):
        client.post(f"/t/{test.slug}/questions/", {"skip": "1", "device": "forged", "remarks": "x" * 3000})
        assert answered() == []
        assert Session.objects.get().questionnaire_at is not None

    def test_questions_of_the_researcher(self, client, test, session):
        open_one = test.survey_questions.create(prompt="Which was the hardest sound?")
        closed = test.survey_questions.create(prompt="Do you play?", choices=" Yes \n\nNo\r\nNo\n")
        page = client.get(f"/t/{test.slug}/questions/")
        assertContains(page, 'value="Yes"', count=1)
        assertContains(page, 'value="No"', count=1)
        client.post(f"/t/{test.slug}/questions/", {f"own-{open_one.pk}": "The dog", f"own-{closed.pk}": "Yes"})
        rows = SurveyAnswer.objects.order_by("pk").values_list("question", "text")
        assert list(rows) == [(open_one.pk, "The dog"), (closed.pk, "Yes")]

    @pytest.mark.parametrize(
        ("data", "sentence"),
        [
            ({"device": "telepathy"}, "Choose one of the answers."),
            ({"surroundings": "<b>"}, "Choose one of the answers."),
            ({"remarks": "x" * 2001}, "This text has 2001 characters. Shorten it to 2,000 or fewer."),
            ({"remarks": "nul\0"}, "Null characters are not allowed."),
        ],
    )
    def test_refusals_keep_what_was_typed(self, client, test, session, data, sentence):
        page = client.post(f"/t/{test.slug}/questions/", {"remarks": "Kept"} | data)
        assertContains(page, "This is not sent yet", status_code=422)
        assertContains(page, sentence, count=2, status_code=422)
        assertContains(page, data.get("remarks", "Kept"), status_code=422)
        assert answered() == []
        assert Session.objects.get().questionnaire_at is None

    def test_a_question_taken_away_meanwhile_is_asked_no_more(self, client, test, session, monkeypatch):
        kept, gone = (test.survey_questions.create(prompt=prompt) for prompt in ("Why?", "Which?"))
        data = {"remarks": "Kept", f"own-{kept.pk}": "So", f"own-{gone.pk}": "This"}
        read = QuestionnaireForm.answers

        def read_as_it_goes(form: QuestionnaireForm) -> QuestionnaireAnswers:
            gone.delete()
            return read(form)

        with monkeypatch.context() as patch:
            patch.setattr(QuestionnaireForm, "answers", read_as_it_goes)
            page = client.post(f"/t/{test.slug}/questions/", data)
        assertContains(page, QUESTION_GONE, status_code=409)
        assertContains(page, "Kept", status_code=409)
        assertNotContains(page, "Which?", status_code=409)
        assert answered() == []
        assertRedirects(client.post(f"/t/{test.slug}/questions/", data), f"/t/{test.slug}/done/")
        assert answered() == [("", "", "Kept")]
        assert SurveyAnswer.objects.get().text == "So"

    def test_a_line_end_is_one_character(self, client, test, session):
        """As it is to the browser, which lets the rater type 2,000 of them."""
        client.post(f"/t/{test.slug}/questions/", {"remarks": "a\r\n" * 999 + "ab"})
        assert len(answered()[0][2]) == 2000

    def test_words_go_round_letter_by_letter(self, client, test, session):
        remarks = "& + % < \" ' \\ 🐶 שלום" * 20
        client.post(f"/t/{test.slug}/questions/", {"remarks": remarks})
        assert answered() == [("", "", remarks)]

    def test_hostile_words_of_the_researcher_are_text(self, client, test, session):
        test.survey_questions.create(prompt="<script>alert(1)</script>", choices='"><img src=x onerror=alert(2)>\nNo')
        page = client.get(f"/t/{test.slug}/questions/")
        assertNotContains(page, "<script>alert")
        assertNotContains(page, "<img")

    def test_not_before_the_end(self, client, test):
        start_sitting(client, test)
        assertRedirects(client.get(f"/t/{test.slug}/questions/"), f"/t/{test.slug}/rate/")
        assertRedirects(client.post(f"/t/{test.slug}/questions/", {"skip": "1"}), f"/t/{test.slug}/rate/")
        assert Session.objects.get().questionnaire_at is None

    def test_a_finished_sitting_is_not_stopped_by_a_pause(self, client, test, session):
        test.status = TestStatus.PAUSED
        test.save()
        page = client.post(f"/t/{test.slug}/questions/", {"skip": "1"}, follow=True)
        assertContains(page, test.completion_code)

    def test_looking_changes_nothing(self, client, test, session):
        client.get(f"/t/{test.slug}/questions/")
        assert answered() == []
        assert Session.objects.get().questionnaire_at is None

    def test_it_takes_few_queries(self, client, test, session, django_assert_max_num_queries):
        for number in range(5):
            test.survey_questions.create(prompt=f"Question {number}?")
        with django_assert_max_num_queries(3):
            client.get(f"/t/{test.slug}/questions/")

    def test_a_stranger(self, client, test):
        assertRedirects(client.get(f"/t/{test.slug}/questions/"), f"/t/{test.slug}/")
        assertRedirects(client.post(f"/t/{test.slug}/questions/"), f"/t/{test.slug}/")


def test_sessions_from_before_show_their_code(client, test) -> None:
    start_sitting(client, test)
    Session.objects.update(
        status=SessionStatus.COMPLETE, finished_at=timezone.now(), questionnaire_at=timezone.now(), uuid=uuid4()
    )
    assertContains(client.get(f"/t/{test.slug}/done/"), test.completion_code)
