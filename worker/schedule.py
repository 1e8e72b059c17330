"""What beat asks for: each minute the dates of tests, each hour which of them are trained, and what was lost."""

import logging

from django.db.models import Exists, OuterRef

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.services.calendar import calendar_look
from worker import clip_imports, services
from worker.beat_sign import beat_sign_give
from worker.models import ACTIVE_RUN_STATUSES, RunTrigger, TrainingRun
from worker.schedules import schedules_fire_due
from worker.scoring.recovery import scorings_set_right, scorings_take_back
from worker.screening.worth import worths_set_right
from worker.selectors import n_new_ratings, training_plan
from worker.services_pilots import pilots_set_right

logger = logging.getLogger(__name__)


def minute_look() -> None:
    """Opens and closes tests on their dates, sets right what runs and pilots have lost, and fires schedules that are
    due and whose message did not come.
    """
    beat_sign_give()
    calendar_look()
    services.runs_set_right()
    worths_set_right()
    scorings_take_back()
    schedules_fire_due()
    pilots_set_right()


def hourly_look() -> list[TrainingRun]:
    """Sets right what was lost on the way, and starts a run of each test that is due."""
    clip_imports.clip_imports_set_right()
    scorings_set_right()
    return [run for test in _tests_without_active_run() if is_due(test=test) and (run := _start(test))]


def is_due(*, test: ListeningTest) -> bool:
    """Whether the test has as many new ratings as its plan asks for; never where the plan says 0."""
    plan = training_plan(test=test)
    return plan.retrain_after > 0 and n_new_ratings(test=test) >= plan.retrain_after


def _tests_without_active_run() -> list[ListeningTest]:
    active = Exists(TrainingRun.objects.filter(test=OuterRef("pk"), status__in=ACTIVE_RUN_STATUSES))
    return list(ListeningTest.objects.filter(~active, pilot_of=None).order_by("id"))


def _start(test: ListeningTest) -> TrainingRun | None:
    try:
        run, created = services.run_request(test=test, trigger=RunTrigger.SCHEDULE)
    except Refused as refusal:
        logger.info("No run of %s: %s", test, refusal)
        return None
    return run if created else None
