"""Which pair is held out: a definition that never changes its mind as ratings and pairs arrive.

A caption is held out where the hash of the salt and the caption, in lower case with spaces folded, falls under the
held-out fraction; validation is cut from the rest in the same way with another key. A pair outside the held-out part
that shares a clip, by sha256 or by source, with a held-out pair is dropped, and so is a training pair that shares one
with a validation pair: what the model is judged on, it has neither read nor heard. A data set's own split wins where it
has one.

Where the held-out pairs are frozen in a version, as the platform does, those that came after it wait: they are neither
trained on nor judged by until a later version takes them in, and what shares their sounds is dropped already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

TRAIN, VALIDATION, HELDOUT, DROPPED = "train", "validation", "heldout", "dropped"
# What a data set's own split may say; the platform alone lets pairs wait.
SPLITS = (TRAIN, VALIDATION, HELDOUT, DROPPED)
WAITING = "waiting"
PARTS = (*SPLITS, WAITING)
HELDOUT_FRACTION = 0.2
VALIDATION_FRACTION = 0.15
RULE = (
    "sha256(salt, part, caption in lower case with spaces folded) below the fraction; "
    "pairs that share a clip or a source with a later part are dropped"
)


@dataclass(frozen=True)
class HeldoutVersion:
    """The held-out pairs of a version, by their names, which stay the same as pairs and ratings come."""

    version: int
    pairs: frozenset[str]

    @property
    def sha256(self) -> str:
        """Of the names in ascending order, one a line."""
        return hashlib.sha256("".join(f"{name}\n" for name in sorted(self.pairs)).encode()).hexdigest()


@dataclass(frozen=True)
class PairKey:
    """What the split of a pair depends on. `own_split` is the data set's own, or None."""

    caption: str
    clip_sha256: str
    source_id: str | None = None
    own_split: str | None = None


def fold_caption(caption: str) -> str:
    """The caption in lower case, every run of white space one space, none at the ends."""
    return " ".join(caption.lower().split())


def hash_fraction(salt: str, part: str, caption: str) -> float:
    """A number in [0, 1) that depends on nothing but the salt, the part's name and the folded caption."""
    digest = hashlib.sha256("\0".join((salt, part, fold_caption(caption))).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def caption_split(
    caption: str,
    salt: str,
    heldout_fraction: float = HELDOUT_FRACTION,
    validation_fraction: float = VALIDATION_FRACTION,
) -> str:
    """The part that the caption alone asks for: "heldout", "validation" or "train"."""
    if hash_fraction(salt, HELDOUT, caption) < heldout_fraction:
        return HELDOUT
    return VALIDATION if hash_fraction(salt, VALIDATION, caption) < validation_fraction else TRAIN


def assign_splits(
    pairs: Sequence[PairKey],
    salt: str,
    *,
    heldout_fraction: float = HELDOUT_FRACTION,
    validation_fraction: float = VALIDATION_FRACTION,
) -> list[str]:
    """The split of each pair, in order: "train", "validation", "heldout" or "dropped".

    Raises ValueError for a fraction outside [0, 1) or an own split that is none of these.
    """
    for name, value in (("heldout_fraction", heldout_fraction), ("validation_fraction", validation_fraction)):
        if not 0 <= value < 1:
            raise ValueError(f"{name} must be from 0 up to, not including, 1; it is {value}.")
    wanted = [_own_or_hashed(pair, salt, heldout_fraction, validation_fraction) for pair in pairs]
    heldout, validation = (_sounds_of(pairs, wanted, part) for part in (HELDOUT, VALIDATION))
    # Validation sounds are those of all pairs that the hash puts there: a pair once dropped stays dropped.
    barred = {TRAIN: heldout | validation, VALIDATION: heldout}
    return [
        split if barred.get(split, frozenset()).isdisjoint(_sounds(pair)) else DROPPED
        for pair, split in zip(pairs, wanted, strict=True)
    ]


def joint_split(first: str | None, second: str | None) -> str | None:
    """The split of a comparison from those of its two pairs, which share a caption: None, "dropped" or "waiting" where
    one is.
    """
    if first is None or second is None:
        return None
    return next((split for split in (DROPPED, WAITING) if split in (first, second)), first)


def _own_or_hashed(pair: PairKey, salt: str, heldout_fraction: float, validation_fraction: float) -> str:
    if pair.own_split is None:
        return caption_split(pair.caption, salt, heldout_fraction, validation_fraction)
    if pair.own_split not in SPLITS:
        raise ValueError(f"A pair's own split must be one of {', '.join(SPLITS)}; it is {pair.own_split!r}.")
    return pair.own_split


def _sounds_of(pairs: Sequence[PairKey], splits: Sequence[str], part: str) -> frozenset[tuple[str, str]]:
    return frozenset(
        sound for pair, split in zip(pairs, splits, strict=True) if split == part for sound in _sounds(pair)
    )


def _sounds(pair: PairKey) -> set[tuple[str, str]]:
    sounds = {("clip", pair.clip_sha256)}
    if pair.source_id:
        sounds.add(("source", pair.source_id))
    return sounds
