"""The worth of screening rules is asked for, claimed, told about, cancelled, ended: conditional UPDATEs, as of runs."""

import logging
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.roles import Account
from modeling.config import ConfigError
from worker.configuration import config_of_request, preset_of_request
from worker.heldout import heldout_look
from worker.hosts import is_lost
from worker.models import (
    ACTIVE_WORTH_STATUSES,
    LookKind,
    RuleWorth,
    ScreeningState,
    ScreeningWorth,
    WorthStatus,
)
from worker.publishing import publish_or_tell
from worker.selectors import MIN_HELDOUT_PAIRS, n_heldout_pairs, question_named, training_plan
from worker.tasks import measure_screening_worth

if TYPE_CHECKING:
    from modeling.results import Progress

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
NO_BROKER = "The queue cannot be reached just now; the work begins by itself when a worker is back."
LOST = "The worker stopped without a word, again and again. Ask again; if this happens again, look at its log."
INTERRUPTED = "The worker was stopped on the way; the work goes on when a worker is back."
CANCELLED = "Cancelled. What was measured until then stands below."


def worth_request(*, test: ListeningTest, user: Account | None, enqueue: bool = True) -> tuple[ScreeningWorth, bool]:
    """The job that retrains with each rule on and off, and whether this call made it: one at a time for a test.

    Recipe and question are those of the test's plan. Raises `Refused` where the raters were not looked at yet, or where
    a run could not be measured either.
    """
    active = ScreeningWorth.objects.filter(test=test, status__in=ACTIVE_WORTH_STATUSES)
    found = active.first()
    if found is not None:
        return found, False
    state = ScreeningState.objects.filter(test=test, computed_at__isnull=False).first()
    if state is None:
        raise Refused(f"The raters of “{test.title}” have not been looked at yet. Have that done, then ask again.")
    question = question_named(test=test, name=training_plan(test=test).question)
    n_heldout = n_heldout_pairs(test=test, question=question)
    if n_heldout < MIN_HELDOUT_PAIRS:
        raise Refused(
            f"“{test.title}” has {n_heldout} rated pairs that are held out for measuring; at least {MIN_HELDOUT_PAIRS} "
            "are needed. About one caption in five is held out: collect ratings on more captions."
        )
    preset = preset_of_request(test=test)
    try:
        config = config_of_request(preset=preset, config_file=None) | {"question": question.name}
    except ConfigError as error:
        raise Refused(str(error)) from error
    values = {
        "question": question.name,
        "preset": preset,
        "config": config,
        "requested_by_id": user.pk if user is not None else None,
    }
    try:
        with transaction.atomic():
            made = ScreeningWorth.objects.create(test=test, **values)
    except IntegrityError:
        # The other click was quicker.
        return active.get(), False
    if enqueue:
        transaction.on_commit(lambda: worth_enqueue(worth=made))
    return made, True


def worth_enqueue(*, worth: ScreeningWorth) -> bool:
    """Publishes the task. Returns False where the broker is out of reach: the job stays queued and says so."""
    return publish_or_tell(measure_screening_worth, worth, NO_BROKER)


def worth_claim(*, worth_id: int, host: str) -> ScreeningWorth | None:
    """The job, now running on `host`; None where it is not queued any more."""
    now = timezone.now()
    claimed = ScreeningWorth.objects.filter(pk=worth_id, status=WorthStatus.QUEUED).update(
        status=WorthStatus.RUNNING,
        started_at=now,
        heartbeat_at=now,
        host=host,
        message="",
        attempt=F("attempt") + 1,
    )
    return ScreeningWorth.objects.select_related("test").get(pk=worth_id) if claimed == 1 else None


def worth_is_ours(*, worth: ScreeningWorth) -> bool:
    """Whether it still runs, and in this attempt."""
    return _ours(worth).exists()


def worth_beat(*, worth: ScreeningWorth) -> None:
    """A sign of life."""
    _ours(worth).update(heartbeat_at=timezone.now())


def worth_progress(*, worth: ScreeningWorth, progress: "Progress") -> None:
    _ours(worth).update(heartbeat_at=timezone.now(), step=progress.step, total_steps=progress.total_steps)


def worth_begin(*, worth: ScreeningWorth, n_models: int, **columns: Any) -> None:
    """What is known before the first model is trained."""
    _ours(worth).update(n_models=n_models, **columns)


@transaction.atomic
def worth_store(*, worth: ScreeningWorth, rule: RuleWorth | None = None, **columns: Any) -> bool:
    """One more model is measured: of a rule, or, where none is given, the one without. False where the job is lost.

    Figures on the held-out pairs became known by it.
    """
    if not _ours(worth).update(n_done=F("n_done") + 1, step=0, total_steps=0, **columns):
        return False
    if rule is not None:
        rule.worth = worth
        rule.save()
    if rule is None or rule.srcc is not None:
        heldout_look(heldout_set=worth.heldout_set, kind=LookKind.SCREENING)
    return True


def worth_finish(*, worth: ScreeningWorth, status: str, message: str = "") -> bool:
    """Ends a job that is in this attempt's hands; False where it is not any more."""
    return _ours(worth).update(status=status, message=message, finished_at=timezone.now()) == 1


def worth_release(*, worth: ScreeningWorth) -> bool:
    """Gives it back to the queue, because its worker is being stopped."""
    return _ours(worth).update(status=WorthStatus.QUEUED, message=INTERRUPTED, host="", step=0, total_steps=0) == 1


def worth_cancel(*, worth: ScreeningWorth) -> ScreeningWorth:
    """Ends it at once; a worker that has it in hand stops within a training step. An ended one stays as it is."""
    active = ScreeningWorth.objects.filter(pk=worth.pk, status__in=ACTIVE_WORTH_STATUSES)
    active.update(status=WorthStatus.CANCELLED, message=CANCELLED, finished_at=timezone.now())
    worth.refresh_from_db()
    return worth


def worths_set_right() -> None:
    """Takes back what a dead process had in hand, and publishes what is queued once more."""
    for worth in ScreeningWorth.objects.filter(status=WorthStatus.RUNNING):
        if is_lost(host=worth.host, last_sign=worth.heartbeat_at):
            _take_back(worth)
    for worth in ScreeningWorth.objects.filter(status=WorthStatus.QUEUED).order_by("id"):
        worth_enqueue(worth=worth)


def _take_back(worth: ScreeningWorth) -> None:
    if worth.attempt >= MAX_ATTEMPTS:
        worth_finish(worth=worth, status=WorthStatus.FAILED, message=LOST)
    elif worth_release(worth=worth):
        logger.warning("The process of %s (%s) is gone; it is queued again.", worth, worth.host)


def _ours(worth: ScreeningWorth) -> QuerySet[ScreeningWorth]:
    return ScreeningWorth.objects.filter(pk=worth.pk, status=WorthStatus.RUNNING, attempt=worth.attempt)
