"""Who passes the headphone checks by the sounds themselves: two ears with headphones, and nobody without, by and large.

The listeners of `listeners.py` hear the files that sittings are sent. What they draw is drawn from fixed seeds, and so
are the orders of the sounds: the numbers are the same in every run.
"""

from collections.abc import Callable, Sequence
from uuid import UUID

import numpy as np
import pytest

from listening_tests.audio.headphone_sounds import ORDERS, TRIALS, anti_phase, huggins, huggins_place
from listening_tests.audio.loudness import HIGHEST_TRUE_PEAK_DBTP, TARGET_LUFS, measure
from listening_tests.choices import CheckOutcome, HeadphoneCheck
from listening_tests.headphones import SOUND_NAMES, count_right, outcome, sound_content
from listening_tests.models import ListeningTest, Session
from tests.collection.listeners import (
    RATE_HZ,
    Hearing,
    Room,
    over_headphones,
    over_one_speaker,
    quietest,
    three_sounds,
    with_a_tone,
)
from tests.collection.sitting import start_sitting
from tests.collection.test_reference_sounds import samples_of
from tests.factories import make_pairs, make_test

N_SITTINGS = 50
ANTI_PHASE, HUGGINS = HeadphoneCheck.ANTI_PHASE, HeadphoneCheck.HUGGINS
LISTEN: dict[str, Callable[[bytes, Hearing, np.random.Generator], int]] = {ANTI_PHASE: quietest, HUGGINS: with_a_tone}


@pytest.fixture(autouse=True)
def the_same_orders_in_every_run(settings) -> None:
    settings.SECRET_KEY = "a secret of at least fifty characters, the same in every run"


def furnished_room(number: int) -> Room:
    """Somewhere that a person sits 2 m from two loudspeakers, at most 30 cm from the middle."""
    rng = np.random.default_rng(number)
    size = (rng.uniform(3, 5), rng.uniform(4, 6), rng.uniform(2.4, 2.8))
    return Room(size, reflection=rng.uniform(0.7, 0.85), aside=rng.uniform(-0.3, 0.3))


def rights(method: str, hearings: Sequence[Hearing]) -> list[int]:
    """How many trials each of the listeners gets right, in a sitting of their own."""
    found = []
    for number, hearing in enumerate(hearings):
        session = Session(test=ListeningTest(), uuid=UUID(int=number), headphone_check=method)
        rng = np.random.default_rng(number)
        places = [LISTEN[method](sound_content(session, name), hearing, rng) for name in SOUND_NAMES]
        found.append(count_right(session, places))
    return found


def n_passed(method: str, found: list[int]) -> int:
    session = Session(headphone_check=method)
    return sum(outcome(session, n_right) == CheckOutcome.PASSED for n_right in found)


@pytest.mark.parametrize("method", [ANTI_PHASE, HUGGINS])
def test_who_has_headphones_passes(method: str) -> None:
    assert n_passed(method, rights(method, [over_headphones] * N_SITTINGS)) == N_SITTINGS


def test_one_speaker_gets_no_anti_phase_trial_right() -> None:
    """The tone in anti-phase is silence there, in every trial."""
    assert rights(ANTI_PHASE, [over_one_speaker] * N_SITTINGS) == [0] * N_SITTINGS


def test_one_speaker_leaves_the_huggins_pitch_to_chance() -> None:
    """Of six guesses all are right in 1 sitting of 729: of 50 sittings two or more pass with a probability of .002.

    On average 2 of 6 are right. Over 50 sittings the mean has a standard error of sqrt(6 * 2/9 / 50) = 0.16.
    """
    found = rights(HUGGINS, [over_one_speaker] * N_SITTINGS)
    assert n_passed(HUGGINS, found) <= 1
    assert np.mean(found) == pytest.approx(2, abs=3 * 0.16)


@pytest.mark.parametrize(("method", "most_passed"), [(ANTI_PHASE, 17), (HUGGINS, 10)])
def test_most_who_have_loudspeakers_fail(method: str, most_passed: int) -> None:
    """Not all of them: a room gives some what headphones give. Of people, Milne et al. 2021 found 20 % passing Huggins
    pitch over loudspeakers, and that it tells them better than the anti-phase tones do. So 20 % are the most that is
    taken here of the one, and a third of the other; in these 50 rooms 7 and 14 pass.
    """
    found = rights(method, [furnished_room(number) for number in range(N_SITTINGS)])
    assert n_passed(method, found) <= most_passed


def test_loudspeakers_without_a_room_fail_with_the_tones() -> None:
    """In the open, and near the middle, the anti-phase tone comes to both ears some 15 dB softer: no trial is right."""
    in_the_open = [Room((5, 5, 3), reflection=0, aside=aside, orders=0) for aside in (-0.05, 0, 0.05)]
    assert rights(ANTI_PHASE, in_the_open) == [0, 0, 0]


def test_in_the_very_middle_between_loudspeakers_the_huggins_pitch_is_heard() -> None:
    """A limit of the method, not a wish: there, without a room, the turned band comes to the ears as it was made."""
    found = rights(HUGGINS, [Room((5, 5, 3), reflection=0, orders=0)])
    assert n_passed(HUGGINS, found) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("method", [ANTI_PHASE, HUGGINS])
@pytest.mark.parametrize(
    ("hearing", "expected"), [(over_headphones, CheckOutcome.PASSED), (over_one_speaker, CheckOutcome.FAILED)]
)
def test_over_http(client, method: str, hearing: Hearing, expected: CheckOutcome) -> None:
    """From the bytes that the server sends to what it stores. Guesses are drawn from a seed that guesses wrong."""
    test = make_test(headphone_check=method)
    make_pairs(test, 1)
    start_sitting(client, test)
    rng = np.random.default_rng(0)
    contents = {name: client.get(f"/t/{test.slug}/headphones/{name}/").getvalue() for name in SOUND_NAMES}
    # Who hears no tone in any says always the same here: by the draw, two of six are right.
    answers = {
        f"trial-{name}": 1
        if method == HUGGINS and hearing is over_one_speaker
        else LISTEN[method](content, hearing, rng)
        for name, content in contents.items()
    }
    client.post(f"/t/{test.slug}/headphones/", answers | {"attempt": 1})
    assert Session.objects.get().headphones == expected


@pytest.mark.parametrize("make", [anti_phase, huggins])
def test_as_loud_as_what_is_rated(make: Callable[[int], bytes]) -> None:
    for trial in range(TRIALS):
        samples = samples_of(make(trial))
        assert measure(samples, RATE_HZ).true_peak_dbtp < HIGHEST_TRUE_PEAK_DBTP
        # Of each sound by itself: the pauses are no part of it.
        starts = [round(RATE_HZ * (0.5 + 1.5 * place)) for place in range(3)]
        lufs = [measure(samples[start:][:RATE_HZ], RATE_HZ).lufs for start in starts]
        assert max(level or -99 for level in lufs) == pytest.approx(TARGET_LUFS, abs=0.5)


def test_the_tones_are_what_woods_et_al_describe() -> None:
    for trial, kinds in enumerate(ORDERS):
        samples = samples_of(anti_phase(trial))
        for place, kind in enumerate(kinds):
            left, right = samples[round(RATE_HZ * (0.5 + 1.5 * place)) :][:RATE_HZ].T
            assert np.array_equal(left, -right if kind == "opposed" else right)
            assert np.abs(np.fft.rfft(left)).argmax() == 200
        levels = {kind: np.abs(sound).sum() for kind, sound in zip(kinds, three_sounds(anti_phase(trial)), strict=True)}
        assert levels["softer"] / levels["plain"] == pytest.approx(10 ** (-6 / 20), abs=0.01)


def test_the_noises_are_what_milne_et_al_describe() -> None:
    """The channels are the same but for the pitch's band, which is turned by half a circle and as strong as before."""
    for trial in range(TRIALS):
        for place, (left, right) in enumerate(three_sounds(huggins(trial))):
            band = np.abs(np.arange(len(left)) - 600) <= 30
            beside = np.abs(np.arange(len(left)) - 600) > 45
            if place == huggins_place(trial):
                turned = np.vdot(left[band], right[band]) / np.linalg.norm(left[band]) / np.linalg.norm(right[band])
                # The soft edges of the burst smear those of the band a little.
                assert turned.real < -0.95
                assert np.linalg.norm(left[band]) == pytest.approx(np.linalg.norm(right[band]), rel=0.05)
                assert np.linalg.norm((left - right)[beside]) < 0.05 * np.linalg.norm(left[beside])
            else:
                assert np.array_equal(left, right)


def test_another_process_makes_the_same_files() -> None:
    assert anti_phase.__wrapped__(3) == anti_phase(3)
    assert huggins.__wrapped__(3) == huggins(3)


def test_a_phone_loads_them_quickly() -> None:
    assert max(len(make(trial)) for make in (anti_phase, huggins) for trial in range(TRIALS)) < 300_000
