"""Ratings as they came in, and what analyses leave out of them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from listening_tests.admin.read_only import ReadOnlyAdmin
from listening_tests.models import Exclusion, Rating


@admin.register(Rating)
class RatingAdmin(ReadOnlyAdmin):
    """There may be millions: pages are found without counting them all."""

    paginator = InfinitePaginator
    list_display = ("shown_time", "shown_score", "clip", "caption", "role", "shown_rater", "heard", "test")
    list_display_links = ("shown_time",)
    list_filter = ("test", "source", "late")
    list_select_related = ("pair__clip", "pair__caption", "rater", "test")
    ordering = ("-id",)
    sortable_by = ()
    # Of the change page; every one is shown, none can be edited.
    fieldsets = (
        (None, {"fields": ("test", "question", "score", ("scale_min", "scale_max"), "pair", "role")}),
        ("Who and when", {"fields": ("rater", "source", "shown_at", "submitted_at", "late")}),
        ("How it was heard", {"fields": ("plays", "heard_s")}),
        ("Numbers", {"fields": ("uuid", "client_uuid", "assignment")}),
    )
    readonly_fields = ("role",)

    @display(description="submitted (UTC)")
    def shown_time(self, rating: Rating) -> str:
        return rating.submitted_at.strftime("%Y-%m-%d\u00a0%H:%M")

    @display(description="heard")
    def heard(self, rating: Rating) -> str:
        if rating.heard_s is None:
            return "-"
        return f"{rating.heard_s:.1f} s, {rating.plays}x"

    @display(description="score")
    def shown_score(self, rating: Rating) -> str:
        return f"{rating.score:g} of {rating.scale_max:g}"

    @display(description="clip")
    def clip(self, rating: Rating) -> str:
        return rating.pair.clip.name

    @display(description="caption")
    def caption(self, rating: Rating) -> str:
        return Truncator(rating.pair.caption.text).chars(60)

    @display(description="role")
    def role(self, rating: Rating) -> str:
        return rating.pair.get_role_display()

    @display(description="rater")
    def shown_rater(self, rating: Rating) -> str:
        return str(rating.rater.uuid)[:8]


@admin.register(Exclusion)
class ExclusionAdmin(ModelAdmin):
    """A rating is left out by adding a row, and taken in again by deleting it; a row never changes."""

    list_display = ("rule", "version", "reason", "shown_rating", "created_at")
    list_filter = ("rule",)
    list_select_related = ("rating__rater",)
    list_per_page = 50
    show_full_result_count = False
    raw_id_fields = ("rating",)
    fields = ("rating", "rule", "version", "reason")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exclusion]:
        return super().get_queryset(request).select_related("rating__rater")

    @display(description="rating")
    def shown_rating(self, exclusion: Exclusion) -> str:
        return str(exclusion.rating)
