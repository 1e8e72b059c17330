"""The lines of a snapshot's files: what a rating and a comparison hold, how they are written and read, and which are
refused.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modeling import splits

ROLES = ("study", "anchor", "gold", "practice", "repeat")
STUDY = "study"
FIRST, SECOND, NONE = "first", "second", "none"
CHOICES = (FIRST, SECOND, NONE)


class SnapshotError(Exception):
    """A snapshot that cannot be written or must not be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class RatingRow:
    """One line of `ratings.jsonl`.

    `clip_sha256` is None only for ratings imported without audio. `split` is the data set's own split or None when
    given to `write_snapshot`; in a snapshot it is one of `splits.PARTS`, and None for pairs that never train nor count
    (another role than study, or no audio).
    """

    rating: str
    rater: str
    pair: str
    clip_sha256: str | None
    caption: str
    source_id: str | None
    system: str | None
    role: str
    question: str
    score: float
    scale_min: float
    scale_max: float
    split: str | None = None


@dataclass(frozen=True, kw_only=True)
class ComparedPair:
    """One side of a comparison: a clip and its caption; the fields mean what they mean in `RatingRow`."""

    pair: str
    clip_sha256: str | None
    caption: str
    source_id: str | None
    system: str | None
    role: str


@dataclass(frozen=True, kw_only=True)
class ComparisonRow:
    """One line of `comparisons.jsonl`: which of two clips of one caption a rater preferred.

    `choice` is "first", "second" or "none" (no difference); `first` and `second` are the sides as they were shown.
    `split` as in `RatingRow`; in a snapshot it is that of both pairs, "dropped" or "waiting" where one of them is, and
    None where one of them never trains nor counts.
    """

    comparison: str
    rater: str
    question: str
    choice: str
    first: ComparedPair
    second: ComparedPair
    split: str | None = None

    @property
    def sides(self) -> tuple[ComparedPair, ComparedPair]:
        return self.first, self.second


_RATING_FIELDS = tuple(item.name for item in dataclasses.fields(RatingRow))
_PAIR_FIELDS = tuple(item.name for item in dataclasses.fields(ComparedPair))
# A pair once described, with the split of the line that describes it.
Described = tuple[ComparedPair, str | None]


def described(ratings: Iterable[RatingRow], comparisons: Iterable[ComparisonRow]) -> Iterator[Described]:
    """Every pair as often as a line names it."""
    for row in ratings:
        yield ComparedPair(**{name: getattr(row, name) for name in _PAIR_FIELDS}), row.split
    for comparison in comparisons:
        for side in comparison.sides:
            yield side, comparison.split


def check_rating(row: RatingRow) -> None:
    """Raises `SnapshotError` for a line that no snapshot may hold."""
    name = f"Rating {row.rating}"
    _check_role(name, row.role)
    if not row.scale_min < row.scale_max:
        raise SnapshotError(f"{name}: the scale {row.scale_min} to {row.scale_max} is empty.")
    if not (math.isfinite(row.score) and row.scale_min <= row.score <= row.scale_max):
        raise SnapshotError(f"{name}: the score {row.score} is outside its scale {row.scale_min} to {row.scale_max}.")
    _check_split(name, row.split)


def check_comparison(row: ComparisonRow) -> None:
    """Raises `SnapshotError` for a line that no snapshot may hold."""
    name = f"Comparison {row.comparison}"
    for side in row.sides:
        _check_role(name, side.role)
    if row.choice not in CHOICES:
        raise SnapshotError(f"{name}: the choice must be one of {', '.join(CHOICES)}, not {row.choice!r}.")
    if row.first.pair == row.second.pair:
        raise SnapshotError(f"{name}: pair {row.first.pair} is compared with itself.")
    if row.first.caption != row.second.caption:
        raise SnapshotError(
            f"{name}: its clips have two captions, {row.first.caption!r} and {row.second.caption!r}; "
            "only clips of one caption can be compared."
        )
    _check_split(name, row.split)


def _check_role(name: str, role: str) -> None:
    if role not in ROLES:
        raise SnapshotError(f"{name}: the role must be one of {', '.join(ROLES)}, not {role!r}.")


def _check_split(name: str, split: str | None) -> None:
    if split is not None and split not in splits.PARTS:
        raise SnapshotError(f"{name}: the split must be one of {', '.join(splits.SPLITS)}.")


def rating_line(row: RatingRow) -> str:
    return _line({name: getattr(row, name) for name in _RATING_FIELDS})


def comparison_line(row: ComparisonRow) -> str:
    return _line({**vars(row), "first": vars(row.first), "second": vars(row.second)})


def _line(values: Mapping[str, Any]) -> str:
    # JSON in ASCII: a caption may hold what is a line end to some readers (U+2028) or no Unicode at all (lone
    # surrogates).
    return json.dumps(values, ensure_ascii=True) + "\n"


def parse_rating(line: bytes) -> RatingRow:
    """Raises ValueError, TypeError or `SnapshotError` for a line that is no rating."""
    row = RatingRow(**json.loads(line))
    check_rating(row)
    return row


def parse_comparison(line: bytes) -> ComparisonRow:
    """Raises ValueError, TypeError, KeyError or `SnapshotError` for a line that is no comparison."""
    values = json.loads(line)
    sides = {side: ComparedPair(**values[side]) for side in (FIRST, SECOND)}
    row = ComparisonRow(**{**values, **sides})
    check_comparison(row)
    return row
