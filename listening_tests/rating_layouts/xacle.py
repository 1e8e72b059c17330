"""XACLE (the challenge of 2026/27): `wav_file_name, text, score`, and who rated. Files of averages are refused."""

from pathlib import Path

from listening_tests.answer_files.reading import csv_read
from listening_tests.rating_layouts.layout import LaidOut, LaidOutRow, refuse_averages, refuse_missing

_NEEDED = ("wav_file_name", "text", "score")
_WHO = ("rater", "listener", "worker", "annotator", "evaluator", "participant", "subject")
_RATERS = tuple(name for who in _WHO for name in (who, f"{who}_id"))
_QUESTION = {
    "test_kind": "rating",
    "language": "en",
    "question": "relevance",
    "prompt": "How well does the caption match the sound?",
    "scale_min": 0,
    "scale_max": 10,
    "scale_step": 1,
    "min_label": "does not match at all",
    "max_label": "matches perfectly",
}


class XacleLayout:
    name = "xacle"

    def read(self, path: Path) -> LaidOut:
        table = csv_read(path)
        rater = next((name for name in _RATERS if name in table.columns), "")
        if not rater:
            refuse_averages(path, f"{', '.join(_RATERS[:-1])} or {_RATERS[-1]}")
        refuse_missing(path, table.columns, _NEEDED)
        called = {"clip_name": "wav_file_name", "caption": "text", "rater": rater}
        rows = (
            LaidOutRow(
                row.place,
                {}
                if row.misfit
                else _QUESTION
                | {
                    "rater": row.cells[rater],
                    "score": row.cells["score"],
                    "clip_name": row.cells["wav_file_name"],
                    "caption": row.cells["text"],
                },
                [row.misfit] if row.misfit else [],
            )
            for row in table.rows
        )
        return LaidOut(rows, called)
