"""Text-to-audio systems: what each gets wrong, how it sounds, and the relevance that is left.

Every system makes its own recording of a scene. It may leave an event out, add or substitute a foreign one, swap the
order or miscount, and its sound is noisy, dull and clipped to a degree. Each recording is heard somewhere: rooms and
murmur, which people forgive. `true_relevance` knows only what was asked for and what was rendered, never a model.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from modeling.synthetic.captions import Event, Scene, random_event
from modeling.synthetic.sounds import KINDS, SAMPLE_RATE, Samples, band, render_event


@dataclass(frozen=True)
class System:
    """Chances of each mistake, the range of sound quality (1 is clean, 0 the worst), and how much of a place is heard.

    `place` is the range of the level of reverberation and background in 0..1: a microphone in the open hears a street
    and a room, a generator imitates them more faintly. People asked for relevance forgive it.
    """

    name: str
    drop: float = 0.0
    foreign: float = 0.0
    swap: float = 0.0
    miscount: float = 0.0
    quality: tuple[float, float] = (0.95, 1.0)
    place: tuple[float, float] = (0.0, 0.5)


RECORDING = System("recording", drop=0.02, place=(0.2, 0.9))
SYSTEMS = (
    RECORDING,
    System("careful", drop=0.15, foreign=0.10, swap=0.2, miscount=0.3, quality=(0.5, 1.0)),
    System("hasty", drop=0.3, foreign=0.25, swap=0.4, miscount=0.5, quality=(0.25, 0.9)),
    System("rough", drop=0.45, foreign=0.4, swap=0.5, miscount=0.6, quality=(0.0, 0.65)),
)


@dataclass(frozen=True)
class Take:
    """What a system rendered for a scene, as events and quality: the truth behind a stimulus."""

    events: Scene
    quality: float
    place: float = 0.0


def perform(rng: np.random.Generator, scene: Scene, system: System) -> Take:
    """What the system makes of the scene."""
    kept = [_recount(rng, event, system) for event in scene if rng.random() >= system.drop]
    if len(kept) > 1 and rng.random() < system.swap:
        first = int(rng.integers(len(kept) - 1))
        kept[first], kept[first + 1] = kept[first + 1], kept[first]
    if not kept or rng.random() < system.foreign:
        others = [kind for kind in KINDS if kind not in {event.kind for event in scene}]
        foreign = random_event(rng, str(rng.choice(others)), crowded=True)
        kept.insert(int(rng.integers(len(kept) + 1)), foreign)
    return Take(tuple(kept[:3]), float(rng.uniform(*system.quality)), float(rng.uniform(*system.place)))


def _recount(rng: np.random.Generator, event: Event, system: System) -> Event:
    if not KINDS[event.kind].countable or rng.random() >= system.miscount:
        return event
    count = int(rng.choice([number for number in (1, 2, 3, 4) if number != event.count]))
    return dataclasses.replace(event, count=count)


def true_relevance(asked: Scene, take: Take) -> float:
    """Relevance of the take to the scene on 0..10: inclusion weighs most, then quality and foreign events.

    Order and count come last. It runs from 1.4, nothing of what was asked for, to 8.4, all of it cleanly: means of many
    people reach neither end.
    """
    wanted = {event.kind: event for event in asked}
    included = [event for event in take.events if event.kind in wanted]
    foreign = len(take.events) - len(included)
    inclusion = len(included) / len(asked)
    order = [event.kind for event in asked if event.kind in {other.kind for other in included}]
    in_order = [event.kind for event in included] == order
    miscounted = sum(wanted[event.kind].count != event.count for event in included) / len(asked)
    kept = (
        (1 - 0.3 * min(foreign, 1)) * (0.6 + 0.4 * take.quality) * (1 - 0.15 * (not in_order)) * (1 - 0.12 * miscounted)
    )
    return float(1.4 + 7.0 * inclusion**0.8 * kept)


def render(rng: np.random.Generator, take: Take) -> Samples:
    """The take as 48 kHz mono float32, 2.5 to 7 s, peak at most 1."""
    pieces: list[Samples] = [_gap(rng, 0.1)]
    for event in take.events:
        seconds = rng.uniform(0.9, 1.4) if len(take.events) > 1 else rng.uniform(2.0, 3.0)
        pieces += [
            render_event(rng, KINDS[event.kind], event.count, seconds) * np.float32(10 ** rng.uniform(-0.3, 0)),
            _gap(rng, 0.15),
        ]
    clean = np.concatenate(pieces)
    short = round(2.5 * SAMPLE_RATE) - len(clean)
    heard = _in_place(rng, np.pad(clean, (0, max(0, short))), take.place)
    return _degrade(rng, heard, take.quality)


def _gap(rng: np.random.Generator, seconds: float) -> Samples:
    return np.zeros(round(rng.uniform(0.5, 1.5) * seconds * SAMPLE_RATE), np.float32)


def _in_place(rng: np.random.Generator, clean: Samples, place: float) -> Samples:
    """The scene somewhere: echoes that decay in 0.2 to 0.5 s, and a murmur that is louder at low frequencies."""
    if place == 0:
        return clean
    from scipy.signal import oaconvolve  # here, as in modeling.synthetic.sounds.band

    n_echo = round(rng.uniform(0.2, 0.5) * SAMPLE_RATE)
    echo = rng.standard_normal(n_echo, dtype=np.float32) * np.exp(-np.linspace(0, 6, n_echo, dtype=np.float32))
    echo *= np.float32(place * rng.uniform(0.3, 1.0) / np.sqrt((echo**2).sum()))
    wet = clean + oaconvolve(clean, echo)[: len(clean)].astype(np.float32)
    top = float(np.exp(rng.uniform(np.log(400), np.log(4000))))
    murmur = band(rng.standard_normal(len(clean), dtype=np.float32), None, top)
    level = 10 ** ((-50 + 42 * place * rng.uniform(0.6, 1.0)) / 20) * float(np.abs(wet).max())
    return wet + murmur * np.float32(level / murmur.std())


def _degrade(rng: np.random.Generator, clean: Samples, quality: float) -> Samples:
    """Low-pass, overdrive and noise: each stronger the lower the quality, in a mix that differs from clip to clip."""
    harm = (1 - quality) * rng.uniform(0.5, 1.0, 3)
    samples = clean
    if quality < 0.95:
        samples = band(samples, None, 16_000 * float(0.08 ** harm[0]))
        samples = np.tanh(samples * np.float32(1 + 8 * harm[1]))
    level = 10 ** ((-60 + 48 * float(harm[2])) / 20)
    samples = samples + np.float32(level) * rng.standard_normal(len(samples), dtype=np.float32)
    peak = float(np.abs(samples).max())
    return samples * np.float32(rng.uniform(0.3, 0.95) / peak)
