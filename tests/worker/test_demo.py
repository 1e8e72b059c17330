"""The demo, made small: all that a real test has, and nothing that gives the truth away."""

from datetime import datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Count, F
from django.utils import timezone

from listening_tests.choices import PairRole, SessionStatus, Source, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import Assignment, ListeningTest, Pair, Rater, Rating, Session
from listening_tests.services.sessions import session_start
from listening_tests.stages import Stage, stage_of
from tests.factories import make_test

pytestmark = pytest.mark.django_db


def demo(captions: int) -> str:
    out = StringIO()
    call_command("demo", "--captions", str(captions), stdout=out)
    return out.getvalue()


def test_it_works() -> None:
    said = demo(6)
    test = ListeningTest.objects.get(slug="demo")

    assert said == f"Made “{test.title}”: 26 pairs with 96 simulated ratings. Rate it at /t/demo/.\n"
    assert (test.status, test.is_simulated, test.training_plan.preset) == (TestStatus.OPEN, True, "small")
    assert "simulated" in test.title and test.opened_at
    assert test.contact_email == ""
    assert [question.prompt for question in test.check_questions.all()] == ["What do you rate in this test?"]
    roles = dict(test.pairs.order_by().values_list("role").annotate(Count("pk")))
    assert roles == {PairRole.STUDY: 24, PairRole.PRACTICE: 2}
    assert not test.pairs.filter(clip__rendition="").exists()


def times_of(session: Session) -> list[tuple[datetime, datetime]]:
    return list(session.assignments.values_list("rated_at", "leased_at"))


def test_raters_and_ratings_are_simulated_and_complete() -> None:
    demo(6)
    test = ListeningTest.objects.get(slug="demo")

    assert set(Rater.objects.values_list("source", flat=True)) == {Source.SIMULATED}
    assert set(Rating.objects.values_list("source", flat=True)) == {Source.SIMULATED}
    assert set(Session.objects.values_list("status", "needs_check")) == {(SessionStatus.COMPLETE, False)}
    now = timezone.now()
    for rating in Rating.objects.select_related("assignment__session", "pair__clip"):
        assignment = rating.assignment
        assert assignment is not None
        assert assignment.session.started_at < rating.shown_at < rating.submitted_at < now
        assert rating.submitted_at <= assignment.session.finished_at
        assert rating.heard_s >= 0.95 * rating.pair.clip.duration_s
        assert rating.plays >= 1
        assert assignment.rated_at == rating.submitted_at < assignment.lease_expires_at
    counts = Session.objects.annotate(n=Count("assignments"))
    assert not counts.exclude(n=F("planned_count"), saved_count=F("n"), timed_count=F("n")).exists()
    assert not Session.objects.exclude(started_at__lt=F("sound_set_up_at"), questionnaire_at=F("finished_at")).exists()
    for session in Session.objects.all():
        rating_s = sum((rated - leased).total_seconds() for rated, leased in times_of(session))
        assert session.elapsed_s == pytest.approx(rating_s)
        assert 0 < session.needed_s < session.elapsed_s
        assert stage_of(session) == Stage.DONE
    assert not test.pairs.annotate(n=Count("ratings")).exclude(load=F("n")).exists()
    assert Assignment.objects.filter(rated_at=None).count() == 0


def test_the_truth_is_in_no_table() -> None:
    demo(3)

    study = Pair.objects.exclude(role=PairRole.PRACTICE)
    assert set(study.values_list("expected_min", "expected_max")) == {(None, None)}
    assert all(score == int(score) for score in Rating.objects.values_list("score", flat=True))


def test_a_newcomer_finds_pairs_to_rate() -> None:
    demo(6)
    test = ListeningTest.objects.get(slug="demo")
    session = session_start(test=test, rater_uuid=Rater().uuid)

    assert session.planned_count == 20
    assert session.assignments.exists()
    assert session.needs_check


def test_a_second_call_changes_nothing() -> None:
    demo(2)
    before = sorted(Rating.objects.values_list("uuid", flat=True))
    said = demo(2)

    assert said == "The demo is there already, at /t/demo/; nothing was changed.\n"
    assert sorted(Rating.objects.values_list("uuid", flat=True)) == before


def test_a_test_of_somebodys_own_is_left_alone() -> None:
    test = make_test(slug="demo", title="Mine")
    with pytest.raises(Refused, match="A test of your own has the address “demo”."):
        demo(2)

    test.refresh_from_db()
    assert (test.title, test.pairs.count()) == ("Mine", 0)


def test_a_crash_leaves_no_half_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.demo.making.ratings_simulate", lambda **_: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        demo(2)

    assert not ListeningTest.objects.exists() and not Pair.objects.exists()
