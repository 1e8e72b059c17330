"""The file that raters hear: one for each clip, made once, as loud as all others.

FLAC, because every current browser plays it and nothing is lost after the level is set. 16 bit, because at -23 LUFS
its noise lies some 70 dB below the sound, which no listening level brings into hearing, while 24 bit doubles what a
rater's phone has to load. 44,100 and 48,000 Hz are kept; every other rate is brought to 48,000 Hz here, once and well,
because browsers do it each in its own way, and some refuse odd rates. Mono stays mono.
"""

import io
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr

from listening_tests.audio.loudness import Loudness, levelling_gain_db, measure

KEPT_RATES_HZ = (44_100, 48_000)
STANDARD_RATE_HZ = 48_000
ENDING = ".flac"


@dataclass(frozen=True)
class Rendition:
    """`content`: a FLAC file; `loudness`: of the sound before `gain_db` was applied."""

    content: bytes
    loudness: Loudness
    gain_db: float


def render(samples: np.ndarray, rate_hz: int) -> Rendition:
    """Measures `samples`, (frames, 1 or 2), at the rate that raters hear, and writes them at the common level."""
    if rate_hz not in KEPT_RATES_HZ:
        samples = soxr.resample(samples, rate_hz, STANDARD_RATE_HZ, quality="VHQ")
        rate_hz = STANDARD_RATE_HZ
    loudness = measure(samples, rate_hz)
    gain_db = levelling_gain_db(samples, rate_hz, loudness)
    return Rendition(_flac(samples * np.float32(10 ** (gain_db / 20)), rate_hz), loudness, gain_db)


def _flac(samples: np.ndarray, rate_hz: int) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, _as_16_bit(samples), rate_hz, format="FLAC", subtype="PCM_16")
    return stream.getvalue()


def _as_16_bit(samples: np.ndarray) -> np.ndarray:
    """Rounded after triangular dither of one step, from a fixed seed: the same clip gives the same file.

    Digital silence, which dither would turn into noise, stays what it is.
    """
    draws = np.random.default_rng(0).random((2, *samples.shape), dtype=np.float32)
    dithered = samples * 32767 + (draws[0] - draws[1]) * (samples != 0)
    levels: np.ndarray = np.clip(np.rint(dithered), -32768, 32767)
    return levels.astype(np.int16)
