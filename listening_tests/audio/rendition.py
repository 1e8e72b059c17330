"""The file that raters hear: one for each clip, made once, as loud as all others.

FLAC, because every current browser plays it and nothing is lost after the level is set. 16 bit, because at -23 LUFS
its noise lies some 70 dB below the sound, which no listening level brings into hearing, while 24 bit doubles what a
rater's phone has to load. 44,100 and 48,000 Hz are kept; every other rate is brought to 48,000 Hz here, once and well,
because browsers do it each in its own way, and some refuse odd rates.

A mono clip is put on both channels before it is measured. Browsers play it on both anyway, which adds 3 dB to what a
meter says of one channel: measured as mono, it would sound louder than a stereo clip of the same number. Both channels
are the same to the last bit, so that FLAC keeps them once.
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
    """Measures `samples`, (frames, 1 or 2), as raters hear them, and writes them at the common level in stereo."""
    if rate_hz not in KEPT_RATES_HZ:
        samples = soxr.resample(samples, rate_hz, STANDARD_RATE_HZ, quality="VHQ")
        rate_hz = STANDARD_RATE_HZ
    heard = _on_both_channels(samples)
    loudness = measure(heard, rate_hz)
    gain_db = levelling_gain_db(heard, rate_hz, loudness)
    # Dithered before it is doubled: two dithers would make two channels of one.
    levels = _on_both_channels(as_16_bit(samples * np.float32(10 ** (gain_db / 20))))
    return Rendition(flac_of(levels, rate_hz), loudness, gain_db)


def _on_both_channels(samples: np.ndarray) -> np.ndarray:
    return np.repeat(samples, 2, axis=1) if samples.shape[1] == 1 else samples


def flac_of(levels: np.ndarray, rate_hz: int) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, levels, rate_hz, format="FLAC", subtype="PCM_16")
    return stream.getvalue()


def as_16_bit(samples: np.ndarray) -> np.ndarray:
    """Rounded after triangular dither of one step, from a fixed seed: the same clip gives the same file.

    Digital silence, which dither would turn into noise, stays what it is.
    """
    draws = np.random.default_rng(0).random((2, *samples.shape), dtype=np.float32)
    dithered = samples * 32767 + (draws[0] - draws[1]) * (samples != 0)
    levels: np.ndarray = np.clip(np.rint(dithered), -32768, 32767)
    return levels.astype(np.int16)
