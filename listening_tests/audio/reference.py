"""The sounds of the sound set-up: one to set the volume by, and one for each ear.

Made here and not stored, always the same. They go through `render` like every clip, so that they are as loud as what
will be rated.
"""

from functools import cache

import numpy as np

from listening_tests.audio.rendition import STANDARD_RATE_HZ, render

VOLUME_S = 6.0
ONE_EAR_S = 2.0
# The rhythm of syllables, so that it is no hiss that one turns down.
BURST_S = 0.35
PAUSE_S = 0.15
FADE_S = 0.03
# The spectrum of speech over a long time, roughly (Byrne et al. 1994): level up to 500 Hz, then 9 dB an octave less.
LOWEST_HZ = 100.0
CORNER_HZ = 500.0
SLOPE_DB_AN_OCTAVE = 9.0


@cache
def volume_reference() -> bytes:
    """A FLAC file: bursts on both channels."""
    return render(_bursts(VOLUME_S)[:, None], STANDARD_RATE_HZ).content


@cache
def left_only() -> bytes:
    """A FLAC file: bursts on the left channel, zeros on the right."""
    return _one_ear(0)


@cache
def right_only() -> bytes:
    """A FLAC file: bursts on the right channel, zeros on the left."""
    return _one_ear(1)


def _one_ear(channel: int) -> bytes:
    bursts = _bursts(ONE_EAR_S)
    samples = np.zeros((len(bursts), 2), np.float32)
    samples[:, channel] = bursts
    return render(samples, STANDARD_RATE_HZ).content


def _bursts(seconds: float) -> np.ndarray:
    """Float32, (frames,): noise with the spectrum of speech and the rhythm of syllables."""
    noise = _speech_shaped_noise(round(seconds * STANDARD_RATE_HZ))
    bursts: np.ndarray = noise / np.abs(noise).max() * _rhythm(len(noise))
    return bursts.astype(np.float32)


def _speech_shaped_noise(n_frames: int) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(n_frames))
    hertz = np.fft.rfftfreq(n_frames, 1 / STANDARD_RATE_HZ)
    octaves_above = np.log2(np.maximum(hertz, CORNER_HZ) / CORNER_HZ)
    gain = 10 ** (-SLOPE_DB_AN_OCTAVE * octaves_above / 20) * (hertz >= LOWEST_HZ)
    return np.fft.irfft(spectrum * gain, n_frames)


def _rhythm(n_frames: int) -> np.ndarray:
    """Between 0 and 1: bursts with soft edges. It begins and ends with silence, so that it can be repeated."""
    into_s = np.arange(n_frames) / STANDARD_RATE_HZ % (BURST_S + PAUSE_S) - PAUSE_S / 2
    edge = np.minimum(into_s, BURST_S - into_s) / FADE_S
    envelope: np.ndarray = np.sin(np.pi / 2 * np.clip(edge, 0, 1)) ** 2
    return envelope
