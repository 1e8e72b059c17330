"""Pilots: a copy of a test for simulated raters, their progress, and its deletion with everything that hangs on it.

Who simulates them is the worker's business (worker/services_pilots.py).
"""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from listening_tests.choices import ACTIVE_PILOT_STATUSES, PilotStatus, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import (
    Assignment,
    Comparison,
    Consent,
    Exclusion,
    ListeningTest,
    Member,
    Pilot,
    Presentation,
    ProblemReport,
    Questionnaire,
    Rater,
    Rating,
    Session,
    SurveyAnswer,
    Withdrawal,
)
from listening_tests.services.clones import test_clone
from listening_tests.services.patience import patiently
from listening_tests.services.test_status import test_open

MOST_RATERS = 500


@transaction.atomic
def pilot_make(
    *, test: ListeningTest, n_raters: int, n_careless: int = 0, uuid: UUID | None = None
) -> tuple[Pilot, bool]:
    """A queued pilot of `test`, its copy open, and whether this call made it; `uuid` is known from a repeat.

    Raises Refused for numbers that make no sense, for the pilot of a pilot, and NotReady where a test like this could
    not be opened.
    """
    known = Pilot.objects.filter(test__uuid=uuid).select_related("test").first() if uuid else None
    if known is not None:
        return known, False
    if not 1 <= n_raters <= MOST_RATERS:
        raise Refused(f"A pilot has 1 to {MOST_RATERS} simulated raters, not {n_raters}.")
    if not 0 <= n_careless <= n_raters:
        raise Refused(f"Of {n_raters} simulated raters {n_careless} cannot be careless. Choose 0 to {n_raters}.")
    if test.pilot_of_id is not None:
        raise Refused(f"The test {test.slug} is a pilot itself. Start another one from the test that it is a pilot of.")
    copy = test_clone(test=test, user=None, uuid=uuid, pilot_of=test)
    # Whoever works on the test works on its pilots, in the same role.
    Member.objects.bulk_create(
        [Member(test=copy, user_id=member.user_id, role=member.role) for member in test.members.all()]
    )
    test_open(test=copy, force=True)
    copy.refresh_from_db()
    return Pilot.objects.create(test=copy, n_raters=n_raters, n_careless=n_careless), True


def pilots_of(*, test: ListeningTest) -> QuerySet[Pilot]:
    """The pilots of a test, newest first."""
    return Pilot.objects.filter(test__pilot_of=test).select_related("test")


def pilot_claim(*, pilot_id: int) -> Pilot | None:
    """The pilot, now running; None where it is not queued any more: another process has it, or it was cancelled."""
    now = timezone.now()
    queued = Pilot.objects.filter(pk=pilot_id, status=PilotStatus.QUEUED)
    if not queued.update(status=PilotStatus.RUNNING, heartbeat_at=now, message=""):
        return None
    return Pilot.objects.select_related("test").get(pk=pilot_id)


def pilot_progress(*, pilot_id: int, n_done: int, n_answers: int) -> bool:
    """Stores how far the raters are; False where the pilot was cancelled or deleted meanwhile."""
    running = Pilot.objects.filter(pk=pilot_id, status=PilotStatus.RUNNING)
    return running.update(n_done=n_done, n_answers=n_answers, heartbeat_at=timezone.now()) == 1


def pilot_finish(*, pilot_id: int, status: PilotStatus, message: str = "") -> bool:
    """Ends a pilot; False where it had ended before. The copy is closed: nobody else shall come in."""
    active = Pilot.objects.filter(pk=pilot_id, status__in=ACTIVE_PILOT_STATUSES)
    ended = active.update(status=status, message=message, finished_at=timezone.now()) == 1
    if ended:
        ListeningTest.objects.filter(pilot__pk=pilot_id, status=TestStatus.OPEN).update(status=TestStatus.CLOSED)
    return ended


def pilot_cancel(*, pilot: Pilot) -> Pilot:
    """Stops its raters after the answer that they are at. What they have answered stays; a repeat changes nothing."""
    pilot_finish(pilot_id=pilot.pk, status=PilotStatus.CANCELLED, message="Cancelled.")
    return Pilot.objects.select_related("test").get(pk=pilot.pk)


def pilot_delete(*, test: ListeningTest) -> None:
    """Deletes a pilot with all its rows: answers, sittings, raters, pairs, runs. Clips and captions stay. A repeat does
    nothing. Raises Refused where `test` is no pilot.
    """
    if test.pilot_of_id is None:
        raise Refused(f"The test {test.slug} is no pilot, so it is not deleted this way.")
    # First, so that its raters stop of themselves.
    Pilot.objects.filter(test_id=test.pk, status__in=ACTIVE_PILOT_STATUSES).update(
        status=PilotStatus.CANCELLED, finished_at=timezone.now()
    )
    _delete(test.pk)


@patiently
@transaction.atomic
def _delete(test_id: int) -> None:
    """Sessions are held first, as by who rates, and then the test, to which nothing new can be hung from then on."""
    list(Session.objects.filter(test_id=test_id).order_by("pk").select_for_update().values_list("pk"))
    test = ListeningTest.objects.select_for_update().filter(pk=test_id).first()
    if test is None:
        return
    raters = list(Rater.objects.filter(consents__test=test_id).values_list("pk", flat=True).distinct())
    # What others refer to goes after those others.
    Exclusion.objects.filter(rating__test=test_id).delete()
    Exclusion.objects.filter(comparison__test=test_id).delete()
    for answers in (Rating, Comparison):
        answers._default_manager.filter(test=test_id).delete()
    ProblemReport.objects.filter(test=test_id).delete()
    SurveyAnswer.objects.filter(questionnaire__session__test=test_id).delete()
    Questionnaire.objects.filter(session__test=test_id).delete()
    Presentation.objects.filter(assignment__session__test=test_id).delete()
    Assignment.objects.filter(session__test=test_id).delete()
    Session.objects.filter(test=test_id).delete()
    Withdrawal.objects.filter(test=test_id).delete()
    Consent.objects.filter(test=test_id).delete()
    test.delete()
    # A person who tried the pilot out may rate elsewhere.
    Rater.objects.filter(
        pk__in=raters, sessions=None, consents=None, ratings=None, comparisons=None, withdrawals=None
    ).delete()
