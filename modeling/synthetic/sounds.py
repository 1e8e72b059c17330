"""The kinds of sound events: how each is made out of oscillators and noise, 48 kHz mono, peak near 1.

A renderer takes a random generator and a duration in seconds and returns float32 samples of that duration. Every draw
varies pitch, speed and timbre, so that no two barks are alike. Countable kinds render one occurrence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 48_000
Samples = npt.NDArray[np.float32]
Renderer = Callable[[np.random.Generator, float], Samples]


def times(seconds: float) -> Samples:
    """The instants of the samples, in seconds."""
    return np.arange(max(1, round(seconds * SAMPLE_RATE)), dtype=np.float32) / np.float32(SAMPLE_RATE)


def tone(frequency: Samples | float, seconds: float) -> Samples:
    """A sine whose frequency in Hz may change over time."""
    t = times(seconds)
    if isinstance(frequency, float | int):
        return np.asarray(np.sin(np.float32(2 * np.pi * frequency) * t), np.float32)
    phase = np.cumsum(frequency, dtype=np.float64) * (2 * np.pi / SAMPLE_RATE)
    return np.sin(phase).astype(np.float32)


def harmonics(frequency: Samples, weights: tuple[float, ...], seconds: float) -> Samples:
    """A sum of harmonics of a moving fundamental; the phase is computed once."""
    phase = (np.cumsum(frequency, dtype=np.float64) * (2 * np.pi / SAMPLE_RATE)).astype(np.float32)
    total = np.zeros(len(times(seconds)), np.float32)
    for number, weight in enumerate(weights, start=1):
        total += np.float32(weight) * np.sin(np.float32(number) * phase)
    return total


def noise(rng: np.random.Generator, seconds: float) -> Samples:
    return rng.standard_normal(len(times(seconds)), dtype=np.float32)


def band(samples: Samples, low: float | None, high: float | None) -> Samples:
    """Samples filtered to low..high Hz by a second-order Butterworth filter; None leaves that side open."""
    # Here, for whoever simulates raters alone makes no sounds, and would wait most of a second for this import.
    from scipy.signal import butter, sosfilt

    if low is not None and high is not None:
        sos = butter(2, [low, high], "bandpass", fs=SAMPLE_RATE, output="sos")
    elif low is not None:
        sos = butter(2, low, "highpass", fs=SAMPLE_RATE, output="sos")
    else:
        sos = butter(2, SAMPLE_RATE / 2 if high is None else high, "lowpass", fs=SAMPLE_RATE, output="sos")
    filtered = sosfilt(sos, samples)
    return np.asarray(filtered, np.float32)


def decay(seconds: float, time_constant: float, attack: float = 0.003) -> Samples:
    """An exponential fall behind a short linear attack."""
    t = times(seconds)
    envelope: Samples = np.minimum(t / np.float32(attack), 1) * np.exp(-t / np.float32(time_constant))
    return envelope


def swell(seconds: float, edge: float = 0.02) -> Samples:
    """A flat envelope with edges of raised cosine, so that nothing clicks."""
    t = times(seconds)
    edge = min(edge, seconds / 2)
    ramp = np.clip(np.minimum(t, t[-1] - t) / np.float32(edge), 0, 1)
    envelope: Samples = 0.5 - 0.5 * np.cos(np.pi * ramp, dtype=np.float32)
    return envelope


def peak_one(samples: Samples) -> Samples:
    peak = float(np.abs(samples).max())
    return samples / np.float32(peak) if peak > 0 else samples


def sweep(start: float, end: float, seconds: float) -> Samples:
    """A frequency in Hz that glides from start to end by equal ratios."""
    glide: Samples = (start * (end / start) ** np.linspace(0, 1, len(times(seconds)))).astype(np.float32)
    return glide


def scatter(rng: np.random.Generator, grain: Samples, seconds: float, per_second: float) -> Samples:
    """Copies of a grain at random instants and levels."""
    total = np.zeros(len(times(seconds)) + len(grain), np.float32)
    for start in rng.integers(0, len(total) - len(grain), rng.poisson(per_second * seconds) + 1):
        total[start : start + len(grain)] += grain * np.float32(rng.uniform(0.2, 1.0))
    return total[: -len(grain)]


def dog(rng: np.random.Generator, seconds: float) -> Samples:
    length = min(seconds, rng.uniform(0.16, 0.28))
    pitch = rng.uniform(280, 620)
    voice = harmonics(sweep(pitch * 1.3, pitch * 0.7, length), (1, 0.9, 0.7, 0.5, 0.35, 0.2), length)
    rasp = band(noise(rng, length), pitch, 4 * pitch)
    return pad((peak_one(voice) + 0.6 * peak_one(rasp)) * decay(length, length / 2.5, 0.015), seconds)


def bell(rng: np.random.Generator, seconds: float) -> Samples:
    pitch = rng.uniform(600, 1500)
    partials = sum(
        np.float32(weight) * tone(pitch * ratio, seconds) * decay(seconds, constant)
        for ratio, weight, constant in (
            (0.5, 0.5, 0.9),
            (1, 1, 0.7),
            (1.19, 0.6, 0.5),
            (2.0, 0.5, 0.35),
            (2.74, 0.3, 0.2),
        )
    )
    return np.asarray(partials, np.float32)


def knock(rng: np.random.Generator, seconds: float) -> Samples:
    length = min(seconds, 0.15)
    pitch = rng.uniform(110, 240)
    body = tone(sweep(pitch * 1.4, pitch, length), length) * decay(length, 0.03, 0.001)
    wood = band(noise(rng, length), 300, 1500) * decay(length, 0.012, 0.001)
    return pad(body + 0.5 * peak_one(wood), seconds)


def clock(rng: np.random.Generator, seconds: float) -> Samples:
    length = min(seconds, 0.05)
    centre = rng.uniform(2500, 4500)
    tick = band(noise(rng, length), centre * 0.8, centre * 1.25) * decay(length, 0.006, 0.0005)
    grain = peak_one(tick)
    total = np.zeros(len(times(seconds)), np.float32)
    for number, start in enumerate(np.arange(0.02, seconds - 0.06, rng.uniform(0.3, 0.5))):
        at = round(float(start) * SAMPLE_RATE)
        total[at : at + len(grain)] += grain * np.float32(1.0 if number % 2 else 0.75)
    return total


def bird(rng: np.random.Generator, seconds: float) -> Samples:
    length = min(seconds, rng.uniform(0.12, 0.2))
    pitch = rng.uniform(2800, 4800)
    t = times(length)
    trill = 1 + np.float32(0.18) * np.sin(np.float32(2 * np.pi * rng.uniform(18, 30)) * t)
    return pad(tone(sweep(pitch, pitch * rng.uniform(1.2, 1.6), length) * trill, length) * swell(length), seconds)


def horn(rng: np.random.Generator, seconds: float) -> Samples:
    length = min(seconds, rng.uniform(0.3, 0.45))
    pitch = rng.uniform(330, 480)
    flat = np.ones(len(times(length)), np.float32)
    chord = sum(harmonics(flat * np.float32(p), (1, 0.8, 0.7, 0.5, 0.4, 0.3), length) for p in (pitch, pitch * 1.26))
    return pad(peak_one(np.asarray(chord, np.float32)) * swell(length), seconds)


def whistle(rng: np.random.Generator, seconds: float) -> Samples:
    length = min(seconds, rng.uniform(0.3, 0.45))
    pitch = rng.uniform(900, 1400)
    breath = 0.05 * noise(rng, length)
    return pad(
        (tone(sweep(pitch, pitch * rng.uniform(1.7, 2.2), length), length) + breath) * swell(length, 0.04), seconds
    )


def phone(rng: np.random.Generator, seconds: float) -> Samples:
    length = min(seconds, rng.uniform(0.3, 0.42))
    pitch = rng.uniform(1300, 2000)
    gate = (np.sin(np.float32(2 * np.pi * rng.uniform(18, 25)) * times(length)) > 0).astype(np.float32)
    both = tone(pitch, length) * gate + tone(pitch * 1.25, length) * (1 - gate)
    return pad(both * swell(length), seconds)


def baby(rng: np.random.Generator, seconds: float) -> Samples:
    length = min(seconds, rng.uniform(0.4, 0.55))
    pitch = rng.uniform(380, 560)
    t = times(length)
    contour = pitch * (1 + 0.25 * np.sin(np.pi * t / length)) * (1 + 0.02 * np.sin(2 * np.pi * 6 * t))
    return pad(
        peak_one(harmonics(contour.astype(np.float32), (1, 0.6, 0.9, 0.7, 0.3, 0.3), length)) * swell(length, 0.06),
        seconds,
    )


def engine(rng: np.random.Generator, seconds: float) -> Samples:
    rate = rng.uniform(28, 60) * sweep(1, rng.uniform(0.8, 1.3), seconds)
    rumble = harmonics(rate, (1, 0.9, 0.6, 0.8, 0.4, 0.5, 0.3), seconds)
    return (peak_one(rumble) + 0.25 * peak_one(band(noise(rng, seconds), None, 600))) * swell(seconds, 0.08)


def helicopter(rng: np.random.Generator, seconds: float) -> Samples:
    beat = np.sin(np.float32(np.pi * rng.uniform(10, 16)) * times(seconds)) ** 8
    return np.asarray(peak_one(band(noise(rng, seconds), 60, 900)) * (0.1 + beat) * swell(seconds, 0.1), np.float32)


def rain(rng: np.random.Generator, seconds: float) -> Samples:
    drop = peak_one(band(noise(rng, 0.01), 3000, None) * decay(0.01, 0.002, 0.0005))
    drops = scatter(rng, drop, seconds, rng.uniform(40, 120))
    return (peak_one(band(noise(rng, seconds), 1500, None)) * 0.6 + 0.5 * drops) * swell(seconds, 0.1)


def waves(rng: np.random.Generator, seconds: float) -> Samples:
    rate = rng.uniform(0.5, 0.9)
    rise = 0.5 - 0.5 * np.cos(np.float32(2 * np.pi * rate) * times(seconds) + np.float32(rng.uniform(0, 1)))
    return np.asarray(
        peak_one(band(noise(rng, seconds), None, rng.uniform(500, 1200))) * (0.08 + rise) * swell(seconds, 0.1),
        np.float32,
    )


def siren(rng: np.random.Generator, seconds: float) -> Samples:
    t = times(seconds)
    depth = np.sin(np.float32(2 * np.pi * rng.uniform(0.7, 1.4)) * t + np.float32(rng.uniform(0, 6)))
    pitch = rng.uniform(700, 1000) * (1 + np.float32(0.35) * depth)
    return peak_one(harmonics(pitch.astype(np.float32), (1, 0.4, 0.25), seconds)) * swell(seconds, 0.05)


def crickets(rng: np.random.Generator, seconds: float) -> Samples:
    t = times(seconds)
    pulse = np.clip(np.sin(np.float32(2 * np.pi * rng.uniform(14, 20)) * t), 0, 1)
    group = np.sin(np.float32(2 * np.pi * rng.uniform(1.5, 2.5)) * t) > -0.3
    return np.asarray(tone(rng.uniform(4800, 6500), seconds) * pulse * group * swell(seconds, 0.05), np.float32)


def fire(rng: np.random.Generator, seconds: float) -> Samples:
    crack = peak_one(band(noise(rng, 0.02), 800, 6000) * decay(0.02, 0.003, 0.0005))
    bed = peak_one(band(noise(rng, seconds), 80, 500)) * 0.25
    return (scatter(rng, crack, seconds, rng.uniform(8, 18)) + bed) * swell(seconds, 0.05)


def pad(samples: Samples, seconds: float) -> Samples:
    """Samples with silence behind them up to the duration."""
    room = len(times(seconds)) - len(samples)
    return np.pad(samples, (0, room)) if room > 0 else samples[: len(times(seconds))]


@dataclass(frozen=True)
class Kind:
    """A kind of event; `spacing` is the seconds between occurrences of a countable kind, None for a continuous one."""

    name: str
    render: Renderer
    spacing: float | None

    @property
    def countable(self) -> bool:
        return self.spacing is not None


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("dog", dog, 0.36),
        Kind("bell", bell, 0.5),
        Kind("knock", knock, 0.28),
        Kind("bird", bird, 0.32),
        Kind("horn", horn, 0.52),
        Kind("whistle", whistle, 0.52),
        Kind("phone", phone, 0.55),
        Kind("baby", baby, 0.62),
        Kind("clock", clock, None),
        Kind("engine", engine, None),
        Kind("helicopter", helicopter, None),
        Kind("rain", rain, None),
        Kind("waves", waves, None),
        Kind("siren", siren, None),
        Kind("crickets", crickets, None),
        Kind("fire", fire, None),
    )
}


def render_event(rng: np.random.Generator, kind: Kind, count: int, seconds: float) -> Samples:
    """`count` occurrences of a countable kind one after another, or `seconds` of a continuous one."""
    if kind.spacing is None:
        return peak_one(kind.render(rng, seconds))
    spacing = kind.spacing * rng.uniform(0.9, 1.15)
    # One animal, one bell: the occurrences of an event are alike.
    unit = peak_one(kind.render(rng, spacing * 1.6 if kind.name == "bell" else spacing))
    total = np.zeros(len(times(spacing * (count - 1))) + len(unit), np.float32)
    for number in range(count):
        at = round(number * spacing * SAMPLE_RATE)
        total[at : at + len(unit)] += unit * np.float32(rng.uniform(0.8, 1.0))
    return total
