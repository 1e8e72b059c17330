"""Earmark's own exports: CSV, JSONL or Parquet, by the ending of the file's name."""

from pathlib import Path

from listening_tests.answer_files.columns import NAMES
from listening_tests.answer_files.reading import FoundRow, answers_read
from listening_tests.exceptions import Refused
from listening_tests.rating_layouts.layout import LaidOut, LaidOutRow, refuse_averages, refuse_missing

_NEEDED = (
    *("answer_uuid", "test_kind", "question", "scale_min", "scale_max", "scale_step", "score", "caption"),
    *("pair_uuid", "clip_name", "submitted_at"),
)


class EarmarkLayout:
    name = "earmark"

    def read(self, path: Path) -> LaidOut:
        table = answers_read(path)
        unknown = [column for column in table.columns if column not in NAMES]
        if not table.columns:
            raise Refused(f"{path.name} holds no answers.")
        if unknown:
            raise Refused(
                f"{path.name} has the unknown column {', '.join(map(repr, unknown))}. "
                "Remove it; docs/EXPORT.md lists the columns."
            )
        if "rater" not in table.columns:
            refuse_averages(path, "rater")
        refuse_missing(path, table.columns, _NEEDED)
        return LaidOut(map(self._row, table.rows), {})

    def _row(self, row: FoundRow) -> LaidOutRow:
        return LaidOutRow(row.place, row.cells, [row.misfit] if row.misfit else [])
