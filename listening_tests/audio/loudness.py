"""How loud a sound is: BS.1770 loudness and true peak, and the gain that brings it to the level of all others."""

import math
from dataclasses import dataclass

import numpy as np
import soxr

TARGET_LUFS = -23.0  # EBU R 128
HIGHEST_TRUE_PEAK_DBTP = -1.0  # EBU R 128
SILENCE_DBFS = -60.0
GATING_BLOCK_S = 0.4  # BS.1770-4: shorter sounds have no integrated loudness.
OVERSAMPLING = 4  # BS.1770-4, annex 2


@dataclass(frozen=True)
class Loudness:
    """`lufs` is None where the sound is shorter than a gating block or wholly gated; levels are -inf for zeros."""

    lufs: float | None
    rms_db: float
    true_peak_dbtp: float
    peak_dbfs: float

    @property
    def is_silent(self) -> bool:
        return self.peak_dbfs < SILENCE_DBFS


def measure(samples: np.ndarray, rate_hz: int) -> Loudness:
    """Measures `samples`, (frames, 1 or 2). The filters of BS.1770 want a rate of 44,100 Hz or more."""
    peak = float(np.abs(samples).max())
    return Loudness(
        lufs=_integrated_loudness(samples, rate_hz),
        rms_db=_rms_db(samples),
        true_peak_dbtp=_decibels(max(peak, _oversampled_peak(samples, rate_hz))),
        peak_dbfs=_decibels(peak),
    )


def levelling_gain_db(samples: np.ndarray, rate_hz: int, loudness: Loudness) -> float:
    """The gain that brings `samples` to TARGET_LUFS, or to that RMS level where there is no loudness.

    Capped by the true peak. A silent clip stays as it is: brought to the level of the others, its noise would be a
    sound.
    """
    if loudness.is_silent:
        return 0.0
    gain = TARGET_LUFS - (loudness.rms_db if loudness.lufs is None else loudness.lufs)
    if loudness.lufs is not None:
        # At another level other blocks pass the absolute gate of BS.1770, which moves some clips by half a unit.
        levelled = _integrated_loudness(samples * np.float32(10 ** (gain / 20)), rate_hz)
        gain += 0.0 if levelled is None else TARGET_LUFS - levelled
    return min(gain, HIGHEST_TRUE_PEAK_DBTP - loudness.true_peak_dbtp)


def _integrated_loudness(samples: np.ndarray, rate_hz: int) -> float | None:
    if len(samples) < GATING_BLOCK_S * rate_hz:
        return None
    # Here, for it brings scipy.signal and scipy.stats along: a second of every process that never hears a sound.
    import pyloudnorm

    lufs = float(pyloudnorm.Meter(rate_hz).integrated_loudness(samples.astype(np.float64)))
    return lufs if math.isfinite(lufs) else None


def _rms_db(samples: np.ndarray) -> float:
    """Summed over channels, as BS.1770 sums them: for a tone of 1 kHz this is its loudness."""
    power = float(np.square(samples, dtype=np.float64).mean(axis=0).sum())
    return 10 * math.log10(power) if power else -math.inf


def _oversampled_peak(samples: np.ndarray, rate_hz: int) -> float:
    return float(np.abs(soxr.resample(samples, rate_hz, OVERSAMPLING * rate_hz, quality="HQ")).max())


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude else -math.inf
