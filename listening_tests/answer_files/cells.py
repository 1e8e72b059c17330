"""Cells of a CSV file. A spreadsheet runs what begins with = + - or @, so an apostrophe is put before such a text.

Reading takes an apostrophe away only where writing must have put it: before a text that would run, whatever number of
apostrophes that text begins with itself. So 'tis stays 'tis, =1 becomes '=1, '=1 becomes ''=1, and each comes back.
"""

import re
from datetime import UTC, datetime
from uuid import UUID

# What an export may hold.
Value = str | int | float | bool | datetime | UUID | None
# Also after blanks, which some spreadsheets drop, and in the wide forms that some take for the narrow ones.
_WOULD_RUN = re.compile("'*(?:[\t\r\n]|\\s*[=+\\-@＝＋－＠])")
_QUOTED = re.compile("'+(?:[\t\r\n]|\\s*[=+\\-@＝＋－＠])")


def neutral(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return f"'{text}" if _WOULD_RUN.match(text) else text


def original(cell: str) -> str:
    """The text that `neutral` made this cell of."""
    return cell[1:] if _QUOTED.match(cell) else cell


def written_time(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds, always as long."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
