"""Simulated raters of a pilot: they sit down, listen, answer and finish through the services that people's pages call.

So whatever a page would refuse is refused here too, and what a study will store is what its pilot stores. What cannot
be waited for is dated back: a lease, and the beginning of a sitting.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import numpy as np
from django.db import IntegrityError, transaction
from django.utils import timezone

from listening_tests.answers import Answer, Given, Hearing
from listening_tests.choices import ListeningDevice, PilotStatus, Source, Surroundings, TestKind
from listening_tests.comprehension import check_items
from listening_tests.exceptions import Refused
from listening_tests.headphones import right_places
from listening_tests.models import Assignment, ListeningTest, Pair, Pilot, Question, Session
from listening_tests.selectors import assignments_open
from listening_tests.services.checks import check_submit
from listening_tests.services.headphones import headphones_submit
from listening_tests.services.pilots import pilot_claim, pilot_finish, pilot_make, pilot_progress
from listening_tests.services.questionnaires import QuestionnaireAnswers, questionnaire_submit
from listening_tests.services.ratings import rating_submit
from listening_tests.services.sessions import session_start
from listening_tests.services.sound_set_up import sound_set_up_finish
from listening_tests.sound_set_up import heard_right
from listening_tests.stages import Stage, stage_of
from modeling.synthetic.listeners import CARELESS, Listener, Manner, Sound
from modeling.targets import to_ten
from worker.publishing import publish_or_tell
from worker.tasks import run_pilot

logger = logging.getLogger(__name__)

NO_BROKER = "The queue cannot be reached just now; the pilot starts by itself when a worker is back."
# A pilot that has been silent for so long has lost its worker.
LOST_AFTER = timedelta(minutes=3)
LOST = "The worker stopped without a word. Delete this pilot and start another one."
NONE_LEFT = "Everything has all the ratings that it needs, so no more raters were let in."
# No simulated sitting is longer.
LONGEST_SITTING = timedelta(hours=2)
# Careful raters with headphones pass the check as often as this.
PASSES_HEADPHONES = 0.9


class Stopped(Exception):
    """The pilot was cancelled or deleted while its raters were at work."""


def pilot_start(*, test: ListeningTest, n_raters: int, n_careless: int = 0, uuid: UUID | None = None) -> Pilot:
    """A pilot of `test`, published to the default queue after the commit. A repeat, known by `uuid`, finds the first.

    Raises Refused as `pilot_make` does.
    """
    pilot, is_new = pilot_make(test=test, n_raters=n_raters, n_careless=n_careless, uuid=uuid)
    if is_new:
        transaction.on_commit(lambda: pilot_enqueue(pilot=pilot))
    return pilot


def pilot_enqueue(*, pilot: Pilot) -> bool:
    """False where the broker is out of reach: the pilot stays queued, and the look of every minute tries again."""
    return publish_or_tell(run_pilot, pilot, NO_BROKER)


def pilots_set_right() -> None:
    """The look of every minute: publishes again what may have been lost, and ends what has lost its worker."""
    minute_ago = timezone.now() - timedelta(minutes=1)
    for pilot in Pilot.objects.filter(status=PilotStatus.QUEUED, created_at__lt=minute_ago).select_related("test"):
        pilot_enqueue(pilot=pilot)
    silent = Pilot.objects.filter(status=PilotStatus.RUNNING, heartbeat_at__lt=timezone.now() - LOST_AFTER)
    for pilot_id in silent.values_list("pk", flat=True):
        pilot_finish(pilot_id=pilot_id, status=PilotStatus.FAILED, message=LOST)


def pilot_execute(*, pilot_id: int) -> None:
    """What the queue asks for: lets the raters of a queued pilot in, one after the other. A second delivery, or a pilot
    that was cancelled or deleted, finds nothing to claim.
    """
    pilot = pilot_claim(pilot_id=pilot_id)
    if pilot is None:
        return
    try:
        message = _rate_all(pilot)
        pilot_finish(pilot_id=pilot_id, status=PilotStatus.DONE, message=message)
    except Stopped:
        logger.info("The pilot %d was cancelled or deleted.", pilot_id)
    except Exception as error:
        if not Pilot.objects.filter(pk=pilot_id, status=PilotStatus.RUNNING).exists():
            # Deleted under its raters' hands: whatever they met there comes of that.
            logger.info("The pilot %d was deleted while its raters were at work.", pilot_id)
            return
        logger.exception("The pilot %d failed.", pilot_id)
        told = str(error) if isinstance(error, Refused) else f"A fault of Earmark ended it ({type(error).__name__})."
        pilot_finish(pilot_id=pilot_id, status=PilotStatus.FAILED, message=told)


@dataclass
class _Tally:
    """How far the raters are; `tell` raises Stopped where nobody wants to know any more."""

    pilot_id: int
    n_done: int = 0
    n_answers: int = 0

    def tell(self) -> None:
        if not pilot_progress(pilot_id=self.pilot_id, n_done=self.n_done, n_answers=self.n_answers):
            raise Stopped


def _rate_all(pilot: Pilot) -> str:
    """Lets everybody in; returns what to say of it at the end."""
    # The same pilot, done again, is done as before: by its copy's uuid.
    rng = np.random.default_rng(pilot.test.uuid.int)
    questions = list(pilot.test.questions.order_by("pk"))
    tally = _Tally(pilot.pk)
    for manner in _manners(pilot, rng):
        try:
            _sit(pilot.test, questions, Listener(rng, manner), tally)
        except _NoneLeft:
            return NONE_LEFT
        tally.n_done += 1
        tally.tell()
    return ""


def _manners(pilot: Pilot, rng: np.random.Generator) -> list[Manner]:
    """The careless ones, of each sort in turn, come at random among the others."""
    careless = [CARELESS[number % len(CARELESS)] for number in range(pilot.n_careless)]
    manners = careless + [Manner.CAREFUL] * (pilot.n_raters - pilot.n_careless)
    return [manners[number] for number in rng.permutation(len(manners))]


class _NoneLeft(Exception):
    """No pair is left for another rater."""


def _sit(test: ListeningTest, questions: list[Question], listener: Listener, tally: _Tally) -> None:
    """One sitting from consent to the code."""
    try:
        session = session_start(test=test, rater_uuid=uuid4(), source=Source.SIMULATED)
    except (Refused, IntegrityError) as refusal:
        tally.tell()
        raise _NoneLeft from refusal
    # Nobody waits for the sounds: the sitting began as long ago as it may take.
    Session.objects.filter(pk=session.pk).update(started_at=timezone.now() - LONGEST_SITTING)
    while True:
        session = Session.objects.select_related("test", "rater").get(pk=session.pk)
        stage = stage_of(session)
        if stage is Stage.CHECK:
            _check(session, listener)
        elif stage is Stage.SOUND:
            sound_set_up_finish(session=session, heard=heard_right(session))
        elif stage is Stage.HEADPHONES:
            _headphones(session, listener)
        elif stage is Stage.RATE:
            leases = assignments_open(session=session)
            if not leases:
                return
            _answer(session, leases[0], questions, listener)
            tally.n_answers += 1
            tally.tell()
        elif stage is Stage.QUESTIONS:
            questionnaire_submit(session=session, answers=_remarks(listener))
        else:
            return


def _check(session: Session, listener: Listener) -> None:
    """The careful ones have understood; the others answer at random."""
    answers = {}
    for item in check_items(session):
        names = [name for name in item.answers if item.is_right(name)] if listener.is_careful else list(item.answers)
        answers[item.question.pk] = str(listener.rng.choice(names))
    check_submit(session=session, attempt=session.check_attempts + 1, answers=answers)


def _headphones(session: Session, listener: Listener) -> None:
    places = right_places(session)
    if not listener.is_careful or listener.rng.random() > PASSES_HEADPHONES:
        places = [int(place) for place in listener.rng.integers(1, 4, len(places))]
    headphones_submit(session=session, attempt=session.headphone_attempts + 1, places=places)


def _answer(session: Session, lease: Assignment, questions: list[Question], listener: Listener) -> None:
    durations_s = [pair.clip.duration_s or 0.0 for pair in lease.pairs]
    elapsed_s, plays = listener.seconds(sum(durations_s))
    # It was given out when it was shown.
    shown_at = timezone.now() - timedelta(seconds=elapsed_s)
    Assignment.objects.filter(pk=lease.pk, leased_at__gt=shown_at).update(leased_at=shown_at)
    heard = tuple(Hearing(plays, duration_s) for duration_s in durations_s)
    given = _given(session.test, lease.pairs, questions, listener)
    rating_submit(
        session=session,
        assignment_uuid=lease.uuid,
        answer=Answer(uuid4(), given, heard, elapsed_s),
        source=Source.SIMULATED,
    )


def _given(test: ListeningTest, pairs: list[Pair], questions: list[Question], listener: Listener) -> Given:
    if test.kind == TestKind.COMPARISON:
        first, second = (_sound(pair, questions[0]) for pair in pairs)
        return {question.name: (listener.prefer(first, second, question.name),) for question in questions}
    return {
        question.name: tuple(
            _on_scale(question, listener.score(_sound(pair, question), question.name)) for pair in pairs
        )
        for question in questions
    }


def _sound(pair: Pair, question: Question) -> Sound:
    """A repeat is the sound that it repeats, and so deserves the same."""
    expected = None
    if pair.expected_min is not None and pair.expected_max is not None:
        ends = to_ten([pair.expected_min, pair.expected_max], question.scale_min, question.scale_max)
        expected = (float(ends[0]), float(ends[1]))
    return Sound(pair.role, pair.system, pair.caption.text, str(pair.clip.uuid), expected)


def _on_scale(question: Question, score: float) -> float:
    """`score` of 0..10 on the scale of the question, at one of its steps."""
    value = question.scale_min + score / 10 * (question.scale_max - question.scale_min)
    if question.is_continuous:
        return value
    values = question.values()
    return min(values, key=lambda step: abs(step - value))


def _remarks(listener: Listener) -> QuestionnaireAnswers:
    device = str(listener.rng.choice([ListeningDevice.HEADPHONES, ListeningDevice.EARPHONES, ListeningDevice.BUILT_IN]))
    return QuestionnaireAnswers(device=device, surroundings=Surroundings.QUIET, remarks="", own={})
