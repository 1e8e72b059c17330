"""A snapshot as Hugging Face `datasets`: the same rows under the same names, with the sound beside each.

Nothing is downloaded, copied or unpickled: the rows are read from the snapshot's JSON and held in memory, and a sound
is the path of its file in the snapshot.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
from datasets import Audio, Dataset, DatasetDict, DatasetInfo, Features, Value
from datasets.table import InMemoryTable

from modeling import splits
from modeling.rows import ComparedPair, ComparisonRow, RatingRow
from modeling.snapshot import read_snapshot

# What `datasets` calls the parts of a data set. Dropped pairs and those that never count stay out, so that nobody
# trains on a clip that is measured on.
NAMED = {splits.TRAIN: "train", splits.VALIDATION: "validation", splits.HELDOUT: "test"}
_NUMBERS = ("score", "scale_min", "scale_max")
_SOUND = Audio(decode=False)
RATING_FEATURES = Features(
    {"audio": _SOUND}
    | {
        item.name: Value("float64" if item.name in _NUMBERS else "string")
        for item in dataclasses.fields(RatingRow)
        if item.name != "split"
    }
)
Row = TypeVar("Row", RatingRow, ComparisonRow)
_SIDE = {"audio": _SOUND} | {item.name: Value("string") for item in dataclasses.fields(ComparedPair)}
COMPARISON_FEATURES = Features(
    {name: Value("string") for name in ("comparison", "rater", "question", "choice")}
    | {"first": _SIDE, "second": _SIDE}
)


def open_dataset(snapshot_dir: Path) -> DatasetDict:
    """The ratings of a snapshot, one a row, in the parts train, validation and test; test is what is held out.

    Columns are those of `ratings.jsonl`, but for `split`, and `audio`, which is left undecoded: a dict with the path.
    Pairs that training drops, that are not of the study or that have no sound are left out. A lone surrogate in a
    caption, which no UTF-8 holds, becomes "?". Raises `SnapshotError`.
    """
    snapshot = read_snapshot(snapshot_dir)
    return _parts(snapshot.ratings, lambda row: _rating(row, snapshot.audio), RATING_FEATURES)


def open_comparisons(snapshot_dir: Path) -> DatasetDict:
    """The paired comparisons of a snapshot, one a row, as `open_dataset`; `first` and `second` each hold a side."""
    snapshot = read_snapshot(snapshot_dir)
    return _parts(snapshot.comparisons, lambda row: _comparison(row, snapshot.audio), COMPARISON_FEATURES)


def _parts(rows: Iterable[Row], told: Callable[[Row], dict[str, Any]], features: Features) -> DatasetDict:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMED.values()}
    for row in rows:
        part = NAMED.get(row.split or "")
        if part:
            found[part].append(told(row))
    return DatasetDict({name: _part(held, features) for name, held in found.items()})


def _part(rows: list[dict[str, Any]], features: Features) -> Dataset:
    # `Dataset.from_list` would load a decoder of sounds, which nothing here needs, only to write a path down.
    table = pa.Table.from_pylist(rows, schema=features.arrow_schema)
    return Dataset(InMemoryTable(table), info=DatasetInfo(features=features))


def _rating(row: RatingRow, audio: Mapping[str, Path]) -> dict[str, Any]:
    values = {name: _clean(getattr(row, name)) for name in RATING_FEATURES if name != "audio"}
    return values | {"audio": _sound(row.clip_sha256, audio)}


def _comparison(row: ComparisonRow, audio: Mapping[str, Path]) -> dict[str, Any]:
    values = {name: _clean(getattr(row, name)) for name in ("comparison", "rater", "question", "choice")}
    first, second = (
        {name: _clean(value) for name, value in vars(side).items()} | {"audio": _sound(side.clip_sha256, audio)}
        for side in row.sides
    )
    return values | {"first": first, "second": second}


def _sound(sha256: str | None, audio: Mapping[str, Path]) -> dict[str, Any]:
    # A pair in a split has a sound: a snapshot without it is refused.
    return {"path": str(audio[str(sha256)].resolve()), "bytes": None}


def _clean(value: object) -> object:
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value
