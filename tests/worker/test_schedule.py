"""The hourly look, through the task that beat sends."""

import pytest

from listening_tests.choices import PairRole
from listening_tests.models import ListeningTest
from tests.factories import make_pair
from tests.worker.studies import make_sound, make_study, rate
from worker.models import RunStatus, RunTrigger, TrainingPlan, TrainingRun
from worker.services import run_cancel, run_finish, run_request
from worker.tasks import retrain_due_tests

pytestmark = pytest.mark.django_db
RATINGS = 54 * 3


def study_with_plan(retrain_after: int) -> ListeningTest:
    test = make_study()
    TrainingPlan.objects.create(test=test, preset="small", retrain_after=retrain_after)
    return test


def runs_started() -> int:
    before = TrainingRun.objects.count()
    retrain_due_tests()
    return TrainingRun.objects.count() - before


def test_it_works() -> None:
    test = study_with_plan(RATINGS)
    assert runs_started() == 1
    run = TrainingRun.objects.get()
    assert (run.test, run.status, run.trigger, run.preset) == (test, RunStatus.QUEUED, RunTrigger.SCHEDULE, "small")


def test_one_rating_too_few_starts_nothing() -> None:
    study_with_plan(RATINGS + 1)
    assert runs_started() == 0


def test_zero_turns_it_off() -> None:
    study_with_plan(0)
    assert runs_started() == 0


def test_without_a_plan_it_takes_500() -> None:
    test = make_study()
    assert runs_started() == 0
    rate(list(test.pairs.all())[:37], (499 - RATINGS) // 37)
    rate(list(test.pairs.all())[:1], 499 - test.ratings.count())
    assert (test.ratings.count(), runs_started()) == (499, 0)
    rate(list(test.pairs.all())[:1], 1)
    assert (test.ratings.count(), runs_started()) == (500, 1)


def test_ratings_are_counted_from_the_last_run_however_it_ended() -> None:
    test = study_with_plan(10)
    run, _ = run_request(test=test, trigger=RunTrigger.PERSON)
    run_finish(run=run, status=RunStatus.FAILED, message="No.")
    assert runs_started() == 0
    rate(list(test.pairs.all())[:1], 9)
    assert runs_started() == 0
    rate(list(test.pairs.all())[:1], 1)
    assert runs_started() == 1


def test_ratings_that_never_train_do_not_count() -> None:
    test = study_with_plan(RATINGS + 5)
    rate([make_pair(test, role=role, clip=make_sound()) for role in (PairRole.ANCHOR, PairRole.PRACTICE)], 5)
    assert runs_started() == 0


def test_an_active_run_is_left_to_its_work() -> None:
    test = study_with_plan(1)
    run, _ = run_request(test=test, trigger=RunTrigger.PERSON)
    rate(list(test.pairs.all())[:1], 5)
    assert runs_started() == 0
    run_cancel(run=run)
    assert runs_started() == 1


def test_too_little_to_measure_by_starts_nothing() -> None:
    test = make_study(n_heldout=5)
    TrainingPlan.objects.create(test=test, retrain_after=1)
    assert runs_started() == 0
