"""Tables of pairs for scoring: `file,caption` in, `file,caption,cosine,score,score_sd` out.

Cells are written back exactly as they were read, a caption that begins with = + - or @ included: rows must stay
joinable to the input, which holds the same cell already. Tables that people download from the platform are neutralised
there; this one is for programs.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from modeling.audio import AudioError
from modeling.scoring import Score, Scorer

COLUMNS_IN = ("file", "caption")
COLUMNS_OUT = ("file", "caption", "cosine", "score", "score_sd")


class PairTableError(Exception):
    """A table that cannot be scored; `mistakes` holds one sentence per bad row, named by its number."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(mistakes))


@dataclass(frozen=True)
class PairRow:
    """One row; `number` counts from 2, the header being row 1, as a spreadsheet shows it."""

    number: int
    file: str
    caption: str


def read_pairs(table: Path) -> list[PairRow]:
    """The rows of a CSV in UTF-8. Raises `PairTableError` with every row that lacks a cell."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header, *rows = list(reader) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PairTableError([f"{table} cannot be read as CSV in UTF-8: {error}."]) from error
    missing = [name for name in COLUMNS_IN if name not in header]
    if missing:
        raise PairTableError([f"{table} has no column {' and no column '.join(missing)}; it needs file,caption."])
    at_file, at_caption = header.index("file"), header.index("caption")
    mistakes = [
        f"Row {number}: it has {len(row)} cells where the header has {len(header)}."
        for number, row in enumerate(rows, start=2)
        if row and len(row) != len(header)
    ]
    if mistakes:
        raise PairTableError(mistakes)
    return [PairRow(number, row[at_file], row[at_caption]) for number, row in enumerate(rows, start=2) if row]


def score_table(scorer: Scorer, table: Path, out: Path, tick: Callable[[], None] = lambda: None) -> int:
    """Score every row of `table`, files relative to its folder, and write `out` whole; returns the number of rows.

    Rows keep their order and none is missing. Raises `PairTableError` listing every bad row; then nothing is written.
    """
    rows = read_pairs(table)
    scores: list[Score] = []
    mistakes: list[str] = []
    for row in rows:
        try:
            scores.append(_score(scorer, table.parent, row))
        except AudioError as error:
            mistakes.append(f"Row {row.number}: {error}")
        tick()
    if mistakes:
        raise PairTableError(mistakes)
    _write(out, rows, scores)
    return len(rows)


def _score(scorer: Scorer, folder: Path, row: PairRow) -> Score:
    if not row.file.strip() or "\0" in row.file:
        raise AudioError("the file is not named.")
    return scorer.score(folder / row.file, row.caption)


def _write(out: Path, rows: Sequence[PairRow], scores: Sequence[Score]) -> None:
    draft = out.with_name(f".{out.name}.draft")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS_OUT)
            for row, score in zip(rows, scores, strict=True):
                sd = "" if score.score_sd is None else repr(score.score_sd)
                writer.writerow([row.file, row.caption, repr(score.cosine), repr(score.score), sd])
            file.flush()
            os.fsync(file.fileno())
        draft.replace(out)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise PairTableError([f"{out} cannot be written: {error.strerror}."]) from error
