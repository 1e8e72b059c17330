"""Tables as lines of CSV that a spreadsheet opens without running any of it."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from listening_tests.answer_files.cells import neutral
from webapp.dashboard.result_tables import Cell


class _Echo:
    """A file whose writes are handed back, so that rows can be streamed."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    # writerow gives back what the file's write gave: the line.
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([neutral(cell) if isinstance(cell, str) else cell for cell in row])
