"""Writers of answers, one a format. Each takes rows in the order of COLUMNS, some thousands at a time."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from listening_tests.answer_files.cells import Value, neutral, written_time
from listening_tests.answer_files.columns import COLUMNS, NAMES, Type

# So many rows make a row group of Parquet, which is gathered in memory.
_ROW_GROUP = 10_000
Row = Sequence[Value]


class Writer(Protocol):
    def write(self, rows: Sequence[Row]) -> None: ...

    def flush(self) -> None:
        """Hands to the file what can be handed over by now."""

    def close(self) -> None:
        """Writes what is still held. The file itself stays open."""


def _columns_of(*types: Type) -> list[int]:
    return [number for number, column in enumerate(COLUMNS) if column.type in types]


_TEXTS = _columns_of(Type.TEXT, Type.JSON)
_TRUTHS = _columns_of(Type.TRUTH)
_TIMES = _columns_of(Type.TIME)
_UUIDS = _columns_of(Type.UUID)


class CsvWriter:
    """RFC 4180 in UTF-8, a header line first. An empty cell is a missing value."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
        # Both characters of the line's end make the writer quote a cell that holds one of them.
        self._writer = csv.writer(self._text, lineterminator="\r\n")
        self._writer.writerow(NAMES)

    def write(self, rows: Sequence[Row]) -> None:
        self._writer.writerows(map(self._cells, rows))

    def flush(self) -> None:
        self._text.flush()

    def close(self) -> None:
        self._text.flush()
        self._text.detach()

    def _cells(self, row: Row) -> list[Value]:
        cells = list(row)
        for number in _TEXTS:
            if text := cells[number]:
                cells[number] = neutral(str(text))
        for number in _TRUTHS:
            cells[number] = "true" if cells[number] else "false"
        for number in _TIMES:
            moment = cells[number]
            cells[number] = written_time(moment) if isinstance(moment, datetime) else None
        return cells


class JsonLinesWriter:
    """An object a line in UTF-8, with every column; a missing value is null."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, rows: Sequence[Row]) -> None:
        self._file.write("".join(map(self._line, rows)).encode())

    def flush(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is held."""

    def _line(self, row: Row) -> str:
        named = dict(zip(NAMES, row, strict=True))
        return json.dumps(named, ensure_ascii=False, allow_nan=False, default=_json_value) + "\n"


def _json_value(value: object) -> str:
    return written_time(value) if isinstance(value, datetime) else str(value)


class ParquetWriter:
    """Typed columns; times are timestamps in UTC, uuids are texts."""

    def __init__(self, file: BinaryIO) -> None:
        # Here, so that only who writes Parquet loads it: it takes long, and memory.
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {
            Type.NUMBER: pa.float64(),
            Type.INTEGER: pa.int64(),
            Type.TRUTH: pa.bool_(),
            Type.TIME: pa.timestamp("us", tz="UTC"),
        }
        self._schema = pa.schema([(column.name, types.get(column.type, pa.string())) for column in COLUMNS])
        self._from_lists: Callable[..., Any] = pa.record_batch
        self._table: Callable[..., Any] = pa.Table.from_batches
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        self._held: list[Any] = []
        self._n_held = 0

    def write(self, rows: Sequence[Row]) -> None:
        columns = [list(values) for values in zip(*rows, strict=True)]
        for number in _UUIDS:
            columns[number] = [str(value) if isinstance(value, UUID) else value for value in columns[number]]
        self._held.append(self._from_lists(columns, schema=self._schema))
        self._n_held += len(rows)
        if self._n_held >= _ROW_GROUP:
            self._write_group()

    def flush(self) -> None:
        """A row group is handed over when it is full."""

    def close(self) -> None:
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        if self._held:
            self._writer.write_table(self._table(self._held), row_group_size=self._n_held)
        self._held, self._n_held = [], 0


WRITERS: dict[str, Callable[[BinaryIO], Writer]] = {
    "csv": CsvWriter,
    "jsonl": JsonLinesWriter,
    "parquet": ParquetWriter,
}
