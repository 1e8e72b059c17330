"""The pairs of a snapshot as a model sees them: caption, clip, split, target and what people said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modeling import splits
from modeling.metrics import Floats
from modeling.results import TrainingRefused
from modeling.snapshot import RatingRow, Snapshot
from modeling.targets import TARGETS, FlatRatings, flatten, pair_means

MIN_HELDOUT = 30
MIN_TRAIN = 10


@dataclass(frozen=True)
class PairSet:
    """Study pairs with audio, in the snapshot's order; arrays have one entry per pair.

    `target` (what training aims at) and `human_mean` (what evaluation compares with) are on 0..10. `clips` are the
    distinct clips' sha256, `clip` numbers each pair's among them. `ratings` are the single ratings behind the pairs.
    """

    pairs: tuple[str, ...]
    captions: tuple[str, ...]
    clips: tuple[str, ...]
    clip: npt.NDArray[np.int64]
    split: npt.NDArray[np.str_]
    target: Floats
    human_mean: Floats
    n_ratings: npt.NDArray[np.int64]
    ratings: FlatRatings

    def where(self, *names: str) -> npt.NDArray[np.int64]:
        """Numbers of the pairs in the given splits."""
        return np.flatnonzero(np.isin(self.split, names))


def pair_set(snapshot: Snapshot, target: str = "centred") -> PairSet:
    """The study pairs of a snapshot that have audio.

    Raises `TrainingRefused` where there is none, or where ratings of several questions are mixed.
    """
    rows = [row for row in snapshot.ratings if row.split is not None]
    if not rows:
        raise TrainingRefused("The snapshot has no ratings of study pairs with audio; collect ratings first.")
    questions = sorted({row.question for row in rows})
    if len(questions) > 1:
        raise TrainingRefused(
            f"The snapshot has ratings of {len(questions)} questions ({', '.join(questions)}); "
            "make one of a single question."
        )
    first = _first_rows(rows)
    flat = flatten(rows)
    clips = {sha256: number for number, sha256 in enumerate(dict.fromkeys(str(row.clip_sha256) for row in first))}
    return PairSet(
        pairs=flat.pairs,
        captions=tuple(row.caption for row in first),
        clips=tuple(clips),
        clip=np.array([clips[str(row.clip_sha256)] for row in first], dtype=np.int64),
        split=np.array([row.split for row in first], dtype=np.str_),
        target=_targets(rows, flat, target),
        human_mean=pair_means(flat),
        n_ratings=np.bincount(flat.pair),
        ratings=flat,
    )


def _targets(rows: Sequence[RatingRow], flat: FlatRatings, target: str) -> Floats:
    """Targets from the ratings that are not held out: offsets must not carry held-out scores into training.

    Held-out pairs, which nothing trains on, get their plain mean.
    """
    values = pair_means(flat)
    learned = flatten([row for row in rows if row.split != splits.HELDOUT])
    if learned.pairs:
        place = {name: number for number, name in enumerate(flat.pairs)}
        values[[place[name] for name in learned.pairs]] = TARGETS[target](learned)
    return values


def _first_rows(rows: Sequence[RatingRow]) -> list[RatingRow]:
    return list({row.pair: row for row in reversed(rows)}.values())[::-1]


def refuse_too_little(pairs: PairSet) -> None:
    """Raises `TrainingRefused` where the split leaves too little to judge by or to learn from."""
    n_heldout, n_train = len(pairs.where(splits.HELDOUT)), len(pairs.where(splits.TRAIN))
    if n_heldout < MIN_HELDOUT:
        raise TrainingRefused(
            f"Only {n_heldout} rated pairs are held out; at least {MIN_HELDOUT} are needed to say whether tuning "
            "helped. Collect ratings for more captions."
        )
    if n_train < MIN_TRAIN:
        n_dropped = len(pairs.where(splits.DROPPED))
        raise TrainingRefused(
            f"Only {n_train} rated pairs are left to train on, and at least {MIN_TRAIN} are needed; {n_dropped} were "
            "dropped because they share a clip with held-out or validation pairs. Collect ratings for more captions "
            "and clips."
        )
