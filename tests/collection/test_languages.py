"""In which language raters read their pages: by their choice, by their browser's wish, or in English."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from django.utils import translation
from django.utils.html import escape
from pytest_django import Settings
from pytest_django.asserts import assertContains, assertNotContains

from listening_tests.choices import TestStatus
from listening_tests.comprehension import check_items
from listening_tests.default_texts import as_shown
from listening_tests.languages import languages_found
from listening_tests.models import Consent, ListeningTest, ProblemReport, Questionnaire, Session
from listening_tests.services.problems import MOST_OF_A_SESSION
from tests.collection.sitting import consent_form, rate_all, start_sitting
from tests.factories import make_pairs, make_test
from tests.made_up_language import LANGUAGE, NAME, as_made_up, catalogue_write

AGREE = {"en": "I agree, start", "ja": "同意して始める"}
NOT_SPOKEN = "This site does not speak that language. Go back and choose one of those at the foot of the page."


def fails(request: HttpRequest) -> HttpResponse:
    raise RuntimeError


urlpatterns = [path("t/fails/", fails), path("", include("webapp.urls"))]


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    """A page leaves its language behind in the thread, which here is the test's own."""
    yield
    translation.deactivate()


@pytest.fixture
def test(db: None) -> ListeningTest:
    test = make_test(contact_email="lab@example.org")
    make_pairs(test, 3)
    return test


@pytest.fixture
def japanese() -> Client:
    return Client(headers={"Accept-Language": "ja,en;q=0.5"})


def choose(client: Client, language: str, next_page: str) -> Any:
    return client.post("/language/", {"language": language, "next": next_page})


class TestChoosing:
    def test_it_works(self, client: Client, test: ListeningTest) -> None:
        page = f"/t/{test.slug}/?PROLIFIC_PID=a"
        assertContains(client.get(page), AGREE["en"])

        answer = choose(client, "ja", page)

        assert (answer.status_code, answer["Location"]) == (302, page)
        shown = client.get(page)
        assertContains(shown, AGREE["ja"])
        assertContains(shown, '<html lang="ja">')
        assert shown["Content-Language"] == "ja"

    def test_once_more_is_the_same(self, client: Client, test: ListeningTest) -> None:
        for _ in range(2):
            choose(client, "ja", "/t/x/")
        assertContains(client.get(f"/t/{test.slug}/"), AGREE["ja"])

    def test_the_browser_is_asked_before_anybody_chose(self, japanese: Client, test: ListeningTest) -> None:
        shown = japanese.get(f"/t/{test.slug}/")
        assertContains(shown, AGREE["ja"])
        assert {"Accept-Language", "Cookie"} <= set(shown["Vary"].split(", "))
        assert "no-store" in shown["Cache-Control"]

    def test_a_choice_comes_before_the_browsers_wish(self, japanese: Client, test: ListeningTest) -> None:
        choose(japanese, "en", f"/t/{test.slug}/")
        assertContains(japanese.get(f"/t/{test.slug}/"), AGREE["en"])

    @pytest.mark.parametrize("wish", ["fr", "", "*", "xx-invalid;q=nonsense", "ja" * 400])
    def test_english_where_the_wish_is_for_none_of_them(self, test: ListeningTest, wish: str) -> None:
        client = Client(headers={"Accept-Language": wish})
        assertContains(client.get(f"/t/{test.slug}/"), AGREE["en"])

    def test_a_kept_choice_that_is_offered_no_more_is_passed_over(self, client: Client, test: ListeningTest) -> None:
        client.cookies["earmark_language"] = "fr"
        assertContains(client.get(f"/t/{test.slug}/"), AGREE["en"])

    @pytest.mark.parametrize("language", ["fr", "xx", "", "../ja"])
    def test_another_language_is_refused(self, client: Client, language: str) -> None:
        answer = choose(client, language, "/t/x/")
        assertContains(answer, NOT_SPOKEN, status_code=400)
        assert "earmark_language" not in client.cookies

    def test_opening_the_address_chooses_nothing(self, client: Client) -> None:
        client.get("/language/?language=ja&next=/t/x/")
        assert "earmark_language" not in client.cookies

    def test_a_form_of_somebody_elses_is_refused(self) -> None:
        client = Client(enforce_csrf_checks=True)
        assertContains(choose(client, "ja", "/t/x/"), "The form was not accepted", status_code=403)
        assert "earmark_language" not in client.cookies

    def test_no_other_site_is_gone_to(self, client: Client) -> None:
        assert choose(client, "ja", "https://example.org/t/x/")["Location"] == "/"

    def test_the_cookie_is_not_for_scripts(self, client: Client) -> None:
        choose(client, "ja", "/t/x/")
        cookie = client.cookies["earmark_language"]
        assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 365 * 24 * 3600)


class TestSwitch:
    def test_each_language_goes_by_its_own_name(self, client: Client, test: ListeningTest) -> None:
        shown = client.get(f"/t/{test.slug}/?a=1&b=2")
        button = '<button class="language" type="submit" name="language" value="ja" lang="ja">日本語</button>'
        assertContains(shown, button, html=True)
        assertContains(shown, '<span class="language" lang="en" aria-current="true">English</span>', html=True)
        assertContains(shown, f'<input type="hidden" name="next" value="/t/{test.slug}/?a=1&amp;b=2">', html=True)

    def test_it_stands_on_pages_without_a_test_too(self, japanese: Client, db: None) -> None:
        for address in ("/t/nowhere/", "/nowhere/"):
            shown = japanese.get(address)
            assertContains(shown, 'value="en" lang="en">English</button>', status_code=404)

    def test_what_came_by_post_is_not_asked_for_again(self, client: Client, test: ListeningTest) -> None:
        form = consent_form(client.get(f"/t/{test.slug}/"))
        ListeningTest.objects.update(status=TestStatus.PAUSED)
        shown = client.post(f"/t/{test.slug}/start/", form)
        assertContains(shown, f'name="next" value="/t/{test.slug}/"', status_code=409)

    def test_there_is_none_where_there_is_one_language(
        self, client: Client, test: ListeningTest, settings: Settings
    ) -> None:
        settings.LANGUAGES = languages_found([])
        assertNotContains(client.get(f"/t/{test.slug}/"), 'id="languages"')


class TestStaff:
    def test_the_admin_and_the_dashboard_stay_english(self, admin_client: Client, test: ListeningTest) -> None:
        choose(admin_client, "ja", f"/t/{test.slug}/")
        assertContains(admin_client.get(f"/t/{test.slug}/"), AGREE["ja"])
        for address in ("/dashboard/", "/admin/", "/admin/listening_tests/listeningtest/"):
            shown = admin_client.get(address, headers={"Accept-Language": "ja"})
            assert shown["Content-Language"] == "en"
            assertContains(shown, '<html lang="en"')
            assertNotContains(shown, "実験")

    def test_signing_in_too(self, japanese: Client, test: ListeningTest) -> None:
        japanese.get(f"/t/{test.slug}/")
        assertContains(japanese.get("/admin/login/"), "Log in")


class TestWhatIsStored:
    """It is the same in whatever language the pages were read."""

    def test_consent(self, japanese: Client, test: ListeningTest) -> None:
        start_sitting(japanese, test)
        consent = Consent.objects.get()
        assert (consent.version, consent.withdrawn_ratings) == (test.consent_version, test.withdrawn_ratings)

    def test_the_check(self, japanese: Client, test: ListeningTest) -> None:
        question = test.check_questions.create()
        session = start_sitting(japanese, test)
        shown = japanese.get(f"/t/{test.slug}/check/")
        assertContains(shown, "キャプションが音にどのくらい合っているか")
        assertNotContains(shown, question.right_answer)
        [item] = check_items(session)
        right = next(name for name, text in item.answers.items() if text == question.right_answer)
        assertContains(shown, f'value="{right}"')
        japanese.post(f"/t/{test.slug}/check/", {"attempt": "1", f"check-{question.pk}": right})
        session.refresh_from_db()
        assert (session.needs_check, session.check_attempts) == (False, 1)

    def test_a_wrong_answer_is_told(self, japanese: Client, test: ListeningTest) -> None:
        question = test.check_questions.create()
        [item] = check_items(start_sitting(japanese, test))
        wrong = next(name for name, text in item.answers.items() if text == question.wrong_answer)
        answer = {"attempt": "1", f"check-{question.pk}": wrong}
        assertContains(japanese.post(f"/t/{test.slug}/check/", answer, follow=True), "この答えは正しくありません。")

    def test_the_questionnaire(self, japanese: Client, test: ListeningTest) -> None:
        start_sitting(japanese, test)
        rate_all(japanese, test)
        assertContains(japanese.get(f"/t/{test.slug}/questions/"), "ヘッドホン")
        japanese.post(f"/t/{test.slug}/questions/", {"device": "headphones", "surroundings": "some_noise"})
        stored = Questionnaire.objects.get()
        assert (stored.device, stored.surroundings) == ("headphones", "some_noise")


class TestTextsOfATest:
    def test_what_a_new_test_says_is_translated(self, japanese: Client, test: ListeningTest) -> None:
        shown = japanese.get(f"/t/{test.slug}/")
        assertContains(shown, "短い音を聞いていただきます。")
        assertContains(shown, "評価の点数は、お名前ではなく無作為な番号とともに保存され")
        assertNotContains(shown, "You will hear short sounds")

    def test_what_a_researcher_wrote_is_not(self, japanese: Client, test: ListeningTest) -> None:
        ListeningTest.objects.update(instructions="Continue", consent_text="Noisy <b>")
        shown = japanese.get(f"/t/{test.slug}/")
        for text in ("Continue", escape("Noisy <b>")):
            assertContains(shown, f'<p class="prose" dir="auto">{text}</p>', html=True)

    def test_an_empty_text_stays_empty(self, japanese: Client, test: ListeningTest) -> None:
        ListeningTest.objects.update(instructions="", consent_text="")
        assertNotContains(japanese.get(f"/t/{test.slug}/"), "Project-Id-Version")
        with translation.override("ja"):
            assert as_shown("") == ""


class TestRefusals:
    def test_a_test_that_is_paused(self, japanese: Client, test: ListeningTest) -> None:
        ListeningTest.objects.update(status=TestStatus.PAUSED)
        assertContains(japanese.get(f"/t/{test.slug}/"), "この聴取実験は一時休止しています。")

    def test_consent_that_changed(self, japanese: Client, test: ListeningTest) -> None:
        form = consent_form(japanese.get(f"/t/{test.slug}/"))
        ListeningTest.objects.update(consent_version=2)
        answer = japanese.post(f"/t/{test.slug}/start/", form)
        assertContains(answer, "同意の内容が変更されました。", status_code=409)
        assert not Session.objects.exists()

    def test_pairs_that_others_hold(self, japanese: Client, client: Client, test: ListeningTest) -> None:
        ListeningTest.objects.update(ratings_per_pair=1, pairs_per_session=3)
        start_sitting(client, test)
        assertContains(japanese.get(f"/t/{test.slug}/"), "評価されなかった音は30分以内に空きます")

    def test_a_text_that_is_too_long(self, japanese: Client, test: ListeningTest) -> None:
        start_sitting(japanese, test)
        form = japanese.get(f"/t/{test.slug}/problem/").context["form"]
        sent = {"client_uuid": form["client_uuid"].value(), "text": "x" * 2001}
        answer = japanese.post(f"/t/{test.slug}/problem/", sent)
        assertContains(answer, "2001文字あります。2,000文字以内に短くしてください。", status_code=422)
        assertContains(answer, "<title>もう一度ご確認ください：", status_code=422)

    def test_too_many_reports(self, japanese: Client, test: ListeningTest) -> None:
        session = start_sitting(japanese, test)
        for _ in range(MOST_OF_A_SESSION):
            ProblemReport.objects.create(test=test, session=session, kind="other", text="It crackles.")
        form = japanese.get(f"/t/{test.slug}/problem/").context["form"]
        sent = {"client_uuid": form["client_uuid"].value(), "text": "パチパチします"}
        answer = japanese.post(f"/t/{test.slug}/problem/", sent)
        assertContains(answer, "この実験からの報告は、上限の20件に達しました。", status_code=429)

    def test_a_missing_cookie_as_scripts_and_people_read_it(self, test: ListeningTest) -> None:
        client = Client(enforce_csrf_checks=True, headers={"Accept-Language": "ja"})
        answer = client.post(f"/t/{test.slug}/ratings/", "{}", content_type="application/json")
        assert answer.json()["error"].startswith("ページを保護するためのCookieが")
        assert answer["Content-Language"] == "ja"
        page = client.post(f"/t/{test.slug}/start/")
        assertContains(page, "送信を受け付けられませんでした", status_code=403)
        # Where it came from by POST, there is no page to come back to.
        assertNotContains(page, 'id="languages"', status_code=403)

    @pytest.mark.urls(__name__)
    def test_a_fault_of_ours(self, japanese: Client) -> None:
        japanese.raise_request_exception = False
        answer = japanese.get("/t/fails/")
        assertContains(answer, "サイト側で問題が起こりました", status_code=500)
        assertContains(answer, '<html lang="ja">', status_code=500)

    def test_sounds_are_of_no_language(self, japanese: Client, test: ListeningTest) -> None:
        japanese.post(f"/t/{test.slug}/start/", consent_form(japanese.get(f"/t/{test.slug}/")))
        answer = japanese.get(f"/t/{test.slug}/sound/volume/")
        assert answer.status_code == 200
        assert "Content-Language" not in answer
        assert "Accept-Language" not in answer.get("Vary", "")


class TestScripts:
    def test_their_sentences_are_in_the_page(self, japanese: Client, test: ListeningTest) -> None:
        shown = japanese.get(f"/t/{test.slug}/")
        assertContains(shown, '<script id="words" type="application/json">')

    def test_english_needs_none(self, client: Client, test: ListeningTest) -> None:
        assertNotContains(client.get(f"/t/{test.slug}/"), 'id="words"')


class TestAThirdLanguage:
    """It is a catalogue and nothing else."""

    @pytest.fixture(autouse=True)
    def catalogue(self, settings: Settings, tmp_path: Path) -> None:
        catalogue_write(tmp_path / "locale")
        settings.LOCALE_PATHS = [tmp_path / "locale", *settings.LOCALE_PATHS]
        settings.LANGUAGES = languages_found(settings.LOCALE_PATHS)

    def test_it_works(self, client: Client, test: ListeningTest) -> None:
        assertContains(client.get(f"/t/{test.slug}/"), f'value="{LANGUAGE}" lang="{LANGUAGE}">{NAME}</button>')
        choose(client, LANGUAGE, f"/t/{test.slug}/")
        shown = client.get(f"/t/{test.slug}/")
        assertContains(shown, f'<html lang="{LANGUAGE}" dir="rtl">')
        assertContains(shown, as_made_up(AGREE["en"]))
        assertContains(shown, '<script id="words"')

    def test_it_has_plurals_of_its_own(self, client: Client, test: ListeningTest) -> None:
        choose(client, LANGUAGE, f"/t/{test.slug}/")
        # Arabic has a form for three to ten, the fourth of six.
        assertContains(client.get(f"/t/{test.slug}/"), f"{as_made_up('sounds to rate, each with a caption')} [3]")

    def test_the_others_are_still_there(self, japanese: Client, test: ListeningTest) -> None:
        assertContains(japanese.get(f"/t/{test.slug}/"), AGREE["ja"])

    def test_what_it_does_not_say_is_said_in_english(
        self, client: Client, test: ListeningTest, settings: Settings, tmp_path: Path
    ) -> None:
        catalogue_write(tmp_path / "half", domains=("django",))
        settings.LOCALE_PATHS = [tmp_path / "half"]
        settings.LANGUAGES = languages_found(settings.LOCALE_PATHS)
        choose(client, LANGUAGE, f"/t/{test.slug}/")
        shown = client.get(f"/t/{test.slug}/")
        assertContains(shown, as_made_up(AGREE["en"]))
        assertNotContains(shown, 'id="words"')


@pytest.mark.parametrize(
    ("folder", "code", "name"),
    [
        ("ar", "ar", "العربيّة"),
        ("pt_BR", "pt-br", "Português Brasileiro"),
        ("de_AT", "de-at", "Deutsch"),
        ("tlh", "tlh", "tlh"),
    ],
)
def test_a_language_is_named_by_itself(tmp_path: Path, folder: str, code: str, name: str) -> None:
    catalogue = tmp_path / folder / "LC_MESSAGES" / "django.mo"
    catalogue.parent.mkdir(parents=True)
    catalogue.touch()
    assert languages_found([tmp_path, tmp_path / "absent"]) == [("en", "English"), (code, name)]
