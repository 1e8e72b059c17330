"""What raters are asked besides ratings, set up on the page of a test; and what they answered."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from listening_tests.choices import WithdrawnRatings
from listening_tests.models import (
    CheckQuestion,
    ListeningTest,
    Questionnaire,
    Rating,
    Session,
    SurveyAnswer,
    SurveyQuestion,
)
from tests.collection.admin_pages import existing, form_of_test, make_rating, page
from tests.factories import make_pair, make_test

pytestmark = pytest.mark.django_db
DEFAULT_CHECK = {
    "prompt": "What do you rate in this test?",
    "right_answer": "How well the caption matches the sound",
    "wrong_answer": "How good the quality of the recording is",
    "other_wrong_answer": "How much I like the sound",
}


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create(username="researcher", is_staff=True, is_superuser=True))
    return client


def inline(formset: str, *rows: dict[str, object]) -> dict[str, object]:
    """What the page sends for the rows of one formset; those with an id were there before."""
    counts = {"TOTAL_FORMS": len(rows), "INITIAL_FORMS": sum("id" in row for row in rows)}
    fields = {f"{place}-{name}": value for place, row in enumerate(rows) for name, value in row.items()}
    return {f"{formset}-{name}": value for name, value in (counts | fields).items()}


def answered_question(test: ListeningTest, **fields: str) -> SurveyQuestion:
    question = SurveyQuestion.objects.create(test=test, **{"prompt": "How old are you?"} | fields)
    make_rating(make_pair(test))
    questionnaire = Questionnaire.objects.create(
        session=Session.objects.latest("pk"), device="headphones", surroundings="quiet", remarks="<b>Nice</b> & short"
    )
    SurveyAnswer.objects.create(questionnaire=questionnaire, question=question, text="<i>42</i>")
    return question


def test_it_works(staff: Client) -> None:
    """A new test asks the usual question unless it is taken out; editing adds none."""
    added = staff.get(page("listeningtest_add")).content.decode()
    assert 'name="check_questions-TOTAL_FORMS" value="1"' in added
    assert "Comprehension check (two attempts)" in added
    assert "Where nothing stands here, nothing is asked." in added
    assert (
        staff.post(page("listeningtest_add"), form_of_test(**inline("check_questions", DEFAULT_CHECK))).status_code
        == 302
    )
    test = ListeningTest.objects.get()
    assert test.check_questions.values(*DEFAULT_CHECK).get() == DEFAULT_CHECK

    shown = staff.get(page("listeningtest_change", test.pk)).content.decode()
    assert 'name="check_questions-TOTAL_FORMS" value="1"' in shown
    row = DEFAULT_CHECK | {"id": test.check_questions.get().pk, "test": test.pk}
    taken_out = inline("check_questions", row | {"DELETE": "on"})
    assert staff.post(page("listeningtest_change", test.pk), existing(test, **taken_out)).status_code == 302
    assert not test.check_questions.exists()
    shown = staff.get(page("listeningtest_change", test.pk)).content.decode()
    assert 'name="check_questions-TOTAL_FORMS" value="0"' in shown


def test_without_the_question_nothing_is_asked(staff: Client) -> None:
    assert staff.post(page("listeningtest_add"), form_of_test()).status_code == 302
    assert not CheckQuestion.objects.exists()


@pytest.mark.parametrize("name", ["wrong_answer", "other_wrong_answer"])
def test_answers_that_cannot_be_told_apart_are_refused(staff: Client, name: str) -> None:
    row = DEFAULT_CHECK | {name: DEFAULT_CHECK["right_answer"].upper()}
    response = staff.post(page("listeningtest_add"), form_of_test(**inline("check_questions", row)))

    assert "Another answer says the same. A rater could not tell them apart." in response.content.decode()
    assert not ListeningTest.objects.exists()


def test_a_check_of_two_answers_is_enough(staff: Client) -> None:
    row = DEFAULT_CHECK | {"other_wrong_answer": ""}
    assert staff.post(page("listeningtest_add"), form_of_test(**inline("check_questions", row))).status_code == 302
    assert CheckQuestion.objects.get().other_wrong_answer == ""


def test_questions_of_ones_own_are_added(staff: Client) -> None:
    test = make_test()
    rows = {"prompt": "How old are you?"}, {"prompt": "Where?", "choices": " Home \r\n\r\nWork\r\n"}
    response = staff.post(page("listeningtest_change", test.pk), existing(test, **inline("survey_questions", *rows)))

    assert response.status_code == 302
    asked = list(test.survey_questions.values_list("prompt", "choices"))
    assert asked == [("How old are you?", ""), ("Where?", "Home\nWork")]


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ("Home", "Write 2 to 20 answers to choose from, one a line, or none for a free text."),
        ("\n".join(map(str, range(21))), "Write 2 to 20 answers to choose from, one a line, or none for a free text."),
        ("Home\nhome", "Two answers say the same. A rater could not tell them apart."),
        ("Home\n" + 201 * "x", "An answer to choose from has at most 200 characters."),
    ],
)
def test_choices_that_cannot_be_chosen_from_are_refused(staff: Client, choices: str, sentence: str) -> None:
    test = make_test()
    row = {"prompt": "Where?", "choices": choices}
    response = staff.post(page("listeningtest_change", test.pk), existing(test, **inline("survey_questions", row)))

    assert sentence in response.content.decode()
    assert not SurveyQuestion.objects.exists()


def test_a_question_that_was_answered_stays(staff: Client) -> None:
    test = make_test()
    question = answered_question(test)
    row = {"id": question.pk, "test": test.pk, "prompt": question.prompt, "choices": ""}
    same = {"title": "New", "consent_text": test.consent_text}
    address = page("listeningtest_change", test.pk)
    response = staff.post(address, existing(test, **same, **inline("survey_questions", row | {"DELETE": "on"})))

    assert (
        "Raters answered the question “How old are you?”, so it cannot be deleted: its answers would go with it."
    ) in response.content.decode()
    test.refresh_from_db()
    assert test.title != "New" and SurveyAnswer.objects.count() == 1
    assert staff.post(address, existing(test, **same, **inline("survey_questions", row))).status_code == 302


@pytest.mark.parametrize("change", [{"prompt": "How tall are you?"}, {"choices": "Young\nOld"}])
def test_the_wording_of_a_question_stays_once_it_was_answered(staff: Client, change: dict[str, str]) -> None:
    test = make_test()
    question = answered_question(test)
    row = {"id": question.pk, "test": test.pk, "prompt": question.prompt, "choices": ""} | change
    response = staff.post(page("listeningtest_change", test.pk), existing(test, **inline("survey_questions", row)))

    assert (
        "Raters answered this question, so it cannot change: their answers would mean something else. "
        "Add another question instead."
    ) in response.content.decode()
    question.refresh_from_db()
    assert (question.prompt, question.choices) == ("How old are you?", "")


def test_what_becomes_of_withdrawn_ratings_is_part_of_the_consent(staff: Client) -> None:
    test = make_test()
    address = page("listeningtest_change", test.pk)
    same = {"consent_text": test.consent_text}
    assert staff.post(address, existing(test, **same, withdrawn_ratings="exclude")).status_code == 302
    make_rating(make_pair(test))
    response = staff.post(address, existing(test, **same, withdrawn_ratings="delete"))

    assert (
        "Raters agreed to version 1 of the consent, so neither its text nor what becomes of the "
        "ratings of who withdraws can change. Raise the version to 2 or more to change them."
    ) in response.content.decode()
    test.refresh_from_db()
    assert (test.withdrawn_ratings, test.consent_version) == (WithdrawnRatings.EXCLUDE, 1)
    raised = existing(test, **same, withdrawn_ratings="delete", consent_version=2)
    assert staff.post(address, raised).status_code == 302
    test.refresh_from_db()
    assert (test.withdrawn_ratings, test.consent_version) == (WithdrawnRatings.DELETE, 2)


def test_answers_are_read_in_a_list_and_with_their_session(staff: Client) -> None:
    answered_question(make_test())
    session = Session.objects.get()
    pages = (
        page("questionnaire_changelist"),
        page("questionnaire_change", Questionnaire.objects.get().pk),
        page("session_change", session.pk),
    )
    for address in pages:
        shown = staff.get(address).content.decode()
        assert "Headphones" in shown and "Quiet" in shown
        assert "&lt;b&gt;Nice&lt;/b&gt; &amp; short" in shown and "<b>Nice" not in shown
        assert "How old are you?" in shown
        assert "&lt;i&gt;42&lt;/i&gt;" in shown and "<i>42" not in shown
    assert staff.get(page("questionnaire_add")).status_code == 403
    assert staff.post(pages[1], {"remarks": "Mine"}).status_code == 403
    assert Rating.objects.count() == 1
