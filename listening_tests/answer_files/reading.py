"""Readers of answers: rows out of CSV, JSONL and Parquet, by the ending of the file's name, and values by column."""

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from listening_tests.answer_files.cells import Value, original
from listening_tests.answer_files.columns import BY_NAME, Column, Type
from listening_tests.exceptions import Refused

_BATCH = 5_000


@dataclass(frozen=True)
class FoundRow:
    """A row of a file: what a person calls its place, such as "line 7", its cells by the file's own columns, and, where
    these are not to be had, why.
    """

    place: str
    cells: Mapping[str, Any]
    misfit: str = ""


@dataclass(frozen=True)
class FoundTable:
    """The columns that a file has, and its rows, read as they are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[FoundRow]


class CellRefused(Exception):
    """Why a cell cannot be used, as a sentence."""


def csv_read(path: Path) -> FoundTable:
    """A CSV file with a header. Raises Refused, also on the way, where it cannot be read as a whole."""
    return _table(_csv_rows(path))


def answers_read(path: Path) -> FoundTable:
    """What an export wrote, cells as the format has them: `typed` makes values of them. Raises Refused."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise Refused(f"{path.name} ends neither with .csv nor with .jsonl nor with .parquet. Name it by its format.")
    return _table(reader(path))


def _table(found: Iterator[FoundRow]) -> FoundTable:
    """Of readers that give a row of columns first."""
    header = next(found, None)
    return FoundTable(tuple(header.cells) if header else (), found)


def _there(path: Path) -> Path:
    if not path.is_file():
        raise Refused(f"The file {path} is not there. Give the path of a file of ratings.")
    return path


def _csv_rows(path: Path) -> Iterator[FoundRow]:
    try:
        with _there(path).open(encoding="utf-8-sig", newline="") as file:
            lines = _csv_lines(file, path.name)
            columns = _csv_columns(lines, path.name)
            yield FoundRow("line 1", dict.fromkeys(columns))
            for line, cells in lines:
                yield _csv_row(line, cells, columns)
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name} is not UTF-8. Save it as CSV in UTF-8.") from error


def _csv_columns(lines: Iterator[tuple[int, list[str]]], name: str) -> list[str]:
    _, header = next(lines, (1, []))
    columns = [cell.strip() for cell in header]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if not any(columns):
        raise Refused(f"{name} is empty. Its first line names the columns.")
    if twice:
        raise Refused(f"{name} has the column {', '.join(twice)} twice. Remove one.")
    return columns


def _csv_row(line: int, cells: list[str], columns: list[str]) -> FoundRow:
    if len(cells) == len(columns):
        return FoundRow(f"line {line}", dict(zip(columns, cells, strict=True)))
    misfit = (
        f"The row has {len(cells)} cells, but the header names {len(columns)} columns. "
        "Put quotation marks around a cell that holds a comma."
    )
    return FoundRow(f"line {line}", {}, misfit)


def _csv_lines(file: Iterable[str], name: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line that it begins on; blank lines are passed over."""
    reader = csv.reader(file, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refused(
                f"{name} cannot be read as CSV from line {line} on ({error}). "
                "Look for a quotation mark that is not closed."
            ) from error
        if cells:
            yield line, cells


def _csv_answers(path: Path) -> Iterator[FoundRow]:
    for row in _csv_rows(path):
        cells = {name: _csv_cell(name, cell) for name, cell in row.cells.items()}
        yield FoundRow(row.place, cells, row.misfit)


def _csv_cell(name: str, cell: str | None) -> str | None:
    """None for an empty cell; a text without what the writer put before it."""
    column = BY_NAME.get(name)
    if cell and column is not None and column.type in (Type.TEXT, Type.JSON):
        return original(cell)
    return cell or None


def _json_lines(path: Path) -> Iterator[FoundRow]:
    columns: set[str] | None = None
    try:
        with _there(path).open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                row = _json_row(f"line {number}", line, columns)
                if columns is None:
                    columns = set(row.cells)
                    yield FoundRow("line 1", row.cells)
                yield row
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name} is not UTF-8. Save it as JSON lines in UTF-8.") from error


def _json_row(place: str, line: str, columns: set[str] | None) -> FoundRow:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return FoundRow(place, {}, "The line is no JSON object. Write one object a line.")
    if columns is not None and set(found) != columns:
        return FoundRow(place, {}, "The line has other names than the first one. Write the same ones in each.")
    return FoundRow(place, found)


def _parquet_rows(path: Path) -> Iterator[FoundRow]:
    # Here, so that only who reads Parquet loads it: it takes long, and memory.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(_there(path)) as file:
            yield FoundRow("the header", dict.fromkeys(file.schema_arrow.names))
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                for cells in batch.to_pylist():
                    number += 1
                    yield FoundRow(f"row {number}", cells)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise Refused(f"{path.name} cannot be read as Parquet ({reason}). Export it again.") from error


_READERS: dict[str, Callable[[Path], Iterator[FoundRow]]] = {
    ".csv": _csv_answers,
    ".jsonl": _json_lines,
    ".parquet": _parquet_rows,
}


def typed(column: Column, cell: object) -> Value:
    """The value of a cell by its column's type, None for a missing one. Raises CellRefused."""
    if cell is None or cell == "":
        return None
    return _TYPES[column.type](cell)


def _text(cell: object) -> str:
    if not isinstance(cell, str):
        raise CellRefused(f"{cell!r} is no text.")
    if "\0" in cell:
        raise CellRefused("It holds a NUL character. Remove it.")
    try:
        cell.encode()
    except UnicodeEncodeError as error:
        raise CellRefused("It holds half a character (a lone surrogate). Remove it.") from error
    return cell


def _uuid(cell: object) -> UUID:
    try:
        return UUID(str(cell))
    except ValueError as error:
        raise CellRefused(f"{_shortened(cell)} is no uuid.") from error


def number_of(cell: object) -> float:
    """Raises CellRefused where it is no finite number."""
    try:
        value = float(cell) if isinstance(cell, str | int | float) and not isinstance(cell, bool) else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise CellRefused(f"{_shortened(cell)} is no number. Write one such as 7 or 7.5.")
    return value


def _integer(cell: object) -> int:
    value = number_of(cell)
    if not value.is_integer() or not 0 <= value <= LARGEST_INTEGER:
        raise CellRefused(f"{_shortened(cell)} is no whole number from 0 to {LARGEST_INTEGER:,}.")
    return int(value)


def truth_of(cell: object) -> bool:
    """Raises CellRefused where it is neither true nor false."""
    value = {"true": True, "false": False}.get(str(cell).strip().lower())
    if value is None:
        raise CellRefused(f"{_shortened(cell)} is neither true nor false.")
    return value


def _time(cell: object) -> datetime:
    try:
        moment = cell if isinstance(cell, datetime) else datetime.fromisoformat(str(cell))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CellRefused(f"{_shortened(cell)} is no time. Write one such as 2026-01-31T12:00:00+00:00.") from error
    raise CellRefused(f"{_shortened(cell)} has no time zone. Write one such as 2026-01-31T12:00:00+00:00.")


def _shortened(cell: object) -> str:
    told = repr(cell)
    return told if len(told) <= 60 else f"{told[:57]}..."


LARGEST_INTEGER = 2**31 - 1
_TYPES: dict[Type, Callable[[object], Value]] = {
    Type.TEXT: _text,
    Type.JSON: _text,
    Type.UUID: _uuid,
    Type.NUMBER: number_of,
    Type.INTEGER: _integer,
    Type.TRUTH: truth_of,
    Type.TIME: _time,
}
