"""The headphone check: three outcomes, a gate only where the researcher says so, and nothing given away."""

from collections.abc import Sequence
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from listening_tests.audio.headphone_sounds import EXAMPLE, TRIALS, anti_phase, anti_phase_place, huggins, huggins_place
from listening_tests.choices import CheckOutcome, HeadphoneCheck, SessionStatus, TestStatus
from listening_tests.headphones import SOUND_NAMES, count_right, sound_content
from listening_tests.models import ListeningTest, Pair, Session
from listening_tests.services.headphones import headphones_skip, headphones_submit
from listening_tests.services.sound_set_up import sound_set_up_ask_again
from listening_tests.sitting_plan import HEADPHONE_CHECK_S, sitting_plan
from listening_tests.stages import Stage, stage_of
from tests.collection.sitting import current_state, start_sitting
from tests.factories import make_pairs, make_test

pytestmark = pytest.mark.django_db

ANTI_PHASE, HUGGINS = HeadphoneCheck.ANTI_PHASE, HeadphoneCheck.HUGGINS
PASSED, FAILED, UNCHECKED = CheckOutcome.PASSED, CheckOutcome.FAILED, CheckOutcome.UNCHECKED


@pytest.fixture
def test() -> ListeningTest:
    test = make_test(headphone_check=ANTI_PHASE)
    make_pairs(test, 5)
    return test


@pytest.fixture
def session(client, test) -> Session:
    """Of the client's browser, at the headphone check."""
    return start_sitting(client, test)


@pytest.fixture
def gate(test) -> ListeningTest:
    ListeningTest.objects.update(headphones_required=True)
    return test


def places(session: Session, n_right: int = 6) -> list[int]:
    """Answers of which so many are right, by the sounds that the sitting hears."""
    known = {
        sound(trial): place(trial) + 1
        for sound, place in ((anti_phase, anti_phase_place), (huggins, huggins_place))
        for trial in range(TRIALS)
    }
    right = [known[sound_content(session, name)] for name in SOUND_NAMES]
    return right[:n_right] + [place % 3 + 1 for place in right[n_right:]]


def form(answers: Sequence[int], attempt: int = 1) -> dict[str, object]:
    given = dict(zip(SOUND_NAMES, answers, strict=True))
    return {f"trial-{name}": place for name, place in given.items()} | {"attempt": attempt}


def post(client: Client, test: ListeningTest, data: dict[str, object]):
    return client.post(f"/t/{test.slug}/headphones/", data)


def standing() -> tuple[object, ...]:
    session = Session.objects.get()
    return session.status, session.headphones, session.headphones_right, session.headphone_attempts


def is_done() -> bool:
    return Session.objects.get().headphones_at is not None


class TestService:
    def test_it_works(self, session):
        headphones_submit(session=session, attempt=1, places=places(session))
        assert standing() == (SessionStatus.ACTIVE, PASSED, 6, 1)
        assert is_done()

    @pytest.mark.parametrize(
        ("method", "n_right", "outcome"),
        [
            (ANTI_PHASE, 6, PASSED),
            (ANTI_PHASE, 5, PASSED),
            (ANTI_PHASE, 4, FAILED),
            (HUGGINS, 6, PASSED),
            (HUGGINS, 5, FAILED),
            (HUGGINS, 0, FAILED),
        ],
    )
    def test_the_published_pass_marks(self, session, method, n_right, outcome):
        Session.objects.update(headphone_check=method)
        session.refresh_from_db()
        headphones_submit(session=session, attempt=1, places=places(session, n_right))
        assert standing() == (SessionStatus.ACTIVE, outcome, n_right, 1)

    def test_without_the_gate_who_fails_goes_on(self, session):
        after = headphones_submit(session=session, attempt=1, places=places(session, 2))
        assert stage_of(after) == Stage.RATE
        assert is_done()
        assert Pair.objects.filter(load=1).count() == 3

    def test_with_the_gate_there_is_a_second_attempt(self, gate, session):
        after = headphones_submit(session=session, attempt=1, places=places(session, 4))
        assert (stage_of(after), standing()) == (Stage.HEADPHONES, (SessionStatus.ACTIVE, FAILED, 4, 1))
        assert not is_done()
        after = headphones_submit(session=after, attempt=2, places=places(after))
        assert (stage_of(after), standing()) == (Stage.RATE, (SessionStatus.ACTIVE, PASSED, 6, 2))

    def test_the_second_failure_ends_it_and_gives_the_pairs_to_others(self, gate, session):
        for attempt in (1, 2):
            session = headphones_submit(session=session, attempt=attempt, places=places(session, 0))
        assert (stage_of(session), standing()) == (Stage.SCREENED, (SessionStatus.SCREENED, FAILED, 0, 2))
        assert is_done()
        assert Session.objects.get().finished_at is not None
        assert not Pair.objects.exclude(load=0).exists()

    @pytest.mark.parametrize("failed_before", [False, True])
    def test_what_could_not_be_checked_is_held_against_nobody(self, gate, session, failed_before):
        if failed_before:
            session = headphones_submit(session=session, attempt=1, places=places(session, 1))
        after = headphones_skip(session=session)
        assert stage_of(after) == Stage.RATE
        n_right, attempts = (1, 1) if failed_before else (None, 0)
        assert standing() == (SessionStatus.ACTIVE, UNCHECKED, n_right, attempts)

    @pytest.mark.parametrize("again", ["submit", "skip"])
    def test_a_repeat_changes_nothing(self, session, again):
        given = places(session)
        headphones_submit(session=session, attempt=1, places=given)
        before = Session.objects.values().get()
        if again == "skip":
            headphones_skip(session=session)
        else:
            headphones_submit(session=session, attempt=1, places=given)
        assert Session.objects.values().get() == before

    def test_a_repeat_does_not_use_up_the_second_attempt(self, gate, session):
        given = places(session, 0)
        for _ in range(3):
            headphones_submit(session=session, attempt=1, places=given)
        assert standing() == (SessionStatus.ACTIVE, FAILED, 0, 1)

    @pytest.mark.parametrize("attempt", [0, 2, 7])
    def test_an_attempt_out_of_turn_is_not_counted(self, session, attempt):
        headphones_submit(session=session, attempt=attempt, places=places(session))
        assert standing() == (SessionStatus.ACTIVE, UNCHECKED, None, 0)

    @pytest.mark.parametrize("status", [SessionStatus.SCREENED, SessionStatus.WITHDRAWN, SessionStatus.COMPLETE])
    def test_a_session_that_has_ended_is_left_alone(self, session, status):
        Session.objects.update(status=status)
        headphones_submit(session=session, attempt=1, places=places(session))
        headphones_skip(session=session)
        assert standing() == (status, UNCHECKED, None, 0)
        assert not is_done()


class TestOrder:
    def test_each_place_is_right_twice(self, test):
        """So that whoever always says the same does not pass."""
        for method in (ANTI_PHASE, HUGGINS):
            session = Session(test=test, headphone_check=method)
            assert [count_right(session, [place] * 6) for place in (1, 2, 3)] == [2, 2, 2]

    def test_it_is_the_same_for_an_attempt_and_differs_between_attempts_and_sessions(self, test):
        uuid = uuid4()
        for method in (ANTI_PHASE, HUGGINS):
            draws = [places(Session(test=test, uuid=uuid, headphone_check=method)) for _ in range(2)]
            assert draws[0] == draws[1]
            others = [places(Session(test=test, headphone_check=method)) for _ in range(20)]
            attempts = [
                places(Session(test=test, uuid=uuid, headphone_check=method, headphone_attempts=n)) for n in range(20)
            ]
            assert len(set(map(tuple, others))) > 10
            assert len(set(map(tuple, attempts))) > 10

    def test_a_personal_uuid_is_no_key_to_it(self, settings, test):
        """Another installation's secret draws otherwise."""
        sessions = [Session(test=test, headphone_check=ANTI_PHASE) for _ in range(10)]
        before = [places(session) for session in sessions]
        settings.SECRET_KEY = "another secret of at least fifty characters, for a test"
        assert [places(session) for session in sessions] != before


class TestStages:
    def test_it_comes_between_the_sound_and_the_first_pair(self, client, test, session):
        for path in ("check/", "sound/", "rate/", "questions/", "done/", "ended/"):
            assertRedirects(client.get(f"/t/{test.slug}/{path}"), f"/t/{test.slug}/headphones/")
        assertRedirects(client.post(f"/t/{test.slug}/resume/"), f"/t/{test.slug}/headphones/")

    def test_only_where_the_test_asks(self, client, test):
        ListeningTest.objects.update(headphone_check=HeadphoneCheck.NONE)
        start_sitting(client, test)
        assertRedirects(client.get(f"/t/{test.slug}/headphones/"), f"/t/{test.slug}/rate/")
        assertRedirects(post(client, test, {"skip": "1"}), f"/t/{test.slug}/rate/")
        assert client.get(f"/t/{test.slug}/headphones/1/").status_code == 404
        assert not is_done()

    def test_a_session_that_began_before_the_setting_changed_goes_on_rating(self, client, test):
        ListeningTest.objects.update(headphone_check=HeadphoneCheck.NONE)
        session = start_sitting(client, test)
        before = current_state(client, test)
        ListeningTest.objects.update(headphone_check=HUGGINS, headphones_required=True)
        assert current_state(client, test)["next"]["assignment"] == before["next"]["assignment"]
        assert stage_of(Session.objects.get(pk=session.pk)) == Stage.RATE

    def test_the_session_keeps_the_method_that_it_began_with(self, client, test, session):
        ListeningTest.objects.update(headphone_check=HUGGINS)
        assertContains(client.get(f"/t/{test.slug}/headphones/"), "which tone is the quietest?", count=6)
        post(client, test, form(places(session)))
        assert Session.objects.get().headphone_check == ANTI_PHASE
        assert standing() == (SessionStatus.ACTIVE, PASSED, 6, 1)

    def test_who_comes_back_late_sets_up_the_sound_first_and_is_checked_once(self, client, test, session):
        sound_set_up_ask_again(session=session, is_other_device=True)
        assertRedirects(client.get(f"/t/{test.slug}/headphones/"), f"/t/{test.slug}/sound/")
        assertRedirects(client.post(f"/t/{test.slug}/sound/"), f"/t/{test.slug}/headphones/")
        post(client, test, form(places(session)))
        sound_set_up_ask_again(session=Session.objects.get(), is_other_device=True)
        assertRedirects(client.post(f"/t/{test.slug}/sound/"), f"/t/{test.slug}/rate/")

    def test_the_plan_counts_its_time(self, test):
        with_check = sitting_plan(test=test).minutes
        test.headphone_check = HeadphoneCheck.NONE
        assert with_check - sitting_plan(test=test).minutes in {HEADPHONE_CHECK_S // 60, HEADPHONE_CHECK_S // 60 + 1}


class TestPage:
    def test_it_works(self, client, test, session):
        page = client.get(f"/t/{test.slug}/headphones/")
        assertContains(page, "Check your headphones")
        assertContains(page, 'type="radio"', count=18)
        assertContains(page, "you can rate all the same")
        assertNotContains(page, " checked")
        assertNotContains(page, "example")
        assert "no-store" in page["Cache-Control"]
        assertRedirects(post(client, test, form(places(session))), f"/t/{test.slug}/rate/")
        assert standing() == (SessionStatus.ACTIVE, PASSED, 6, 1)

    def test_huggins_pitch_comes_with_an_example(self, client, test):
        ListeningTest.objects.update(headphone_check=HUGGINS)
        session = start_sitting(client, test)
        page = client.get(f"/t/{test.slug}/headphones/")
        assertContains(page, "which noise has a faint tone in it?", count=6)
        assertContains(page, "here the faint tone is in the second noise")
        assert client.get(f"/t/{test.slug}/headphones/example/").getvalue() == huggins(EXAMPLE)
        assertRedirects(post(client, test, form(places(session))), f"/t/{test.slug}/rate/")

    def test_the_way_out(self, client, test, session):
        assertRedirects(post(client, test, {"skip": "1"}), f"/t/{test.slug}/rate/")
        assert standing() == (SessionStatus.ACTIVE, UNCHECKED, None, 0)

    def test_a_trial_left_out_costs_no_attempt(self, client, test, session):
        given = form(places(session))
        del given["trial-4"]
        page = post(client, test, given)
        assertContains(page, "Choose one of the answers.", status_code=422)
        assertContains(page, " checked", count=5, status_code=422)
        assert standing() == (SessionStatus.ACTIVE, UNCHECKED, None, 0)

    @pytest.mark.parametrize("forged", [{"trial-1": "4"}, {"trial-1": "x" * 10_000}])
    def test_a_forged_answer_costs_nothing(self, client, test, session, forged):
        page = post(client, test, form(places(session)) | forged)
        assertContains(page, "Choose one of the answers.", status_code=422)
        assert standing() == (SessionStatus.ACTIVE, UNCHECKED, None, 0)

    @pytest.mark.parametrize("attempt", ["", "x", "0", "1e9", "-1"])
    def test_a_forged_attempt_costs_nothing(self, client, test, session, attempt):
        page = post(client, test, form(places(session)) | {"attempt": attempt})
        assertContains(page, "The form did not arrive whole.", status_code=422)
        assert standing() == (SessionStatus.ACTIVE, UNCHECKED, None, 0)

    def test_the_second_attempt_is_offered_without_blame(self, client, gate, session):
        assertContains(client.get(f"/t/{gate.slug}/headphones/"), "This test needs headphones or earphones.")
        assertRedirects(post(client, gate, form(places(session, 0))), f"/t/{gate.slug}/headphones/")
        for _ in range(2):
            page = client.get(f"/t/{gate.slug}/headphones/")
            assertContains(page, "You can try once more; the sounds come in another order.")
            assertContains(page, 'name="attempt" value="2"')
            assertNotContains(page, " checked")
        assertRedirects(post(client, gate, form(places(session, 0))), f"/t/{gate.slug}/headphones/")
        assert standing() == (SessionStatus.ACTIVE, FAILED, 0, 1)

    def test_the_end_tells_which_check_it_was(self, client, gate, session):
        for attempt in (1, 2):
            session = Session.objects.get()
            response = post(client, gate, form(places(session, 0), attempt))
        assertRedirects(response, f"/t/{gate.slug}/ended/")
        for path in ("", "headphones/", "rate/", "done/"):
            page = client.get(f"/t/{gate.slug}/{path}", follow=True)
            assertContains(page, "This test needs headphones, and the sounds of the check did not come through")
            assertNotContains(page, "questions on the instructions")
            assertContains(page, "It is not held against you.")
            assertNotContains(page, gate.completion_code)

    def test_back_to_it_leads_on(self, client, test, session):
        post(client, test, form(places(session)))
        assertRedirects(client.get(f"/t/{test.slug}/headphones/"), f"/t/{test.slug}/rate/")
        assertRedirects(post(client, test, form(places(session, 0))), f"/t/{test.slug}/rate/")
        assert standing() == (SessionStatus.ACTIVE, PASSED, 6, 1)

    def test_looking_changes_nothing(self, client, test, session):
        before = Session.objects.values().get()
        client.get(f"/t/{test.slug}/headphones/")
        client.get(f"/t/{test.slug}/headphones/1/").getvalue()
        assert Session.objects.values().get() == before

    def test_the_page_says_nothing_of_what_is_right(self, test):
        """But for the pages' own tokens, the pages of sittings that hear other orders are the same."""
        pages: dict[tuple[int, ...], str] = {}
        while len(pages) < 2:
            client = Client()
            session = start_sitting(client, test)
            page = client.get(f"/t/{test.slug}/headphones/")
            token = str(page.context["csrf_token"])
            pages[tuple(places(session))] = page.content.decode().replace(token, "")
            test.pairs.update(load=0)
        assert len(set(pages.values())) == 1

    @pytest.mark.parametrize(
        ("status", "sentence"),
        [
            (TestStatus.PAUSED, "This listening test is paused."),
            (TestStatus.CLOSED, "Your session counts as complete:"),
        ],
    )
    def test_while_the_test_is_not_open(self, client, test, session, status, sentence):
        ListeningTest.objects.update(status=status)
        for answer in (client.get(f"/t/{test.slug}/headphones/"), post(client, test, form(places(session)))):
            assertContains(answer, sentence)
        assert standing() == (SessionStatus.ACTIVE, UNCHECKED, None, 0)

    def test_a_stranger(self, client, test):
        assertRedirects(client.get(f"/t/{test.slug}/headphones/"), f"/t/{test.slug}/")
        assertRedirects(post(client, test, {"skip": "1"}), f"/t/{test.slug}/")

    def test_it_takes_few_queries(self, client, test, session, django_assert_max_num_queries):
        with django_assert_max_num_queries(2):
            client.get(f"/t/{test.slug}/headphones/")


class TestSounds:
    def test_it_works(self, client, test, session):
        contents = [client.get(f"/t/{test.slug}/headphones/{name}/").getvalue() for name in SOUND_NAMES]
        assert set(contents) == {anti_phase(trial) for trial in range(TRIALS)}

    def test_in_parts_and_uncompressed(self, client, test, session):
        headers = {"Range": "bytes=0-3", "Accept-Encoding": "gzip, br"}
        response = client.get(f"/t/{test.slug}/headphones/1/", headers=headers)
        assert (response.status_code, response.getvalue()) == (206, b"fLaC")
        assert response["Content-Type"] == "audio/flac"
        assert "Content-Encoding" not in response
        assert response["Cache-Control"] == "private, no-cache, no-transform"

    def test_tags_tell_nothing_and_are_of_one_attempt(self, client, gate, session):
        tags = [client.head(f"/t/{gate.slug}/headphones/{name}/")["ETag"] for name in SOUND_NAMES]
        assert tags == [f'"{session.uuid.hex}-headphones-0-{name}"' for name in SOUND_NAMES]
        post(client, gate, form(places(session, 0)))
        again = client.get(f"/t/{gate.slug}/headphones/1/", headers={"If-None-Match": tags[0]})
        assert (again.status_code, len(again.getvalue())) == (200, int(again["Content-Length"]))

    @pytest.mark.parametrize("name", ["0", "7", "example", "..", "1.flac"])
    def test_no_other_name(self, client, test, session, name):
        assert client.get(f"/t/{test.slug}/headphones/{name}/").status_code == 404

    def test_a_stranger(self, client, test):
        assert client.get(f"/t/{test.slug}/headphones/1/").status_code == 404

    def test_post_is_refused(self, client, test, session):
        assert client.post(f"/t/{test.slug}/headphones/1/").status_code == 405


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"headphone_check": "guess"}, "session_headphone_check_known"),
        ({"headphones": "perhaps"}, "session_headphones_known"),
        ({"headphones": PASSED}, "session_headphones_outcome_has_its_check"),
        (
            {"headphones": FAILED, "headphones_right": 2, "headphone_check": "none"},
            "session_headphones_outcome_has_its_check",
        ),
        ({"headphones_right": 7}, "session_headphones_right_of_trials"),
    ],
)
def test_the_database_refuses(session, changes, constraint) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Session.objects.update(**changes)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"headphone_check": "guess"}, "test_headphone_check_known"),
        ({"headphone_check": "none", "headphones_required": True}, "test_headphones_required_are_checked"),
    ],
)
def test_the_database_refuses_of_a_test(test, changes, constraint) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ListeningTest.objects.update(**changes)


def test_a_session_from_before_needs_nothing(session) -> None:
    Session.objects.update(headphone_check=HeadphoneCheck.NONE, sound_set_up_at=timezone.now())
    assert stage_of(Session.objects.get()) == Stage.RATE
