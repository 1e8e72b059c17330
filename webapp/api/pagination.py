"""Pages of lists by cursor: the next page holds however the list grows meanwhile, and page 10,000 is as quick as the
first.
"""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination, PageNumberPagination
from rest_framework.request import Request


class ByCursor(CursorPagination):
    """Newest last, 100 a page, up to 1,000 by `page_size`. `next` is the address of the page after it."""

    ordering: Any = ("pk",)
    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1_000
    invalid_cursor_message = "This cursor leads nowhere. Take the address of a page from `next` or `previous`."

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        self._model = queryset.model
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """A cursor that somebody made up is refused before the database is asked."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            name, meta = self.ordering[0], self._model._meta
            field = meta.pk if name == "pk" else meta.get_field(name)
            try:
                found = field.to_python(cursor.position)
            except ValidationError as error:
                raise NotFound(self.invalid_cursor_message) from error
            if isinstance(found, int) and abs(found) >= 2**63:
                raise NotFound(self.invalid_cursor_message)
        return cursor


class NewestFirst(ByCursor):
    ordering = ("-pk",)


class ByPage(PageNumberPagination):
    """Of what was counted and put in an order: 100 a page, up to 1,000 by `page_size`, with the number of all."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1_000
    invalid_page_message = "There is no such page. Take the address of a page from `next` or `previous`."


class ByArrival(ByCursor):
    """Answers in the order in which they came."""

    ordering = ("submitted_at", "pk")
