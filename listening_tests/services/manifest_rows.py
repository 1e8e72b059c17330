"""The rows of a manifest: read as text, each cell checked, every mistake told with its line."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from listening_tests.choices import PairRole
from listening_tests.exceptions import Refused
from listening_tests.models import Question

REQUIRED_COLUMNS = ("file", "caption")
# Hidden repeats are made by the platform, of pairs that are there.
ROLES = [role for role in PairRole.values if role != PairRole.REPEAT]
OPTIONAL_COLUMNS = ("system", "source_id", "role", "language", "expected_min", "expected_max")
LARGEST_MANIFEST_BYTES = 50 * 1024**2
LONGEST = {"caption": 5_000, "system": 120, "source_id": 200, "language": 20}
DEFAULT_LANGUAGE = "en"
# Letters and symbols that leave their place blank: fillers of Hangul, and the pattern of Braille without dots.
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class RowProblem:
    """Why a row cannot be used. `line` is the line of the file where the row begins; the header is line 1.

    `column` is empty where the row as a whole is wrong.
    """

    line: int
    reason: str
    column: str = ""

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class ManifestRefused(Refused):
    """Some rows of a manifest cannot be used, so that none was imported. `problems` tells of every one."""

    def __init__(self, problems: list[RowProblem], *, manifest: str) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line)
        count = len({problem.line for problem in problems})
        rows = "1 row" if count == 1 else f"{count:,} rows"
        self.headline = (
            f"Nothing was imported, because {rows} of {manifest} cannot be used. Mend every line named here."
        )
        super().__init__("\n".join([self.headline, *map(str, self.problems)]))


@dataclass(frozen=True)
class ManifestRow:
    """One pair of a manifest. White space around a cell is dropped, but a caption stays letter by letter."""

    line: int
    file: str
    path: Path
    caption: str
    system: str
    source_id: str
    role: str
    language: str
    expected_min: float | None
    expected_max: float | None


@dataclass(frozen=True)
class NamedFile:
    """A sound file as a row names it, and where it lies."""

    line: int
    name: str
    path: Path


@dataclass
class ManifestRows:
    """The rows that can be used so far, the problems of all others, and the files of both."""

    rows: list[ManifestRow] = field(default_factory=list)
    files: list[NamedFile] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)


def manifest_rows_read(
    *, manifest: Path, folder: Path, question: Question | None, has_scale: bool = True, name: str = ""
) -> ManifestRows:
    """Reads a manifest, called `name`, whose files lie in `folder`; expected ranges are checked against the scale of
    `question`, and refused in a test that `has_scale` says to be without.

    Raises Refused where the file as a whole is no manifest; problems of single rows are returned.
    """
    name = name or manifest.name
    lines = _numbered_rows(_text(manifest, name), name)
    _, header = next(lines, (1, []))
    columns = _columns(header, name)
    found = ManifestRows()
    folder = folder.resolve()
    for line, cells in lines:
        misfit = _misfit(cells, columns)
        if misfit:
            found.problems.append(RowProblem(line, misfit))
            continue
        # A caption comes out as it went in, spaces at its ends too; around everything else they mean nothing.
        named = zip(columns, cells, strict=True)
        row_cells = {column: cell if column == "caption" else cell.strip() for column, cell in named}
        check = _RowCheck(row_cells, folder, question, has_scale=has_scale)
        row = check.row(line)
        if check.path_is_good:
            found.files.append(NamedFile(line, row.file, row.path))
        found.problems += [RowProblem(line, reason, column) for column, reason in check.problems]
        if not check.problems:
            found.rows.append(row)
    if not found.rows and not found.problems:
        raise Refused(f"{name} holds no rows below its header. Write one line for each pair.")
    return found


def _text(manifest: Path, name: str) -> str:
    try:
        if not manifest.is_file():
            raise Refused(f"The manifest {manifest} is not there. Give the path of a CSV file.")
        with manifest.open("rb") as stream:
            content = stream.read(LARGEST_MANIFEST_BYTES + 1)
    except OSError as error:
        raise Refused(f"The manifest {manifest} cannot be read ({error.strerror}).") from error
    if len(content) > LARGEST_MANIFEST_BYTES:
        raise Refused(f"{name} is larger than {LARGEST_MANIFEST_BYTES // 1024**2} MB. Split it.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Refused(f"{name} is not UTF-8: see line {line}. Save it as CSV in UTF-8.") from error


def _numbered_rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins on; blank lines are passed over."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
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


def _columns(header: list[str], name: str) -> list[str]:
    columns = [cell.strip() for cell in header]
    known = ", ".join((*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS))
    if not any(columns):
        raise Refused(f"{name} is empty. Its first line names the columns: {known}.")
    missing = [column for column in REQUIRED_COLUMNS if column not in columns]
    unknown = [column for column in columns if column not in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    complaints = [
        f"lacks the column {', '.join(missing)}" if missing else "",
        f"has the unknown column {', '.join(map(repr, unknown))}" if unknown else "",
        f"has the column {', '.join(twice)} twice" if twice else "",
    ]
    if any(complaints):
        told = " and ".join(filter(None, complaints))
        raise Refused(f"{name} {told}. Columns are separated by commas; they are: {known}.")
    return columns


def _misfit(cells: list[str], columns: list[str]) -> str:
    if len(cells) != len(columns):
        return (
            f"The row has {len(cells)} cells, but the header names {len(columns)} columns. "
            "Put quotation marks around a cell that holds a comma."
        )
    return "The row holds a NUL character. Remove it." if any("\0" in cell for cell in cells) else ""


class _RowCheck:
    """Turns the cells of one row into values. All that is wrong is gathered in `problems`; then no value counts."""

    def __init__(self, cell: dict[str, str], folder: Path, question: Question | None, *, has_scale: bool) -> None:
        self.cell = dict.fromkeys(OPTIONAL_COLUMNS, "") | cell
        self.folder = folder
        self.question = question
        self.has_scale = has_scale
        self.path_is_good = False
        # Each with the column that it is about.
        self.problems: list[tuple[str, str]] = [
            (column, f"The {column} has {len(self.cell[column]):,} characters; the limit is {limit:,}. Shorten it.")
            for column, limit in LONGEST.items()
            if len(self.cell[column]) > limit
        ]

    def _refuse(self, column: str, reason: str) -> None:
        self.problems.append((column, reason))

    def row(self, line: int) -> ManifestRow:
        low, high = self.expected_range()
        return ManifestRow(
            line=line,
            file=self.cell["file"],
            path=self.path(),
            caption=self.caption(),
            system=self.cell["system"],
            source_id=self.cell["source_id"],
            role=self.role(),
            language=self.language(),
            expected_min=low,
            expected_max=high,
        )

    def path(self) -> Path:
        """Where the file lies, symbolic links followed; never outside of the manifest's folder."""
        name = self.cell["file"]
        if not name:
            self._refuse("file", "The file is empty. Write the path of a sound file.")
            return self.folder
        if name.startswith(("/", "\\")) or re.match("[A-Za-z]:", name):
            self._refuse("file", f"{name} is an absolute path. Write it relative to the manifest's folder.")
            return self.folder
        try:
            path = (self.folder / name).resolve()
            is_there = path.exists()
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "its links lead in a circle"
            self._refuse("file", f"{name} cannot be followed ({reason}). Check its name.")
            return self.folder
        if not path.is_relative_to(self.folder):
            self._refuse(
                "file", f"{name} lies outside of the manifest's folder. Put the file into the folder or below it."
            )
        elif "\\" in name and not is_there:
            self._refuse("file", f"{name} is not there. Write / between folders, not \\.")
        else:
            self.path_is_good = True
        return path

    def caption(self) -> str:
        if not self.cell["caption"].strip():
            self._refuse("caption", "The caption is empty. Write what the rater shall compare the sound with.")
        elif not any(map(_is_visible, self.cell["caption"])):
            self._refuse(
                "caption", "The caption holds no visible character. Write what the rater shall compare the sound with."
            )
        controls = sorted({char for char in self.cell["caption"] if _is_control(char)})
        if controls:
            names = ", ".join(f"U+{ord(char):04X}" for char in controls)
            self._refuse("caption", f"The caption holds control characters ({names}). Remove them.")
        return self.cell["caption"]

    def role(self) -> str:
        role = self.cell["role"].lower() or str(PairRole.STUDY)
        if role not in ROLES:
            self._refuse("role", f"The role {role!r} is unknown. Write one of: {', '.join(ROLES)}.")
        return role

    def language(self) -> str:
        language = self.cell["language"] or DEFAULT_LANGUAGE
        if not _LANGUAGE.fullmatch(language):
            self._refuse(
                "language", f"The language {language!r} is no language tag. Write one such as en, de or pt-BR."
            )
        return language

    def expected_range(self) -> tuple[float | None, float | None]:
        low, high = self._expected("expected_min"), self._expected("expected_max")
        if low is not None and high is not None and low > high:
            self._refuse(
                "expected_min, expected_max", f"expected_min {low:g} lies above expected_max {high:g}. Swap them."
            )
        return low, high

    def _expected(self, column: str) -> float | None:
        text = self.cell[column]
        if not text:
            return None
        if not self.has_scale:
            self._refuse(
                column, f"{column} says nothing here, for a comparison is a choice and no score. Leave the cell empty."
            )
            return None
        if self.question is None:
            self._refuse(column, f"{column} needs a scale, but the test has no question yet. Add its question first.")
            return None
        low, high = self.question.scale_min, self.question.scale_max
        try:
            value = float(text)
        except ValueError:
            self._refuse(column, f"{column} {text!r} is not a number. Write one such as 7 or 7.5.")
            return None
        if not low <= value <= high:  # Neither is NaN.
            self._refuse(column, f"{column} {text} is not on the scale from {low:g} to {high:g}.")
        return value


def _is_visible(char: str) -> bool:
    """Letters, numbers, punctuation and symbols are; spaces, what only joins or directs, and lone marks are not."""
    return unicodedata.category(char)[0] in "LNPS" and char not in _BLANKS


def _is_control(char: str) -> bool:
    return unicodedata.category(char) == "Cc" and char not in "\t\n\r"
