"""Pages on which rows are seen and nothing is changed."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from listening_tests.admin.by_role import ByRole, RowsOfRole


class ReadOnlyAdmin(ByRole, ModelAdmin):
    """No adding or changing; no deleting where `deleting` names no role's action; no actions. Lists do not count a
    whole table beside what they show.
    """

    actions = None
    show_full_result_count = False
    list_per_page = 50
    list_filter_submit = False


class ReadOnlyInline(TabularInline):
    """Rows that belong to the page's row, to be seen."""

    extra = 0
    can_delete = False
    show_change_link = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the page's row."""
        return True


class ReadOnlyInlineOfTests(RowsOfRole, ReadOnlyInline):
    """Rows of several tests on the page of a row that these share."""
