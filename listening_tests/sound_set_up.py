"""The sounds of the sound set-up as their page knows them: a volume reference, then one ear and the other.

Which ear comes first is drawn for each sitting from the secret key, so that neither page nor address gives it away.
"""

from collections.abc import Callable
from typing import NamedTuple

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from listening_tests.audio.reference import left_only, right_only, volume_reference
from listening_tests.choices import CheckOutcome
from listening_tests.models import Session

LEFT, RIGHT, UNSURE = "left", "right", "unsure"
ANSWERS = ((LEFT, _("Left")), (RIGHT, _("Right")), (UNSURE, _("Both, or cannot tell")))
VOLUME, FIRST, SECOND = "volume", "first", "second"
SOUND_NAMES = (VOLUME, FIRST, SECOND)


class Heard(NamedTuple):
    """What the rater says of the first and the second sound: one of ANSWERS, or nothing."""

    first: str = ""
    second: str = ""


def sound_content(session: Session, name: str) -> bytes:
    """The FLAC file of one of SOUND_NAMES, as this sitting hears it. Raises KeyError for any other name."""
    makers: dict[str, Callable[[], bytes]] = {VOLUME: volume_reference}
    makers[FIRST], makers[SECOND] = (left_only, right_only) if _sides(session)[0] == LEFT else (right_only, left_only)
    return makers[name]()


def left_right_outcome(session: Session, heard: Heard) -> CheckOutcome:
    """Unchecked where the rater cannot tell, as on the one speaker of a phone: that is never held against anybody."""
    if not {LEFT, RIGHT}.issuperset(heard):
        return CheckOutcome.UNCHECKED
    return CheckOutcome.PASSED if tuple(heard) == _sides(session) else CheckOutcome.FAILED


def heard_right(session: Session) -> Heard:
    """What somebody with headphones answers."""
    return Heard(*_sides(session))


def _sides(session: Session) -> tuple[str, str]:
    """Which side the first sound is on, and the second."""
    drawn = salted_hmac("listening_tests.sound_set_up", str(session.uuid), algorithm="sha256").digest()[0]
    return (LEFT, RIGHT) if drawn % 2 else (RIGHT, LEFT)
