"""How times and texts stand in the lists of the admin, so that narrow columns stay readable."""

from collections.abc import Callable
from datetime import datetime

from django.db.models import Model
from django.utils.html import format_html
from unfold.decorators import display


def time_column(field: str, title: str) -> Callable[[Model], str]:
    """A column of the times in `field`, in UTC."""

    @display(description=f"{title} (UTC)", ordering=field)
    def shown(row: Model) -> str:
        moment: datetime | None = getattr(row, field)
        return "-" if moment is None else unbroken(f"{moment:%Y-%m-%d %H:%M}")

    return shown


def unbroken(text: str) -> str:
    """On one line, however narrow the column."""
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def prose(text: str, *, width: str = "14rem") -> str:
    """Wrapped at `width` or wider, and broken within a word where it is longer."""
    return format_html(
        '<span dir="auto" style="display: block; min-width: {}; overflow-wrap: anywhere">{}</span>', width, text
    )
