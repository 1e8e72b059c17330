"""Days and times as they are typed at a prompt."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime


def moment(text: str) -> datetime:
    """ISO 8601, such as 2026-11-28 or 2026-11-28T09:30+09:00; UTC where no zone is given. A day is its beginning."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day or time; write it as 2026-11-28 or 2026-11-28T09:30") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
