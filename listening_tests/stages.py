"""Where a sitting stands: consent, comprehension check, sound set-up, headphone check, rating, questionnaire, code.

Every page of a sitting asks here, and sends a rater who belongs elsewhere there: so neither the back button nor a
reload nor an old link leads astray.
"""

from enum import Enum

from django.urls import reverse

from listening_tests.choices import FINISHED_SESSION_STATUSES, SessionStatus
from listening_tests.models import Session


class Stage(Enum):
    """The value is the name of the page's address."""

    CHECK = "check"
    SOUND = "sound"
    HEADPHONES = "headphones"
    RATE = "rate"
    QUESTIONS = "questions"
    DONE = "done"
    SCREENED = "screened"
    WITHDRAWN = "withdraw"


# The stages of a sitting that goes on.
ACTIVE_STAGES = frozenset({Stage.CHECK, Stage.SOUND, Stage.HEADPHONES, Stage.RATE})
# Those of them that come before the first pair.
BEFORE_RATING = frozenset({Stage.CHECK, Stage.SOUND, Stage.HEADPHONES})


def stage_of(session: Session) -> Stage:
    """The one page that this sitting belongs to now."""
    if session.status == SessionStatus.WITHDRAWN:
        return Stage.WITHDRAWN
    if session.status == SessionStatus.SCREENED:
        return Stage.SCREENED
    if session.status in FINISHED_SESSION_STATUSES:
        return Stage.DONE if session.questionnaire_at else Stage.QUESTIONS
    if session.needs_check:
        return Stage.CHECK
    if session.sound_set_up_at is None:
        return Stage.SOUND
    return Stage.HEADPHONES if session.needs_headphone_check else Stage.RATE


def stage_url(session: Session) -> str:
    """The address of the page that this sitting belongs to. Reads `session.test`."""
    return reverse(f"listening_tests:{stage_of(session).value}", args=[session.test.slug])
