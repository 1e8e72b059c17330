"""Simulated listeners for a pilot: careful ones with RELATE's noise, and three sorts of careless ones.

Scores are on 0..10, not yet rounded to a scale. What a sound deserves follows from hashes of what is known of it, so
that raters agree with one another as people do, today and tomorrow.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import Enum
from statistics import NormalDist

import numpy as np

from modeling.synthetic.raters import NO_DIFFERENCE, OFFSET_SD, RESIDUAL_SD

# Standard deviations of what captions, systems and single sounds add: together RELATE's 2.2 between pairs, 39 % of its
# variance between captions.
CAPTION_SD, SYSTEM_SD, SOUND_SD = 1.37, 1.1, 1.3
MEAN = 6.0
# Where nobody can be in doubt, people differ less.
OBVIOUS_SD = 0.7
_OBVIOUS = {"anchor": 0.3, "gold": 9.3}


class Manner(Enum):
    """How a listener goes about it: CAREFUL; at RANDOM; the SAME score for everything; in HASTE, before it is heard."""

    CAREFUL = "careful"
    RANDOM = "random"
    SAME = "same"
    HASTE = "haste"


CARELESS = (Manner.RANDOM, Manner.SAME, Manner.HASTE)


@dataclass(frozen=True)
class Sound:
    """What is known of a sound and its caption; `clip` names it. `expected` is its range of scores on 0..10, if any."""

    role: str
    system: str
    caption: str
    clip: str
    expected: tuple[float, float] | None = None

    @property
    def is_obvious(self) -> bool:
        return self.expected is not None or self.role in _OBVIOUS

    def deserves(self, question: str) -> float:
        """The score on 0..10 that it would have without noise, by the name of what is asked."""
        if self.expected is not None:
            return sum(self.expected) / 2
        if self.role in _OBVIOUS:
            return _OBVIOUS[self.role]
        drawn = (
            CAPTION_SD * _normal(question, "caption", self.caption),
            SYSTEM_SD * _normal(question, "system", self.system),
            SOUND_SD * _normal(question, "sound", self.clip, self.caption),
        )
        return float(np.clip(MEAN + sum(drawn), 0, 10))


@dataclass
class Listener:
    """One simulated rater: a manner, an offset of their own, and noise."""

    rng: np.random.Generator
    manner: Manner = Manner.CAREFUL
    offset: float = field(init=False)
    favourite: float = field(init=False)

    def __post_init__(self) -> None:
        self.offset = float(self.rng.normal(0, OFFSET_SD))
        self.favourite = float(self.rng.uniform(5, 10))

    @property
    def is_careful(self) -> bool:
        return self.manner is Manner.CAREFUL

    def score(self, sound: Sound, question: str) -> float:
        """A score on 0..10, clipped."""
        if self.manner is Manner.SAME:
            return self.favourite
        if not self.is_careful:
            return float(self.rng.uniform(0, 10))
        noise = float(self.rng.normal(0, OBVIOUS_SD if sound.is_obvious else RESIDUAL_SD))
        return float(np.clip(sound.deserves(question) + self.offset + noise, 0, 10))

    def prefer(self, first: Sound, second: Sound, question: str) -> str:
        """ "first", "second" or "none"; the offset, which both sounds share, cancels."""
        if self.manner is Manner.SAME:
            return "first"
        if not self.is_careful:
            return str(self.rng.choice(["first", "second", "none"]))
        lead = sum(
            sign
            * (sound.deserves(question) + float(self.rng.normal(0, OBVIOUS_SD if sound.is_obvious else RESIDUAL_SD)))
            for sign, sound in ((1, first), (-1, second))
        )
        return "none" if abs(lead) < NO_DIFFERENCE else "first" if lead > 0 else "second"

    def seconds(self, heard_s: float) -> tuple[float, int]:
        """How long an answer takes from showing the sounds, of `heard_s` in all, and how often each is played."""
        if self.manner is Manner.HASTE:
            return 0.4 * heard_s, 1
        plays = 1 + int(self.rng.random() < 0.46)
        return plays * heard_s + float(self.rng.gamma(3.0, 1.5)) + 1.0, plays


def _normal(*words: str) -> float:
    """A standard normal number that these words give."""
    digest = hashlib.sha256("\0".join(words).encode()).digest()
    share = (int.from_bytes(digest[:6]) + 0.5) / 2**48
    return NormalDist().inv_cdf(share)
