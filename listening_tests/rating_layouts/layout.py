"""What a layout has to say of a file of ratings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from listening_tests.exceptions import Refused


@dataclass(frozen=True)
class LaidOutRow:
    """A row in Earmark's own columns (answer_files/columns.py); what a file does not say is left out.

    `problems` holds what the layout itself found wrong, each a sentence with the file's own column before it.
    """

    place: str
    cells: Mapping[str, Any]
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class LaidOut:
    """The rows of a file, and what the file calls those of Earmark's columns that it has under another name."""

    rows: Iterator[LaidOutRow]
    called: Mapping[str, str]


class Layout(Protocol):
    @property
    def name(self) -> str: ...

    def read(self, path: Path) -> LaidOut:
        """Raises Refused where the file as a whole is none of this layout."""


def refuse_missing(path: Path, columns: Sequence[str], needed: Sequence[str]) -> None:
    missing = [name for name in needed if name not in columns]
    if missing:
        raise Refused(f"{path.name} lacks the column {', '.join(missing)}. It has: {', '.join(columns)}.")


def refuse_averages(path: Path, told: str) -> None:
    """For a file whose rows name no rater; `told` says what such a column is called."""
    raise Refused(
        f"{path.name} has no column that says who rated ({told}). Its scores are averages, and averaged labels are not "
        "ratings, so nothing was imported. To train on them, use python -m modeling, which takes averages as targets."
    )
