"""Stimuli with captions and known truth, ready for a listening test or for training the built-in model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from modeling.synthetic.captions import Scene, describe, random_scene
from modeling.synthetic.sounds import Samples
from modeling.synthetic.systems import SYSTEMS, System, perform, render, true_relevance


@dataclass(frozen=True)
class Stimulus:
    """A generated clip (48 kHz mono float32) with the caption that was asked for and its true relevance on 0..10.

    `source_id` names the scene: its recordings by the different systems are no independent sounds.
    """

    samples: Samples
    caption: str
    system: str
    source_id: str
    true_score: float


def generate_world(*, seed: int, n_captions: int, systems: Sequence[System] = SYSTEMS) -> Iterator[Stimulus]:
    """`n_captions` different captions, each performed by every system; the same seed gives the same world."""
    for number, (scene, caption) in enumerate(_distinct_captions(np.random.default_rng([seed, 0]), n_captions)):
        for place, system in enumerate(systems):
            rng = np.random.default_rng([seed, 1, number, place])
            take = perform(rng, scene, system)
            yield Stimulus(
                samples=render(rng, take),
                caption=caption,
                system=system.name,
                source_id=f"scene-{seed}-{number}",
                true_score=true_relevance(scene, take),
            )


def _distinct_captions(rng: np.random.Generator, n_captions: int) -> Iterator[tuple[Scene, str]]:
    seen: set[str] = set()
    while len(seen) < n_captions:
        scene = random_scene(rng)
        caption = describe(rng, scene)
        if caption.lower() not in seen:
            seen.add(caption.lower())
            yield scene, caption
