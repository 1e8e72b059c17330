"""Who works on a test, edited on its page by its owners, and the log of what they did."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.forms import PaginationInlineFormSet

from listening_tests.admin.by_role import TestFilter
from listening_tests.admin.cells import prose, time_column
from listening_tests.admin.read_only import ReadOnlyAdmin
from listening_tests.choices import Role
from listening_tests.models import AuditEntry, Member
from listening_tests.roles import Action, may
from listening_tests.services.members import NEEDS_AN_OWNER


class MemberFormSet(PaginationInlineFormSet):
    """Members of whom one at least is an owner, once there are any."""

    def clean(self) -> None:
        super().clean()
        kept = [
            form.cleaned_data.get("role")
            for form in self.forms
            if form.cleaned_data.get("user") and not form.cleaned_data.get("DELETE")
        ]
        had_some = any(form.instance.pk for form in self.forms)
        if (kept or had_some) and Role.OWNER not in kept:
            raise forms.ValidationError(NEEDS_AN_OWNER)


class MemberInline(TabularInline):
    """Of a test that is there; who makes one is its owner."""

    model = Member
    formset = MemberFormSet
    fields = ("user", "role")
    extra = 0
    hide_title = True
    verbose_name_plural = "who works on it"

    def _may(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and may(request.user, Action.MEMBERS, obj)

    has_view_permission = has_add_permission = has_change_permission = has_delete_permission = _may

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        """Of the page's test; whether the account may see them is asked before, with the test."""
        return Member.objects.select_related("user").order_by("pk")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "user":
            kwargs["queryset"] = User.objects.filter(is_staff=True, is_active=True).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


def members_told(formset: Any) -> str:
    """What a saved formset of members changed, in words; empty where nothing."""
    told = [f"{member.user.get_username()} is {member.role}" for member in formset.new_objects]
    told += [f"{member.user.get_username()} is now {member.role}" for member, _ in formset.changed_objects]
    told += [f"{member.user.get_username()} is off it" for member in formset.deleted_objects]
    return "; ".join(told)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Kept by what happens; nobody writes or deletes in it."""

    list_display = (time_column("created_at", "when"), "shown_who", "action", "shown_test", "shown_detail")
    list_display_links = None
    list_filter = (("test", TestFilter), "action")
    search_fields = ("username", "test_slug", "detail")
    search_help_text = "Search by account, test or detail"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("created_at", "username", "action", "test_slug", "detail", "uuid")

    @admin.display(description="who")
    def shown_who(self, entry: AuditEntry) -> str:
        return entry.username or "a command"

    @admin.display(description="test")
    def shown_test(self, entry: AuditEntry) -> str:
        return entry.test_slug

    @admin.display(description="what")
    def shown_detail(self, entry: AuditEntry) -> str:
        return prose(entry.detail) if entry.detail else "-"
