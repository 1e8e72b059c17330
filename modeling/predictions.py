"""Anyone's predictions of a snapshot's held-out pairs, out of a CSV: each pair has exactly one, or the file is refused.

Layouts, told by their columns: `pair` and a value; `file,caption` and a value, as `score --pairs` writes them; and
`wav_file_name,pred_score`, which XACLE's challenge takes for submission. A value is a `cosine`, or a `score` (or
`pred_score`) on 0 to 10; where a table has a cosine and a score, the cosine is judged and the score stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from modeling import splits
from modeling.audio import AudioError, content_of
from modeling.dataset import PairSet
from modeling.metrics import Floats, Predicted
from modeling.pair_table import PairTableError, read_rows
from modeling.results import COSINE, SCORE
from modeling.rows import ComparedPair, described
from modeling.snapshot import Snapshot

XACLE_SCORE = "pred_score"
VALUES = (COSINE, SCORE, XACLE_SCORE)
XACLE_FILE = "wav_file_name"
MOST_TOLD = 10
# A larger value is a mistake, and its square no number that JSON has.
LARGEST = 1e6
TOP = 10.0

Row = Mapping[str, str]


@dataclass(frozen=True)
class Predictions:
    """One entry per held-out pair, in the order of the set. `judged` is what `predicted` holds, the "cosine" or the
    "score"; `score` is None but beside a cosine. `note` says what was left aside.
    """

    judged: str
    predicted: Predicted
    score: Floats | None
    note: str


def read_predictions(path: Path, pairs: PairSet, snapshot: Snapshot, audio: Path | None = None) -> Predictions:
    """The predictions of a file for the held-out pairs of a snapshot.

    A file's name is joined by the snapshot's sha256 or `source_id` of the clip, or by the content of the file of that
    name in `audio` (by default the folder of the CSV): a snapshot holds no file names. Rows of other pairs of the
    snapshot are left aside, and counted. Raises `PairTableError` for values that are no finite numbers, rows of no
    pair or of several, and pairs with no prediction or with two.
    """
    header, rows = read_rows(path)
    columns = [name for name in VALUES if name in header]
    if not columns:
        raise PairTableError(
            [f"{path} has no column of predictions; call it {', '.join(VALUES[:-1])} or {VALUES[-1]}."]
        )
    found = _Joined(path, columns)
    find = _finder(path, header, _Pairs(snapshot, set(pairs.pairs), audio or path.parent))
    for number, row in rows:
        found.take(number, row, find)
    heldout = [pairs.pairs[number] for number in pairs.where(splits.HELDOUT).tolist()]
    found.refuse_mistakes()
    found.refuse_missing(heldout)
    return _predictions(columns, {name: found.column(name, heldout) for name in columns}, len(rows) - len(heldout))


def _predictions(columns: Sequence[str], values: Mapping[str, Floats], others: int) -> Predictions:
    told = [f"Rows left aside, since their pairs are not held out: {others}."] if others else []
    first = values[columns[0]]
    if columns[0] == COSINE:
        beyond = int((np.abs(first) > 1).sum())
        if beyond:
            told.append(f"Cosines that lie beyond -1 to 1: {beyond}.")
        return Predictions(COSINE, Predicted.of_cosine(first), values.get(SCORE), " ".join(told))
    # The challenge's scorer takes any number as it is; a column of ours that leaves its scale has another one.
    if columns[0] == SCORE and (first.min(initial=0.0) < 0 or first.max(initial=0.0) > TOP):
        told.append(f"The scores run from {first.min():g} to {first.max():g}, which is not 0 to 10: there is no MSE.")
        return Predictions(SCORE, Predicted(first, None), None, " ".join(told))
    return Predictions(SCORE, Predicted.of_score(first), None, " ".join(told))


class _Pairs:
    """The pairs of a snapshot by what a table may call them.

    A hidden repeat or an anchor may have the clip and the caption of a study pair: then the study pair is meant.
    """

    def __init__(self, snapshot: Snapshot, study: Set[str], audio: Path) -> None:
        self._study = study
        self.pairs: dict[str, ComparedPair] = {
            pair.pair: pair for pair, _ in described(snapshot.ratings, snapshot.comparisons)
        }
        self._by_clip: dict[str, list[str]] = {}
        self._by_source: dict[str, list[str]] = {}
        for name, pair in self.pairs.items():
            self._by_clip.setdefault(pair.clip_sha256 or "", []).append(name)
            self._by_source.setdefault(pair.source_id or "", []).append(name)
        self._audio = audio

    def of_file(self, file: str, caption: str | None) -> list[str]:
        """Pairs of the clip, with the caption where it is given."""
        found = self._of_file(file.strip())
        if caption is not None:
            folded = splits.fold_caption(caption)
            found = [name for name in found if splits.fold_caption(self.pairs[name].caption) == folded]
        return [name for name in found if name in self._study] or found

    def _of_file(self, file: str) -> list[str]:
        if not file or "\0" in file:
            return []
        path = PurePosixPath(file.replace("\\", "/"))
        return self._by_clip.get(path.stem) or self._of_content(file) or self._of_source(file, path.name, path.stem)

    def _of_content(self, file: str) -> list[str]:
        try:
            return self._by_clip.get(content_of(self._audio / file), [])
        except (AudioError, OSError):
            return []

    def _of_source(self, *names: str) -> list[str]:
        """By a source that has one clip alone: that of several says nothing of which."""
        found = next((self._by_source[name] for name in names if self._by_source.get(name)), [])
        return found if len({self.pairs[name].clip_sha256 for name in found}) == 1 else []


Find = Callable[[Row], tuple[str, list[str]]]


def _finder(path: Path, header: Iterable[str], pairs: _Pairs) -> Find:
    """What a row calls its pair, and the pairs that it may mean."""
    names = set(header)
    if "pair" in names:
        return lambda row: (row["pair"], [row["pair"]] if row["pair"] in pairs.pairs else [])
    if {"file", "caption"} <= names:
        return lambda row: (row["file"], pairs.of_file(row["file"], row["caption"]))
    if XACLE_FILE in names:
        return lambda row: (row[XACLE_FILE], pairs.of_file(row[XACLE_FILE], row.get("text")))
    raise PairTableError([f"{path} names no pairs; it needs a column pair, or file and caption, or {XACLE_FILE}."])


class _Joined:
    """Values by pair, and what is wrong with the rows."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        self.path = path
        self.columns = tuple(columns)
        self.values: dict[str, list[float]] = {}
        self.rows: dict[str, int] = {}
        self.mistakes: list[str] = []
        self.n_unknown_files = 0

    def take(self, number: int, row: Row, find: Find) -> None:
        called, found = find(row)
        if len(found) != 1:
            self.n_unknown_files += not found and "pair" not in row
            told = f"means {len(found)} pairs" if found else "is of no pair of the snapshot"
            self.mistakes.append(f"Row {number}: {called!r} {told}.")
            return
        if found[0] in self.rows:
            self.mistakes.append(f"Row {number}: row {self.rows[found[0]]} predicts pair {found[0]} already.")
            return
        self.rows[found[0]] = number
        self.values[found[0]] = [self._number(number, name, row[name]) for name in self.columns]

    def column(self, name: str, heldout: Sequence[str]) -> Floats:
        at = self.columns.index(name)
        return np.array([self.values[pair][at] for pair in heldout], dtype=np.float64)

    def refuse_mistakes(self) -> None:
        if not self.mistakes:
            return
        told = [f"{self.path} cannot be used:", *self.mistakes[:MOST_TOLD]]
        if len(self.mistakes) > MOST_TOLD:
            told.append(f"And {len(self.mistakes) - MOST_TOLD} more rows.")
        if self.n_unknown_files:
            told.append(
                "A snapshot has no file names. A file is joined by its clip's sha256, its content, or a source_id of "
                "one clip alone: name its folder with --audio."
            )
        raise PairTableError(told)

    def refuse_missing(self, heldout: Sequence[str]) -> None:
        missing = [pair for pair in heldout if pair not in self.values]
        if missing:
            some = ", ".join(missing[:MOST_TOLD]) + (" and others" if len(missing) > MOST_TOLD else "")
            raise PairTableError(
                [
                    f"{self.path} has no prediction of {len(missing)} of the {len(heldout)} held-out pairs ({some}). A "
                    "pair is never left out; add them."
                ]
            )

    def _number(self, number: int, name: str, cell: str) -> float:
        try:
            value = float(cell)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            self.mistakes.append(f"Row {number}: {name} is {cell!r}, which is not a finite number.")
        elif abs(value) > LARGEST:
            self.mistakes.append(f"Row {number}: {name} is {cell!r}; no score is above {LARGEST:,.0f}.")
        return value
