"""Tables of pairs for scoring: `file,caption` in, `file,caption,cosine,score,score_sd` out.

Cells are written back exactly as they were read, a caption that begins with = + - or @ included: rows must stay
joinable to the input, which holds the same cell already. Tables that people download from the platform are neutralised
there; this one is for programs.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modeling.audio import AudioError
from modeling.ensemble import EnsembleScorer
from modeling.scoring import Score, Scorer, Told

COLUMNS_IN = ("file", "caption")
NOT_NAMED = AudioError("the file is not named.")
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
    header, rows = read_rows(table)
    missing = [name for name in COLUMNS_IN if name not in header]
    if missing:
        raise PairTableError([f"{table} has no column {' and no column '.join(missing)}; it needs file,caption."])
    return [PairRow(number, cells["file"], cells["caption"]) for number, cells in rows]


def read_rows(table: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The header of a CSV in UTF-8, and each row's number and cells. Raises `PairTableError` for rows of other lengths.

    Rows are numbered as in `PairRow`; empty ones are left out.
    """
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header, *rows = list(reader) or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PairTableError([f"{table} cannot be read as CSV in UTF-8: {error}."]) from error
    mistakes = [
        f"Row {number}: it has {len(row)} cells where the header has {len(header)}."
        for number, row in enumerate(rows, start=2)
        if row and len(row) != len(header)
    ]
    if mistakes:
        raise PairTableError(mistakes)
    # The first of two columns of one name.
    return header, [
        (number, dict(zip(reversed(header), reversed(row), strict=True)))
        for number, row in enumerate(rows, start=2)
        if row
    ]


def score_table(scorer: Scorer | EnsembleScorer, table: Path, out: Path, told: Told = lambda done, of: None) -> int:
    """Score every row of `table`, files relative to its folder, and write `out` whole; returns the number of rows.

    `told` hears how many of the distinct clips and captions are done. Rows keep their order and none is missing. Raises
    `PairTableError` listing every bad row; then nothing is written.
    """
    rows = read_pairs(table)
    named = [row for row in rows if row.file.strip() and "\0" not in row.file]
    found = scorer.score_all([table.parent / row.file for row in named], [row.caption for row in named], told)
    by_row = dict(zip((row.number for row in named), found, strict=True))
    scores = [by_row.get(row.number, NOT_NAMED) for row in rows]
    mistakes = [
        f"Row {row.number}: {score}" for row, score in zip(rows, scores, strict=True) if isinstance(score, AudioError)
    ]
    if mistakes:
        raise PairTableError(mistakes)
    _write(out, rows, [score for score in scores if isinstance(score, Score)])
    return len(rows)


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
