"""Retrain: what a press of the button makes, finds, or refuses."""

import threading

import pytest
from django.db import connection
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from modeling import dataset
from tests.factories import make_pair, make_test
from tests.worker.studies import make_study
from worker import selectors
from worker.models import RunStatus, RunTrigger, TrainingPlan, TrainingRun
from worker.services import NO_BROKER, run_request


def test_it_works(db: None) -> None:
    test = make_study()
    run, created = run_request(test=test, trigger=RunTrigger.PERSON)

    assert created
    assert (run.status, run.trigger, run.preset) == (RunStatus.QUEUED, "person", "human-clap")
    assert run.n_ratings_at_start == 54 * 3
    assert run.config["model"] == "laion/clap-htsat-unfused"


def test_the_minimum_is_the_models() -> None:
    assert selectors.MIN_HELDOUT_PAIRS == dataset.MIN_HELDOUT


@pytest.mark.parametrize(
    ("argument", "plan", "installation", "expected"),
    [
        ("small", "human-clap", "human-clap", "small"),
        ("", "small", "human-clap", "small"),
        ("", "", "small", "small"),
    ],
)
def test_the_preset_is_the_nearest(
    db: None, settings: Settings, argument: str, plan: str, installation: str, expected: str
) -> None:
    test = make_study()
    TrainingPlan.objects.create(test=test, preset=plan)
    settings.EARMARK_PRESET = installation

    assert run_request(test=test, trigger=RunTrigger.PERSON, preset=argument)[0].preset == expected


def test_an_unknown_preset_is_refused(db: None) -> None:
    with pytest.raises(
        Refused, match="There is no preset 'large'; choose from human-clap, small, spo, svr, xacle-baseline."
    ):
        run_request(test=make_study(), trigger=RunTrigger.PERSON, preset="large")
    assert not TrainingRun.objects.exists()


def test_too_little_data_is_refused(db: None) -> None:
    test = make_study(n_heldout=29, title="Rain")
    with pytest.raises(Refused) as refusal:
        run_request(test=test, trigger=RunTrigger.PERSON)
    assert str(refusal.value) == (
        "“Rain” has 29 rated pairs that are held out for measuring; training needs at least 30. "
        "About one caption in five is held out: collect ratings on more captions."
    )
    assert not TrainingRun.objects.exists()


def test_no_ratings_are_refused(db: None) -> None:
    test = make_test()
    make_pair(test)
    with pytest.raises(Refused, match="has no ratings of study pairs yet"):
        run_request(test=test, trigger=RunTrigger.PERSON)


def test_a_test_without_a_question_is_refused(db: None) -> None:
    test = ListeningTest.objects.create(slug="rain", title="Rain")
    with pytest.raises(Refused, match="“Rain” asks raters no question yet. Add one on its page in the admin."):
        run_request(test=test, trigger=RunTrigger.PERSON)
    assert not TrainingRun.objects.exists()


def test_a_second_press_finds_the_run(db: None) -> None:
    test = make_study()
    first, _ = run_request(test=test, trigger=RunTrigger.PERSON)
    second, created = run_request(test=test, trigger=RunTrigger.SCHEDULE)

    assert (second.pk, created) == (first.pk, False)


@pytest.mark.django_db(transaction=True)
def test_a_double_click_makes_one_run() -> None:
    test, answers, in_step = make_study(), [], threading.Barrier(6)

    def press() -> None:
        in_step.wait()
        answers.append(run_request(test=test, trigger=RunTrigger.PERSON))
        connection.close()

    threads = [threading.Thread(target=press) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert TrainingRun.objects.count() == 1
    assert sorted(created for _, created in answers) == [False] * 5 + [True]
    assert len({run.pk for run, _ in answers}) == 1


def test_without_a_broker_the_run_waits_and_says_so(
    db: None, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        run, _ = run_request(test=make_study(), trigger=RunTrigger.PERSON)

    run.refresh_from_db()
    assert (run.status, run.message) == (RunStatus.QUEUED, NO_BROKER)
