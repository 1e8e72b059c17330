"""The sounds of the two headphone checks: in each file three sounds, one after the other, of which one is to be found.

- Anti-phase (Woods, Siegel, Traer & McDermott 2017, Attention, Perception, & Psychophysics 79, 2064-2072): three tones
  of 200 Hz, one 6 dB softer, one of the others in anti-phase between the channels. Over headphones the softer one is
  the quietest. In the air the anti-phase tone cancels, and is quieter still.
- Huggins pitch (Milne, Bianco, Poole, Zhao, Oxenham, Billig & Chait 2021, Behavior Research Methods 53, 1551-1562;
  Cramer & Huggins 1958): three bursts of white noise of 1 s, the same in both ears but for one, in which the band 6 %
  to either side of 600 Hz is turned by 180 degrees in the right ear. Neither ear alone has a tone in it; both together
  hear a faint one.

Both stand and fall with the two channels: so they are FLAC in stereo, and wherever the channels shall be the same, or
opposites, they are so to the last bit. Made here and not stored, always the same, and as loud as what will be rated.
"""

from functools import cache
from itertools import permutations

import numpy as np

from listening_tests.audio.loudness import levelling_gain_db, measure
from listening_tests.audio.rendition import STANDARD_RATE_HZ, as_16_bit, flac_of

SOUND_S = 1.0
PAUSE_S = 0.5
# Earphones that fall asleep cut the first moments off.
LEAD_IN_S = 0.5
TONE_HZ = 200.0
SOFTER_DB = 6.0
TONE_FADE_S = 0.1
PITCH_HZ = 600.0
PITCH_SHARE = 0.06
NOISE_FADE_S = 0.01
# Milne et al. cut the noise off there, so that its peaks leave room.
HIGHEST_SIGMA = 4.2
PLAIN, SOFTER, OPPOSED = "plain", "softer", "opposed"
# Every order once is one attempt: each place is right twice, and whoever always says the same does not pass.
ORDERS = tuple(permutations((PLAIN, SOFTER, OPPOSED)))
TRIALS = len(ORDERS)
# Of the Huggins pitch, to be told what to listen for: in the second burst. None of those that are asked.
EXAMPLE = 7


def anti_phase_place(trial: int) -> int:
    """Where the softer tone stands in this one of TRIALS: 0, 1 or 2."""
    return ORDERS[trial].index(SOFTER)


@cache
def anti_phase(trial: int) -> bytes:
    """A FLAC file of three tones, in one of the orders."""
    return _in_a_row([_tone(kind) for kind in ORDERS[trial]])


def huggins_place(trial: int) -> int:
    """Which burst of this one of TRIALS, or of EXAMPLE, has the pitch: 0, 1 or 2."""
    return trial % 3


@cache
def huggins(trial: int) -> bytes:
    """A FLAC file of three bursts of noise, which no other trial has."""
    noises = np.random.default_rng(trial).standard_normal((3, round(SOUND_S * STANDARD_RATE_HZ)))
    return _in_a_row([_burst(noise, has_pitch=place == huggins_place(trial)) for place, noise in enumerate(noises)])


def _tone(kind: str) -> np.ndarray:
    """Int16, (frames, 2)."""
    time_s = np.arange(round(SOUND_S * STANDARD_RATE_HZ)) / STANDARD_RATE_HZ
    tone = np.sin(2 * np.pi * TONE_HZ * time_s) * _edges(len(time_s), TONE_FADE_S)
    gain_db = _levelling_db(tone) - (SOFTER_DB if kind == SOFTER else 0.0)
    levels = _levels(tone, gain_db)
    return np.column_stack([levels, -levels if kind == OPPOSED else levels])


def _burst(noise: np.ndarray, *, has_pitch: bool) -> np.ndarray:
    """Int16, (frames, 2)."""
    cut = np.clip(noise, -HIGHEST_SIGMA, HIGHEST_SIGMA)
    edges = _edges(len(noise), NOISE_FADE_S)
    gain_db = _levelling_db(cut * edges)
    left = _levels(cut * edges, gain_db)
    return np.column_stack([left, _levels(_turned(cut) * edges, gain_db) if has_pitch else left])


def _turned(noise: np.ndarray) -> np.ndarray:
    """The noise with the band around PITCH_HZ in anti-phase."""
    spectrum = np.fft.rfft(noise)
    hertz = np.fft.rfftfreq(len(noise), 1 / STANDARD_RATE_HZ)
    spectrum[np.abs(hertz - PITCH_HZ) <= PITCH_SHARE * PITCH_HZ] *= -1
    return np.fft.irfft(spectrum, len(noise))


def _edges(n_frames: int, fade_s: float) -> np.ndarray:
    """Between 0 and 1: a soft beginning and a soft end."""
    from_an_end = np.minimum(np.arange(n_frames), np.arange(n_frames)[::-1]) / STANDARD_RATE_HZ
    envelope: np.ndarray = np.sin(np.pi / 2 * np.clip(from_an_end / fade_s, 0, 1)) ** 2
    return envelope


def _levelling_db(sound: np.ndarray) -> float:
    """The gain that makes the sound, on both channels, as loud as every clip."""
    heard = np.repeat(sound[:, None], 2, axis=1).astype(np.float32)
    return levelling_gain_db(heard, STANDARD_RATE_HZ, measure(heard, STANDARD_RATE_HZ))


def _levels(sound: np.ndarray, gain_db: float) -> np.ndarray:
    """Int16, (frames,)."""
    return as_16_bit((sound * 10 ** (gain_db / 20)).astype(np.float32))


def _in_a_row(sounds: list[np.ndarray]) -> bytes:
    row = [_silence(LEAD_IN_S)]
    for sound in sounds:
        row += [sound, _silence(PAUSE_S)]
    return flac_of(np.concatenate(row), STANDARD_RATE_HZ)


def _silence(seconds: float) -> np.ndarray:
    return np.zeros((round(seconds * STANDARD_RATE_HZ), 2), np.int16)
