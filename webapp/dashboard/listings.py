"""Long tables a page at a time, sorted by what the address says, so that a page can be linked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest

from listening_tests.models import Question

# In words the ways to sort by a number, and by when a row came in.
_WAYS = (
    (("-", "highest first"), ("", "lowest first")),
    (("", "first to last"), ("-", "last to first")),
)


@dataclass(frozen=True)
class Column:
    """A column that can be sorted by; `url` sorts by it, the other way round where it is so already."""

    name: str
    label: str
    url: str
    is_descending: bool
    is_current: bool

    @property
    def aria_sort(self) -> str:
        return "descending" if self.is_descending else "ascending"


@dataclass(frozen=True)
class Listing:
    """`columns` by name. `kept` are the words of the address but for the page, to be followed by `page=`."""

    page: Page[Any]
    columns: dict[str, Column]
    sort: str
    kept: str

    @property
    def choices(self) -> list[tuple[str, str]]:
        """What a form offers to sort by."""
        return [
            (f"{sign}{column.name}", f"{column.label}, {way}")
            for column in self.columns.values()
            for sign, way in _WAYS[column.name == "item"]
        ]


def chosen_question(questions: Sequence[Question], name: str | None) -> Question | None:
    """The question that the address names, else the first. Raises Http404 for one that the test does not ask."""
    if not name:
        return questions[0] if questions else None
    for question in questions:
        if question.name == name:
            return question
    raise Http404(f"The test asks no question {name}.")


def sort_asked(request: HttpRequest, names: Sequence[str], default: str) -> str:
    """What the address asks to sort by. Raises Http404 for what is no column."""
    sort = request.GET.get("sort") or default
    if sort.removeprefix("-") not in names:
        raise Http404(f"The table has no column {sort} to sort by.")
    return sort


def listing(request: HttpRequest, sorts: Mapping[str, str], sort: str, paginator: Paginator[Any]) -> Listing:
    """The page that the address names; the last or the first where it names none that there is."""
    columns = {
        name: Column(
            name=name,
            label=label,
            url=_address(request, sort=name if sort == f"-{name}" else f"-{name}", page=None),
            is_descending=sort.startswith("-"),
            is_current=sort.removeprefix("-") == name,
        )
        for name, label in sorts.items()
    }
    page = paginator.get_page(request.GET.get("page"))
    return Listing(page=page, columns=columns, sort=sort, kept=_address(request, page=None))


def _address(request: HttpRequest, **changes: str | None) -> str:
    words = request.GET.copy()
    for name, value in changes.items():
        words.pop(name, None)
        if value is not None:
            words[name] = value
    return f"?{words.urlencode()}"
