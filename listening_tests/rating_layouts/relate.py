"""RELATE (arXiv 2506.23582): its files of single ratings of inclusion (IS), order (OS) and relevance (REL).

Its column `audio type` says audioldm of AudioLDM2 and tango of Tango2, so the system is the first folder of `wavname`.
Rows of anchors can carry the label of a split; an anchor has none.
"""

import json
from pathlib import Path
from typing import Any

from listening_tests.answer_files.reading import CellRefused, FoundRow, csv_read, truth_of
from listening_tests.choices import PairRole, Split
from listening_tests.rating_layouts.layout import LaidOut, LaidOutRow, refuse_averages, refuse_missing

_NEEDED = ("wavname", "text", "score", "anchor label")
_RATER = "listener_id"
# Only in the file of relevance.
_SPLIT = "in RELATE dataset"
_EXCLUDED = "excluded"
_SPLITS = {"train": Split.TRAIN, "validation": Split.VALIDATION, "test": Split.HELDOUT, _EXCLUDED: None, "": None}
_CALLED = {"clip_name": "wavname", "caption": "text", "rater": _RATER, "system": "wavname"}
_EXCLUSION = json.dumps(
    [
        {
            "rule": "relate-published",
            "version": 1,
            "reason": "The authors of RELATE left this rating out of the data set that they published.",
        }
    ]
)
_SCALE = {"test_kind": "rating", "language": "en", "scale_min": 0, "scale_max": 10, "scale_step": 1}
_RELEVANCE = _SCALE | {
    "question": "relevance",
    "prompt": "How well does the caption match the sound?",
    "min_label": "does not match at all",
    "max_label": "matches perfectly",
}
_INCLUSION = _SCALE | {
    "question": "inclusion",
    "prompt": "Does the sound hold every event that the caption names?",
    "min_label": "holds none of them",
    "max_label": "holds all of them",
}
_ORDER = _SCALE | {
    "question": "order",
    "prompt": "Do the events come in the order that the caption gives?",
    "min_label": "not at all",
    "max_label": "exactly",
}


class RelateLayout:
    name = "relate"

    def read(self, path: Path) -> LaidOut:
        table = csv_read(path)
        if _RATER not in table.columns:
            refuse_averages(path, _RATER)
        refuse_missing(path, table.columns, _NEEDED)
        question = _question(path, table.columns)
        return LaidOut((self._row(row, question) for row in table.rows), _CALLED)

    def _row(self, row: FoundRow, question: dict[str, Any]) -> LaidOutRow:
        if row.misfit:
            return LaidOutRow(row.place, {}, [row.misfit])
        cell, problems = row.cells, []
        try:
            is_anchor = truth_of(cell["anchor label"])
        except CellRefused as refused:
            is_anchor = False
            problems.append(f"anchor label: {refused}")
        label = cell.get(_SPLIT, "").strip().lower()
        if label not in _SPLITS:
            problems.append(f"{_SPLIT}: {label!r} is none of train, validation, test and excluded.")
        said = {
            "rater": cell[_RATER],
            "score": cell["score"],
            "clip_name": cell["wavname"],
            "caption": cell["text"],
            "system": cell["wavname"].strip("/").partition("/")[0],
            "role": PairRole.ANCHOR if is_anchor else PairRole.STUDY,
            "own_split": None if is_anchor else _SPLITS.get(label),
            "exclusions": _EXCLUSION if label == _EXCLUDED else None,
        }
        return LaidOutRow(row.place, question | said, problems)


def _question(path: Path, columns: tuple[str, ...]) -> dict[str, Any]:
    if _SPLIT in columns:
        return _RELEVANCE
    return _ORDER if path.stem.upper().startswith("OS") else _INCLUSION
