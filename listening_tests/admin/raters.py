"""Raters, and who withdrew. What identifies a person is in one list of its own, where it can be erased."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from listening_tests.admin.by_role import TestFilter, sees_everything, shared_by
from listening_tests.admin.cells import time_column
from listening_tests.admin.read_only import ReadOnlyAdmin, ReadOnlyInlineOfTests
from listening_tests.models import Comparison, Consent, Rater, RaterIdentity, Rating, Session, Withdrawal
from listening_tests.roles import Action, visible_tests

# By what a rater belongs to a test: a consent, or an imported answer, which has none.
_OF_TESTS = tuple(shared_by(model, "rater") for model in (Consent, Rating, Comparison))


class ConsentInline(ReadOnlyInlineOfTests):
    model = Consent
    fields = readonly_fields = ("test", "version", "withdrawn_ratings", time_column("given_at", "given"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Consent]:
        return super().get_queryset(request).select_related("test", "rater")


class SessionInline(ReadOnlyInlineOfTests):
    model = Session
    fields = readonly_fields = (
        *("test", "status", "saved_count", "planned_count"),
        *(time_column("started_at", "started"), time_column("finished_at", "finished")),
    )
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return super().get_queryset(request).select_related("test", "rater")


@admin.register(Rater)
class RaterAdmin(ReadOnlyAdmin):
    joined = _OF_TESTS
    list_display = ("__str__", "source", time_column("created_at", "came"))
    list_filter = ("source",)
    ordering = ("-id",)
    fields = ("uuid", "source", "created_at")
    inlines = (SessionInline, ConsentInline)
    search_fields = ("uuid",)
    search_help_text = "Search by the rater's random number"


@admin.register(RaterIdentity)
class RaterIdentityAdmin(ReadOnlyAdmin):
    """Deleting a row erases who a rater is; the ratings stay. It is one row for all tests, so it goes only by who may
    know the rater in each of them.
    """

    joined = (shared_by(Consent, "rater__identity"),)
    seeing = deleting = Action.PAY
    list_display = ("rater", "recruiter", "claimed_id", time_column("created_at", "came"))
    list_filter = ("recruiter",)
    list_select_related = ("rater",)
    search_fields = ("claimed_id",)
    fields = ("rater", "recruiter", "claimed_id", "created_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and not sees_everything(request):
            elsewhere = obj.rater.consents.exclude(test__in=visible_tests(request.user, Action.PAY))
            if elsewhere.exists():
                return False
        return super().has_delete_permission(request, obj)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = ("rater", "test", "version", "withdrawn_ratings", time_column("given_at", "given"))
    list_filter = (("test", TestFilter), "withdrawn_ratings")
    fields = ("rater", "test", "version", "withdrawn_ratings", "given_at")
    list_select_related = ("rater", "test")
    ordering = ("-id",)


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnlyAdmin):
    """A count stays of who withdrew, and of how many ratings went with them."""

    list_display = (
        *("shown_rater", "test", "treatment", "ratings"),
        *(time_column("first_rated_at", "first rating"), time_column("created_at", "withdrew")),
    )
    list_filter = (("test", TestFilter), "treatment")
    list_select_related = ("rater", "test")
    ordering = ("-id",)
    sortable_by = ()
    fields = ("test", "rater", "treatment", "n_ratings", "first_rated_at", "created_at")

    @display(description="rater")
    def shown_rater(self, withdrawal: Withdrawal) -> str:
        return str(withdrawal.rater)

    @display(description="ratings")
    def ratings(self, withdrawal: Withdrawal) -> int:
        return withdrawal.n_ratings
