"""Lists of pairs that people send: `file,caption` as CSV, each file a clip of the test by its uuid, sha256 or name."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from django.core.files import File
from django.db.models import Exists, OuterRef

from listening_tests.exceptions import Refused
from listening_tests.models import Clip, ListeningTest, Pair

COLUMNS = ("file", "caption")
MOST_ROWS = 100_000
LARGEST_BYTES = 50 * 1024**2
LONGEST_CAPTION = 2_000
# More would be read by nobody.
MOST_PROBLEMS = 100
TOO_LARGE = f"The list is larger than {LARGEST_BYTES // 1024**2} MB. Send it in parts."


class ListRefused(Refused):
    """A list of which some rows cannot be scored: none is. `problems` names each, by line and column."""

    def __init__(self, headline: str, problems: list[str]) -> None:
        self.headline = headline
        self.problems = problems
        super().__init__("\n".join([headline, *problems]))


@dataclass(frozen=True)
class ListedPair:
    """A row: the cell `file` as it was sent, the clip that it names, and the caption."""

    file: str
    caption: str
    clip: int


def read_list(content: "BinaryIO | File[bytes]", *, test: ListeningTest) -> list[ListedPair]:
    """The rows in their order. Raises `Refused` for what is no list, `ListRefused` for the rows that are at fault."""
    rows = list(_rows(content))
    clips = _Clips(test)
    found, problems = [], []
    for line, cells in rows:
        wrong = _wrong(line, cells)
        clip, unknown = clips.named(cells[0])
        wrong += [f"line {line}, file: {unknown}"] if unknown and not wrong else []
        problems += wrong
        if clip is not None:
            found.append(ListedPair(cells[0], cells[1], clip))
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        told = f"{len(problems)} rows cannot be scored, so none is" if len(problems) > 1 else "A row cannot be scored"
        more = ", and perhaps more" if len(problems) >= MOST_PROBLEMS else ""
        raise ListRefused(f"{told}{more}. Mend the list and send it again.", problems)
    return found


def _rows(content: "BinaryIO | File[bytes]") -> Iterator[tuple[int, tuple[str, str]]]:
    """The line in the file and the cells `file` and `caption` of each row; blank lines are passed over."""
    binary = cast(BinaryIO, content.file if isinstance(content, File) else content)
    text = io.TextIOWrapper(binary, encoding="utf-8-sig", newline="")
    reader = csv.reader(text, strict=True)
    number = 0
    try:
        header = next(reader, [])
        missing = [name for name in COLUMNS if header.count(name) != 1]
        if missing:
            raise Refused(f"The list has no column {missing[0]}, or two. Its first line must name file and caption.")
        places = [header.index(name) for name in COLUMNS]
        for cells in reader:
            if not cells:
                continue
            number += 1
            if number > MOST_ROWS:
                raise Refused(f"The list has more than {MOST_ROWS:,} rows. Send it in parts.")
            line = reader.line_num
            if len(cells) != len(header):
                told = f"line {line}: it has {len(cells)} cells where the first line has {len(header)}"
                raise ListRefused("A row cannot be read. Mend the list and send it again.", [told])
            yield line, (cells[places[0]], cells[places[1]])
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"The list cannot be read as CSV in UTF-8, near line {reader.line_num + 1}: {error}.") from error
    finally:
        text.detach()
    if not number:
        raise Refused("The list has no rows. Below its first line it needs a file and a caption in each.")


def _wrong(line: int, cells: tuple[str, str]) -> list[str]:
    caption = cells[1]
    if not caption.strip():
        return [f"line {line}, caption: it is empty"]
    if len(caption) > LONGEST_CAPTION:
        return [f"line {line}, caption: it has {len(caption):,} letters, and may have {LONGEST_CAPTION:,}"]
    return []


class _Clips:
    """The clips of a test by what a list may call them."""

    def __init__(self, test: ListeningTest) -> None:
        used = Exists(Pair.objects.filter(test=test, clip=OuterRef("pk")))
        self._known: dict[str, int] = {}
        self._silent: set[str] = set()
        self._twice: set[str] = set()
        names: dict[str, int] = {}
        for key, uuid, sha256, name in Clip.objects.filter(used).values_list("pk", "uuid", "sha256", "name"):
            if sha256 is None:
                self._silent |= {str(uuid), name}
                continue
            self._known |= {str(uuid): key, sha256: key}
            if name in names:
                self._twice.add(name)
            names[name] = key
        for name, key in names.items():
            self._known.setdefault(name, key)

    def named(self, cell: str) -> tuple[int | None, str]:
        """The clip, or why there is none."""
        if cell in self._twice:
            return None, f"two clips of the test are called '{_short(cell)}'; name it by its uuid or its sha256"
        if cell in self._known:
            return self._known[cell], ""
        if cell in self._silent:
            return None, f"the sound of '{_short(cell)}' is not here"
        if not cell.strip():
            return None, "it is empty"
        return None, f"no clip of the test has the uuid, the sha256 or the name '{_short(cell)}'"


def _short(cell: str) -> str:
    return cell if len(cell) <= 80 else f"{cell[:79]}…"
