"""The sound set-up: what is judged, what is served, and that it keeps nobody from rating."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests.audio.reference import left_only, right_only, volume_reference
from listening_tests.choices import CheckOutcome, SessionStatus, TestStatus
from listening_tests.models import ListeningTest, Session
from listening_tests.services.sound_set_up import sound_set_up_ask_again, sound_set_up_finish
from listening_tests.sound_set_up import Heard, sound_content
from tests.collection.sitting import consent_form, start_sitting
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db


@pytest.fixture
def test() -> ListeningTest:
    test = make_test()
    make_pairs(test, 3)
    return test


def start(client: Client, test: ListeningTest) -> Session:
    """Up to the sound set-up."""
    client.post(f"/t/{test.slug}/start/", consent_form(client.get(f"/t/{test.slug}/")))
    return Session.objects.latest("pk")


@pytest.fixture
def session(client, test) -> Session:
    return start(client, test)


def sides(session: Session) -> Heard:
    """What a rater with both ears hears."""
    return Heard("left", "right") if sound_content(session, "first") == left_only() else Heard("right", "left")


def swapped(heard: Heard) -> Heard:
    return Heard(heard.second, heard.first)


def outcome(session: Session, heard: Heard) -> str:
    return sound_set_up_finish(session=session, heard=heard).left_right


class TestJudging:
    def test_it_works(self, session):
        assert outcome(session, sides(session)) == CheckOutcome.PASSED
        assert Session.objects.get().sound_set_up_at is not None

    def test_the_wrong_way_round(self, session):
        assert outcome(session, swapped(sides(session))) == CheckOutcome.FAILED

    @pytest.mark.parametrize("side", ["left", "right"])
    def test_the_same_side_twice(self, session, side):
        assert outcome(session, Heard(side, side)) == CheckOutcome.FAILED

    @pytest.mark.parametrize(
        "heard", [Heard(), Heard("unsure", "unsure"), Heard("left"), Heard("", "right"), Heard("unsure", "left")]
    )
    def test_what_could_not_be_told_is_held_against_nobody(self, session, heard):
        assert outcome(session, heard) == CheckOutcome.UNCHECKED

    def test_a_repeat_changes_nothing(self, session):
        sound_set_up_finish(session=session, heard=sides(session))
        before = Session.objects.values().get()
        sound_set_up_finish(session=session, heard=swapped(sides(session)))
        assert Session.objects.values().get() == before

    @pytest.mark.parametrize("status", [SessionStatus.SCREENED, SessionStatus.WITHDRAWN, SessionStatus.COMPLETE])
    def test_a_session_that_has_ended_is_left_alone(self, session, status):
        Session.objects.update(status=status)
        sound_set_up_finish(session=session, heard=Heard())
        assert Session.objects.get().sound_set_up_at is None

    def test_which_ear_comes_first_is_drawn_for_each_session(self, test):
        firsts = [sound_content(Session(test=test), "first") for _ in range(40)]
        assert {left_only(), right_only()} == set(firsts)


class TestAskingAgain:
    def set_up(self, session: Session, minutes_ago: int) -> Session:
        session.sound_set_up_at = timezone.now() - timedelta(minutes=minutes_ago)
        session.save()
        return session

    def test_it_works(self, session):
        sound_set_up_ask_again(session=self.set_up(session, 31))
        assert Session.objects.get().sound_set_up_at is None

    def test_not_before_half_an_hour(self, session):
        sound_set_up_ask_again(session=self.set_up(session, 29))
        assert Session.objects.get().sound_set_up_at is not None

    def test_at_once_on_another_device(self, session):
        sound_set_up_ask_again(session=self.set_up(session, 0), is_other_device=True)
        assert Session.objects.get().sound_set_up_at is None

    def test_not_of_who_has_finished(self, session):
        Session.objects.update(status=SessionStatus.COMPLETE)
        sound_set_up_ask_again(session=self.set_up(Session.objects.get(), 31))
        assert Session.objects.get().sound_set_up_at is not None

    def test_who_continues_late_comes_by_again(self, client, test, session):
        client.post(f"/t/{test.slug}/sound/")
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/rate/")
        self.set_up(Session.objects.get(), 31)
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/sound/")
        assertRedirects(client.post(f"/t/{test.slug}/sound/"), f"/t/{test.slug}/rate/")

    def test_a_reload_asks_nobody_again(self, client, test, session):
        client.post(f"/t/{test.slug}/sound/")
        self.set_up(Session.objects.get(), 300)
        assert client.get(f"/t/{test.slug}/rate/").status_code == 200


class TestPage:
    def test_it_works(self, client, test, session):
        page = client.get(f"/t/{test.slug}/sound/")
        assertContains(page, "Set up the sound")
        assertContains(page, 'type="radio"', count=6)
        assertNotContains(page, "checked")
        assert "no-store" in page["Cache-Control"]
        heard = sides(session)
        response = client.post(f"/t/{test.slug}/sound/", heard._asdict())
        assertRedirects(response, f"/t/{test.slug}/rate/")
        assert Session.objects.get().left_right == CheckOutcome.PASSED

    @pytest.mark.parametrize("data", [{}, {"first": "left"}, {"first": "forged", "second": "x" * 10_000}])
    def test_continue_always_works(self, client, test, session, data):
        assertRedirects(client.post(f"/t/{test.slug}/sound/", data), f"/t/{test.slug}/rate/")
        assert Session.objects.get().left_right == CheckOutcome.UNCHECKED

    def test_it_comes_before_the_first_pair(self, client, test, session):
        for path in ("check/", "rate/", "questions/", "done/", "ended/"):
            assertRedirects(client.get(f"/t/{test.slug}/{path}"), f"/t/{test.slug}/sound/")

    def test_back_to_it_leads_on(self, client, test, session):
        client.post(f"/t/{test.slug}/sound/")
        assertRedirects(client.get(f"/t/{test.slug}/sound/"), f"/t/{test.slug}/rate/")
        assertRedirects(client.post(f"/t/{test.slug}/sound/"), f"/t/{test.slug}/rate/")

    def test_looking_changes_nothing(self, client, test, session):
        before = Session.objects.values().get()
        client.get(f"/t/{test.slug}/sound/")
        assert Session.objects.values().get() == before

    def test_the_page_says_nothing_of_the_ears(self, test):
        """But for the pages' own tokens, the pages of those who hear left first and right first are the same."""
        pages: dict[Heard, str] = {}
        while len(pages) < 2:
            client = Client()
            session = start(client, test)
            page = client.get(f"/t/{test.slug}/sound/")
            pages[sides(session)] = page.content.decode().replace(str(page.context["csrf_token"]), "")
            test.pairs.update(load=0)
        assert len(set(pages.values())) == 1

    def test_closed_meanwhile_it_leads_to_the_end(self, client, test, session):
        ListeningTest.objects.update(status=TestStatus.CLOSED)
        for answer in (client.get(f"/t/{test.slug}/sound/"), client.post(f"/t/{test.slug}/sound/")):
            assertContains(answer, "This test is closed")
            assertContains(answer, "Your session counts as complete:")
        assert Session.objects.get().sound_set_up_at is None
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/questions/")
        assert Session.objects.get().status == SessionStatus.CUT_SHORT

    def test_while_paused(self, client, test, session):
        test.status = TestStatus.PAUSED
        test.save()
        for answer in (client.get(f"/t/{test.slug}/sound/"), client.post(f"/t/{test.slug}/sound/")):
            assertContains(answer, "This listening test is paused.")
        assert Session.objects.get().sound_set_up_at is None

    def test_a_stranger(self, client, test):
        assertRedirects(client.get(f"/t/{test.slug}/sound/"), f"/t/{test.slug}/")
        assertRedirects(client.post(f"/t/{test.slug}/sound/"), f"/t/{test.slug}/")

    def test_it_takes_few_queries(self, client, test, session, django_assert_max_num_queries):
        with django_assert_max_num_queries(2):
            client.get(f"/t/{test.slug}/sound/")


class TestSounds:
    def test_it_works(self, client, test, session):
        contents = [client.get(f"/t/{test.slug}/sound/{name}/").getvalue() for name in ("volume", "first", "second")]
        assert contents[0] == volume_reference()
        assert set(contents[1:]) == {left_only(), right_only()}

    def test_in_parts_and_uncompressed(self, client, test, session):
        headers = {"Range": "bytes=0-3", "Accept-Encoding": "gzip, br"}
        response = client.get(f"/t/{test.slug}/sound/first/", headers=headers)
        assert (response.status_code, response.getvalue()) == (206, b"fLaC")
        assert response["Content-Type"] == "audio/flac"
        assert "Content-Encoding" not in response

    def test_the_next_rater_of_the_browser_hears_their_own(self, client, test, session):
        first = client.head(f"/t/{test.slug}/sound/first/")
        assert first["Cache-Control"] == "private, no-cache, no-transform"
        stranger = Client()
        start_sitting(stranger, test)
        other = stranger.get(f"/t/{test.slug}/sound/first/", headers={"If-None-Match": first["ETag"]})
        assert (other.status_code, len(other.getvalue())) == (200, int(other["Content-Length"]))
        again = client.get(f"/t/{test.slug}/sound/first/", headers={"If-None-Match": first["ETag"]})
        assert again.status_code == 304

    def test_tags_tell_nothing_of_the_ear(self, client, test, session):
        tags = [client.head(f"/t/{test.slug}/sound/{name}/")["ETag"] for name in ("first", "second")]
        assert tags == [f'"{session.uuid.hex}-first"', f'"{session.uuid.hex}-second"']

    @pytest.mark.parametrize("name", ["left", "third", "..", "volume.flac"])
    def test_no_other_name(self, client, test, session, name):
        assert client.get(f"/t/{test.slug}/sound/{name}/").status_code == 404

    def test_a_stranger(self, client, test):
        assert client.get(f"/t/{test.slug}/sound/first/").status_code == 404
        assert client.get("/t/nowhere/sound/first/").status_code == 404

    def test_post_is_refused(self, client, test, session):
        assert client.post(f"/t/{test.slug}/sound/first/").status_code == 405


def test_a_personal_uuid_is_no_key_to_the_order(settings, test) -> None:
    """Another installation's secret draws otherwise."""
    sessions = [Session(test=test, uuid=uuid4()) for _ in range(40)]
    before = [sound_content(session, "first") for session in sessions]
    settings.SECRET_KEY = "another secret of at least fifty characters, for a test"
    assert [sound_content(session, "first") for session in sessions] != before
