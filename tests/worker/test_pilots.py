"""Pilots: simulated raters in a copy of a test, through the services that people's pages call."""

import threading
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection

from listening_tests.choices import (
    CheckOutcome,
    HeadphoneCheck,
    PairRole,
    PilotStatus,
    Role,
    Source,
    TestKind,
    TestStatus,
)
from listening_tests.exceptions import Refused
from listening_tests.models import (
    Assignment,
    CheckQuestion,
    Clip,
    Consent,
    ListeningTest,
    Member,
    Pair,
    Pilot,
    Presentation,
    Questionnaire,
    Rater,
    Rating,
    Session,
    Trial,
)
from listening_tests.services.pilots import pilot_cancel, pilot_claim, pilot_delete
from tests.factories import make_caption, make_clip, make_pair, make_test
from tests.sittings import answer_all, anything_in, make_test_of
from tests.webapp.factories import make_member
from worker import services_pilots
from worker.services import run_request
from worker.services_pilots import LOST, NONE_LEFT, pilot_execute, pilot_start, pilots_set_right

pytestmark = pytest.mark.django_db
ALL_TABLES = (Rating, Assignment, Presentation, Session, Consent, Questionnaire, Rater, Pair, Trial, Member, Pilot)


@pytest.fixture(autouse=True)
def published() -> Any:
    """What would go to the queue."""
    with mock.patch.object(services_pilots, "pilot_enqueue") as enqueue:
        yield enqueue


def make_study(*, n: int = 8, **fields: object) -> ListeningTest:
    test = make_test(**{"pairs_per_session": n, "ratings_per_pair": 20} | fields)
    clip = make_clip()
    for _ in range(n):
        make_pair(test, clip=clip)
    make_pair(test, clip=clip, role=PairRole.PRACTICE, expected_min=8, expected_max=10)
    return test


def piloted(test: ListeningTest, n_raters: int = 4, n_careless: int = 0) -> Pilot:
    pilot = pilot_start(test=test, n_raters=n_raters, n_careless=n_careless)
    pilot_execute(pilot_id=pilot.pk)
    return Pilot.objects.select_related("test").get(pk=pilot.pk)


def counts() -> dict[str, int]:
    return {model.__name__: model._default_manager.count() for model in ALL_TABLES}


@pytest.mark.parametrize("kind", TestKind.values)
def test_it_works(kind: str) -> None:
    test = make_test_of(kind, ratings_per_pair=9, headphone_check=HeadphoneCheck.HUGGINS)
    CheckQuestion.objects.create(test=test)
    member = make_member(test, Role.ASSISTANT)
    answer_all(test, anything_in(kind), most=0)
    before = counts()

    pilot = piloted(test, n_raters=4, n_careless=1)

    copy = pilot.test
    assert (pilot.status, pilot.n_done) == (PilotStatus.DONE, 4)
    assert (copy.is_simulated, copy.pilot_of, copy.status) == (True, test, TestStatus.CLOSED)
    assert [(one.user_id, one.role) for one in copy.members.all()] == [(member.pk, Role.ASSISTANT)]
    answers = copy.comparisons if kind == TestKind.COMPARISON else copy.ratings
    assert answers.count() > 0
    assert set(answers.values_list("source", flat=True)) == {Source.SIMULATED}
    assert set(Rater.objects.filter(sessions__test=copy).values_list("source", flat=True)) == {Source.SIMULATED}
    assert copy.sessions.filter(headphones=CheckOutcome.PASSED).exists()
    finished = copy.sessions.filter(questionnaire_at__isnull=False)
    assert finished.count() >= 3 and Questionnaire.objects.filter(session__in=finished).count() == finished.count()
    assert (test.ratings.count(), test.comparisons.count()) == (0, 0)
    n_clips = Clip.objects.count()

    pilot_delete(test=copy)

    assert counts() == before
    assert Clip.objects.count() == n_clips
    pilot_delete(test=copy)


def test_careful_raters_are_in_time_and_of_the_careless_each_is_so_in_their_way() -> None:
    copy = piloted(make_study(), 6, n_careless=3).test
    n_hasty = copy.ratings.filter(too_soon=True).values("rater").distinct().count()
    n_same = sum(
        len(set(session.assignments.values_list("ratings__score", flat=True))) == 1 for session in copy.sessions.all()
    )
    assert (n_hasty, n_same) == (1, 1)


def test_a_draft_is_piloted_and_stays_one() -> None:
    test = make_study(status=TestStatus.DRAFT, contact_email="")
    assert piloted(test).status == PilotStatus.DONE
    test.refresh_from_db()
    assert (test.status, test.opened_at) == (TestStatus.DRAFT, None)


def test_a_repeat_of_the_request_finds_the_first(published: Any, django_capture_on_commit_callbacks: Any) -> None:
    test, uuid = make_study(), uuid4()
    with django_capture_on_commit_callbacks(execute=True):
        first, second = (pilot_start(test=test, n_raters=3, uuid=uuid) for _ in range(2))
    assert first == second
    assert published.call_count == 1


def test_a_second_delivery_does_nothing() -> None:
    pilot = piloted(make_study())
    n_ratings = Rating.objects.count()
    pilot_execute(pilot_id=pilot.pk)
    assert Rating.objects.count() == n_ratings


def test_when_k_is_reached_nobody_more_is_let_in() -> None:
    pilot = piloted(make_study(n=2, ratings_per_pair=2), 5)
    assert (pilot.status, pilot.n_done, pilot.message) == (PilotStatus.DONE, 2, NONE_LEFT)


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        ((0, 0), "A pilot has 1 to 500 simulated raters, not 0."),
        ((501, 0), "A pilot has 1 to 500 simulated raters, not 501."),
        ((3, 4), "Of 3 simulated raters 4 cannot be careless. Choose 0 to 3."),
    ],
)
def test_numbers_that_make_no_sense_are_refused(numbers: tuple[int, int], sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        pilot_start(test=make_study(), n_raters=numbers[0], n_careless=numbers[1])
    assert str(refused.value) == sentence
    assert ListeningTest.objects.count() == 1


def test_what_cannot_be_opened_cannot_be_piloted() -> None:
    with pytest.raises(Refused, match="It has no study pairs."):
        pilot_start(test=make_test(status=TestStatus.DRAFT), n_raters=3)
    assert ListeningTest.objects.count() == 1


def test_a_pilot_is_not_piloted_nor_trained_on_and_nothing_else_is_deleted_as_one() -> None:
    test = make_study(slug="mine")
    copy = piloted(test, 1).test
    with pytest.raises(Refused, match="The test mine-pilot is a pilot itself."):
        pilot_start(test=copy, n_raters=1)
    with pytest.raises(Refused, match="is a pilot: nothing is learned from its simulated raters."):
        run_request(test=copy, trigger="person")
    with pytest.raises(Refused, match="The test mine is no pilot, so it is not deleted this way."):
        pilot_delete(test=test)
    assert ListeningTest.objects.count() == 2


@pytest.mark.parametrize("act", ["cancel", "delete"])
def test_it_stops_when_it_is_cancelled_or_deleted_under_its_raters(act: str) -> None:
    test = make_study()
    pilot = pilot_start(test=test, n_raters=5)
    answer = services_pilots._answer
    n_before = counts()

    def once_and_no_more(*args: Any) -> None:
        answer(*args)
        if act == "cancel":
            pilot_cancel(pilot=pilot)
        else:
            pilot_delete(test=pilot.test)

    with mock.patch.object(services_pilots, "_answer", once_and_no_more):
        pilot_execute(pilot_id=pilot.pk)

    if act == "cancel":
        assert Rating.objects.count() == 1
        pilot.refresh_from_db()
        assert (pilot.status, pilot_cancel(pilot=pilot).status) == (PilotStatus.CANCELLED, PilotStatus.CANCELLED)
    else:
        assert not ListeningTest.objects.filter(pilot_of=test).exists()
        assert not Rating.objects.exists() and not Rater.objects.exists()
        assert counts()["Pair"] < n_before["Pair"]


@pytest.mark.django_db(transaction=True)
def test_deletion_and_raters_at_once_leave_nothing() -> None:
    test = make_study(n=12)
    pilot = pilot_start(test=test, n_raters=50)
    has_begun, faults = threading.Event(), []
    answer = services_pilots._answer

    def told(*args: Any) -> None:
        answer(*args)
        has_begun.set()

    def rate() -> None:
        try:
            pilot_execute(pilot_id=pilot.pk)
        except Exception as error:  # noqa: BLE001 -- told to the test
            faults.append(error)
        finally:
            connection.close()

    with mock.patch.object(services_pilots, "_answer", told):
        thread = threading.Thread(target=rate)
        thread.start()
        assert has_begun.wait(60)
        pilot_delete(test=pilot.test)
        thread.join(60)

    assert not thread.is_alive() and faults == []
    assert list(ListeningTest.objects.all()) == [test]
    assert (Session.objects.count(), Rating.objects.count(), Rater.objects.count()) == (0, 0, 0)


def test_what_was_lost_is_set_right(published: Any) -> None:
    test = make_study()
    lost, waiting = (pilot_start(test=test, n_raters=1) for _ in range(2))
    assert pilot_claim(pilot_id=lost.pk) is not None
    Pilot.objects.update(heartbeat_at="2026-01-01T00:00:00Z", created_at="2026-01-01T00:00:00Z")

    pilots_set_right()

    lost.refresh_from_db()
    assert (lost.status, lost.message) == (PilotStatus.FAILED, LOST)
    assert [call.kwargs["pilot"] for call in published.call_args_list] == [waiting]


def test_a_fault_is_told() -> None:
    pilot = pilot_start(test=make_study(), n_raters=1)
    with mock.patch.object(services_pilots, "_sit", side_effect=RuntimeError("Oh.")):
        pilot_execute(pilot_id=pilot.pk)
    pilot.refresh_from_db()
    assert (pilot.status, pilot.message) == (PilotStatus.FAILED, "A fault of Earmark ended it (RuntimeError).")


def test_a_person_who_tried_it_out_keeps_what_they_rated_elsewhere() -> None:
    test = make_study()
    copy = pilot_start(test=test, n_raters=1).test
    person = answer_all(copy, anything_in(TestKind.RATING), most=1).rater
    elsewhere = make_study()
    Consent.objects.create(rater=person, test=elsewhere, version=1)

    pilot_delete(test=copy)

    assert list(Rater.objects.all()) == [person]


def test_captions_are_shared_and_stay() -> None:
    caption = make_caption("Rain.")
    test = make_study()
    make_pair(test, caption=caption)
    pilot_delete(test=pilot_start(test=test, n_raters=1).test)
    assert test.pairs.filter(caption=caption).exists()
