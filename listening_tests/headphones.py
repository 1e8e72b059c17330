"""The headphone check as its page knows it: six sounds, each with three sounds in it, of which one is to be found.

The order of the six is drawn for each attempt of each sitting from the secret key, so that neither page nor address
gives away what is right.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.utils.crypto import salted_hmac

from listening_tests.audio import headphone_sounds
from listening_tests.choices import CheckOutcome, HeadphoneCheck
from listening_tests.models import Session
from listening_tests.models.sessions import HEADPHONE_TRIALS

# Another attempt is for those who must pass. Two, as in the program that Milne et al. published.
MOST_ATTEMPTS = 2
EXAMPLE = "example"
SOUND_NAMES = tuple(str(number) for number in range(1, HEADPHONE_TRIALS + 1))


class _Method(NamedTuple):
    """`sound` and `place` take the number of a trial, from 0; a place is 0, 1 or 2."""

    sound: Callable[[int], bytes]
    place: Callable[[int], int]
    pass_mark: int
    example: int | None = None


_METHODS = {
    # Woods et al. 2017: five of six. Who guesses gets there in 13 of 729 attempts.
    HeadphoneCheck.ANTI_PHASE: _Method(headphone_sounds.anti_phase, headphone_sounds.anti_phase_place, 5),
    # Milne et al. 2021, whose published program takes six of six (`passMark: 6`). Who guesses: in 1 of 729.
    HeadphoneCheck.HUGGINS: _Method(
        headphone_sounds.huggins, headphone_sounds.huggins_place, 6, headphone_sounds.EXAMPLE
    ),
}


def sound_content(session: Session, name: str) -> bytes:
    """The FLAC file of one of SOUND_NAMES, as this sitting hears it at the attempt that comes next, or of EXAMPLE.

    Raises KeyError for any other name, for an example where there is none, and where the sitting has no check.
    """
    method = _METHODS[HeadphoneCheck(session.headphone_check)]
    trials = dict(zip(SOUND_NAMES, _order(session), strict=True))
    if method.example is not None:
        trials[EXAMPLE] = method.example
    return method.sound(trials[name])


def count_right(session: Session, places: Sequence[int]) -> int:
    """Of the attempt that comes next; `places` are the answers, 1, 2 or 3, in the order of SOUND_NAMES."""
    return sum(given == place for given, place in zip(places, right_places(session), strict=True))


def right_places(session: Session) -> list[int]:
    """What is right at the attempt that comes next: 1, 2 or 3, in the order of SOUND_NAMES. No page is told."""
    method = _METHODS[HeadphoneCheck(session.headphone_check)]
    return [method.place(trial) + 1 for trial in _order(session)]


def outcome(session: Session, n_right: int) -> CheckOutcome:
    pass_mark = _METHODS[HeadphoneCheck(session.headphone_check)].pass_mark
    return CheckOutcome.PASSED if n_right >= pass_mark else CheckOutcome.FAILED


def _order(session: Session) -> list[int]:
    """The trials' numbers as they come."""

    def drawn(trial: int) -> bytes:
        value = f"{session.uuid} {session.headphone_check} {session.headphone_attempts} {trial}"
        return salted_hmac("listening_tests.headphones", value, algorithm="sha256").digest()

    return sorted(range(HEADPHONE_TRIALS), key=drawn)
