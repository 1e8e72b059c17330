"""Listeners of sound, not of people: what reaches two ears over headphones, from one speaker, or from two in a room.

A sound is given as the spectra of its channels, and so is what the ears get: complex, (2, HIGHEST_HZ), a value for each
Hz, since each sound lasts one second.

What such a listener makes of it: the energy at both ears for loudness, and for a binaural pitch the equalization-
cancellation model (Durlach 1963, JASA 35, 1206-1218): the brain takes one ear from the other, with jitter in time and
level that leaves a rest, and a tone is heard where that rest stands out from its neighbourhood.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

import numpy as np
import soundfile

RATE_HZ = 48_000
# Nothing that these listeners go by lies above.
HIGHEST_HZ = 1_000
SPEED_OF_SOUND_M_S = 343.0
HEAD_RADIUS_M = 0.0875
SHADOW_DB = 2.0  # At the side, softer or louder by so much at most: a head is small against waves below 1 kHz.
LEFT, RIGHT = -1, 1
# Durlach's.
TIME_JITTER_S = 105e-6
LEVEL_JITTER = 0.25
# What a listener does not tell apart for sure.
NOISE_DB = 1.0

Hearing = Callable[[np.ndarray], np.ndarray]


@cache
def three_sounds(content: bytes) -> list[np.ndarray]:
    """The spectra of the three sounds of a trial, found as an ear finds them: where silence ends."""
    samples, rate_hz = soundfile.read(io.BytesIO(content), dtype="float64", always_2d=True)
    assert (rate_hz, samples.shape[1]) == (RATE_HZ, 2)
    block = RATE_HZ // 10
    has_sound = np.abs(samples).reshape(-1, 2 * block).max(axis=1) > 0
    starts = np.flatnonzero(np.diff(has_sound.astype(int)) == 1) + 1
    return [np.fft.rfft(samples[start * block :][:RATE_HZ], axis=0).T[:, :HIGHEST_HZ] for start in starts]


def over_headphones(sound: np.ndarray) -> np.ndarray:
    return sound


def over_one_speaker(sound: np.ndarray) -> np.ndarray:
    """A phone without headphones, or a device that plays left and right as one."""
    return np.repeat(sound.mean(axis=0, keepdims=True), 2, axis=0)


@dataclass(frozen=True)
class Room:
    """A rectangular room by its mirror images (Allen & Berkley 1979, JASA 65, 943-950). Two loudspeakers stand at 30
    degrees to either side of a head that is a hard ball; lengths in metres.

    `reflection` is the share of pressure that a wall gives back. The head is `aside` of the line of symmetry.
    """

    size: tuple[float, float, float]
    reflection: float
    distance: float = 2.0
    aside: float = 0.0
    orders: int = 4

    def __call__(self, sound: np.ndarray) -> np.ndarray:
        ears: np.ndarray = np.einsum("esf,sf->ef", self._transfer, sound)
        return ears

    @cached_property
    def _transfer(self) -> np.ndarray:
        """Complex, (ear, speaker, Hz)."""
        width, depth, height = self.size
        middle = np.array([width / 2, depth / 2 - self.distance / 2, height / 2])
        head = middle + np.array([self.aside, 0.0, 0.1])
        speakers = [middle + self.distance * np.array([side * 0.5, 0.75**0.5, 0.0]) for side in (LEFT, RIGHT)]
        return np.array([[self._path(speaker, head, ear) for speaker in speakers] for ear in (LEFT, RIGHT)])

    def _path(self, speaker: np.ndarray, head: np.ndarray, ear: int) -> np.ndarray:
        images, walls = self._images(speaker)
        distance = np.linalg.norm(images - head, axis=1)
        # Of the ear's direction: 1 straight into it, -1 from the other side. Around the ball, sound goes a longer way.
        towards = ear * (images - head)[:, 0] / distance
        later_m = -HEAD_RADIUS_M * np.where(towards > 0, towards, np.arcsin(towards))
        gain = self.reflection**walls / distance * 10 ** (SHADOW_DB * towards / 20)
        turns = np.outer(np.arange(HIGHEST_HZ), (distance + later_m) / SPEED_OF_SOUND_M_S)
        path: np.ndarray = np.exp(-2j * np.pi * turns) @ gain
        return path

    def _images(self, speaker: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the mirror images of the speaker stand, and off how many walls each came."""
        numbers = range(-self.orders, self.orders + 1)
        cells = np.array([cell for cell in product(numbers, repeat=3) if sum(map(abs, cell)) <= self.orders])
        size = np.array(self.size)
        return cells * size + np.where(cells % 2, size - speaker, speaker), np.abs(cells).sum(axis=1)


def quietest(content: bytes, hearing: Hearing, rng: np.random.Generator) -> int:
    """1, 2 or 3: which of three tones somebody takes for the quietest."""
    levels_db = np.array([level_db(hearing(sound)) for sound in three_sounds(content)])
    return int(np.argmin(levels_db + rng.normal(0, NOISE_DB, 3))) + 1


def with_a_tone(content: bytes, hearing: Hearing, rng: np.random.Generator) -> int:
    """1, 2 or 3: in which of three noises somebody hears a tone of 600 Hz. Who hears none in any guesses."""
    salience_db = np.array([max(0.0, pitch_salience_db(hearing(sound))) for sound in three_sounds(content)])
    return int(np.argmax(salience_db + rng.normal(0, NOISE_DB, 3))) + 1


def level_db(ears: np.ndarray) -> float:
    return 10 * float(np.log10((np.abs(ears) ** 2).sum() + 1e-12))


def pitch_salience_db(ears: np.ndarray) -> float:
    """How far the band of the pitch stands out, after equalization and cancellation, from what is beside it."""
    rest = cancelled(ears)
    off = np.abs(np.arange(HIGHEST_HZ) - 600)
    return 10 * float(np.log10(rest[off <= 36].mean() / rest[(off > 50) & (off <= 200)].mean()))


def cancelled(ears: np.ndarray) -> np.ndarray:
    """The power that is left at each Hz when one ear is taken from the other with Durlach's jitter."""
    left, right = ears
    jitter = (1 + LEVEL_JITTER**2) * np.exp((2 * np.pi * np.arange(HIGHEST_HZ) * TIME_JITTER_S) ** 2)
    rest: np.ndarray = np.abs(left) ** 2 + np.abs(right) ** 2 - 2 * np.real(left * np.conj(right)) / jitter
    return rest
