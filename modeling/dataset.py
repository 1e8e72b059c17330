"""The pairs of a snapshot as a model sees them: caption, clip, split, target and what people said to one question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from modeling import comparisons, splits
from modeling.comparisons import FlatComparisons
from modeling.metrics import Floats
from modeling.results import TrainingRefused
from modeling.rows import ComparedPair, ComparisonRow, RatingRow
from modeling.snapshot import Snapshot
from modeling.targets import TARGETS, FlatRatings, flatten, pair_means

MIN_HELDOUT = 30
MIN_TRAIN = 10
Row = TypeVar("Row", RatingRow, ComparedPair)


@dataclass(frozen=True)
class PairSet:
    """Study pairs with audio, in the snapshot's order; arrays have one entry per pair.

    `target` (what training aims at) and `human_mean` (what evaluation compares with) are on 0..10. `clips` are the
    distinct clips' sha256, `clip` numbers each pair's among them. A system is blank where none is named. `ratings` are
    the single ratings behind the pairs, or `comparisons` the single comparisons: then target and `human_mean` are both
    `comparisons.pair_scores`, `n_ratings` counts comparisons, and there are no ratings.
    """

    question: str
    pairs: tuple[str, ...]
    captions: tuple[str, ...]
    systems: tuple[str, ...]
    clips: tuple[str, ...]
    clip: npt.NDArray[np.int64]
    split: npt.NDArray[np.str_]
    target: Floats
    human_mean: Floats
    n_ratings: npt.NDArray[np.int64]
    ratings: FlatRatings
    comparisons: FlatComparisons | None = None

    def where(self, *names: str) -> npt.NDArray[np.int64]:
        """Numbers of the pairs in the given splits."""
        return np.flatnonzero(np.isin(self.split, names))

    def rating_sd(self) -> Floats:
        """Standard deviation (n - 1) of each pair's ratings; NaN where it has one, or people compared."""
        rated, n = self.ratings.pair, np.bincount(self.ratings.pair, minlength=len(self.pairs))
        squares = np.bincount(rated, (self.ratings.score - self.human_mean[rated]) ** 2, len(self.pairs))
        sd: Floats = np.sqrt(np.divide(squares, n - 1, out=np.full(len(n), np.nan), where=n > 1))
        return sd


def pair_set(snapshot: Snapshot, target: str = "centred", question: str = "") -> PairSet:
    """The study pairs of a snapshot that have audio, with the answers to `question`; blank is the only one.

    `target` is that of ratings; comparisons have one only (`modeling.comparisons.pair_scores`).

    Raises `TrainingRefused` where there is no answer, where the question is not among those answered or one of several
    is not named, and where one question was both rated and compared.
    """
    rated = [row for row in snapshot.ratings if row.split is not None]
    compared = [row for row in snapshot.comparisons if row.split is not None]
    if not rated and not compared:
        raise TrainingRefused("The snapshot has no ratings of study pairs with audio; collect ratings first.")
    asked = _question({row.question for row in rated} | {row.question for row in compared}, question)
    rated = [row for row in rated if row.question == asked]
    compared = [row for row in compared if row.question == asked]
    if rated and compared:
        raise TrainingRefused(
            f"The question '{asked}' has {len(rated)} ratings and {len(compared)} paired comparisons; a model is "
            "trained on one kind. Make a snapshot with one of them."
        )
    return _compared_pairs(compared, asked) if compared else _rated_pairs(rated, asked, target)


def _question(answered: set[str], question: str) -> str:
    names = ", ".join(sorted(answered))
    if question and question not in answered:
        raise TrainingRefused(f"The snapshot has no answers to the question '{question}'; it has those to: {names}.")
    if not question and len(answered) > 1:
        raise TrainingRefused(
            f"The snapshot has answers to {len(answered)} questions ({names}); name the one to train on, with the "
            "setting question or the flag --question."
        )
    return question or next(iter(answered))


def _rated_pairs(rows: Sequence[RatingRow], question: str, target: str) -> PairSet:
    flat = flatten(rows)
    first = _first_of_each(rows)
    return PairSet(
        **_described(first),
        question=question,
        split=np.array([row.split for row in first], dtype=np.str_),
        target=_targets(rows, flat, target),
        human_mean=pair_means(flat),
        n_ratings=np.bincount(flat.pair),
        ratings=flat,
    )


def _compared_pairs(rows: Sequence[ComparisonRow], question: str) -> PairSet:
    sides = sorted((side for row in rows for side in row.sides), key=lambda side: side.pair)
    first = _first_of_each(sides)
    described = _described(first)
    flat = comparisons.flatten(rows, described["pairs"])
    split = comparisons.pair_splits(flat, len(first))
    scores, counts = comparisons.pair_scores(flat, described["captions"], split)
    return PairSet(
        **described,
        question=question,
        split=split,
        target=scores,
        human_mean=scores,
        n_ratings=counts,
        ratings=flatten([]),
        comparisons=flat,
    )


def _described(first: Sequence[RatingRow] | Sequence[ComparedPair]) -> dict[str, Any]:
    """What a pair set says of its pairs, from a row of each."""
    clips = {sha256: number for number, sha256 in enumerate(dict.fromkeys(str(row.clip_sha256) for row in first))}
    return {
        "pairs": tuple(row.pair for row in first),
        "captions": tuple(row.caption for row in first),
        "systems": tuple(row.system or "" for row in first),
        "clips": tuple(clips),
        "clip": np.array([clips[str(row.clip_sha256)] for row in first], dtype=np.int64),
    }


def _targets(rows: Sequence[RatingRow], flat: FlatRatings, target: str) -> Floats:
    """Targets from the ratings that are not held out: offsets must not carry held-out scores into training.

    Held-out pairs, and those that wait to be, which nothing trains on, get their plain mean.
    """
    values = pair_means(flat)
    learned = flatten([row for row in rows if row.split not in (splits.HELDOUT, splits.WAITING)])
    if learned.pairs:
        place = {name: number for number, name in enumerate(flat.pairs)}
        values[[place[name] for name in learned.pairs]] = TARGETS[target](learned)
    return values


def _first_of_each(rows: Sequence[Row]) -> list[Row]:
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row.pair, row)
    return list(first.values())


def refuse_too_little(pairs: PairSet) -> None:
    """Raises `TrainingRefused` where the split leaves too little to judge by or to learn from."""
    n_heldout, n_train = len(pairs.where(splits.HELDOUT)), len(pairs.where(splits.TRAIN))
    judged, answers = ("rated", "ratings") if pairs.comparisons is None else ("compared", "comparisons")
    if n_heldout < MIN_HELDOUT:
        raise TrainingRefused(
            f"Only {n_heldout} {judged} pairs are held out; at least {MIN_HELDOUT} are needed to say whether tuning "
            f"helped. Collect {answers} for more captions."
        )
    if n_train < MIN_TRAIN:
        n_dropped = len(pairs.where(splits.DROPPED))
        raise TrainingRefused(
            f"Only {n_train} {judged} pairs are left to train on, and at least {MIN_TRAIN} are needed; {n_dropped} "
            "were dropped because they share a clip with held-out or validation pairs. "
            f"Collect {answers} for more captions and clips."
        )
