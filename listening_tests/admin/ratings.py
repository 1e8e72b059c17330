"""Ratings as they came in, and what analyses leave out of them."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from listening_tests.admin.cells import prose, time_column, unbroken
from listening_tests.admin.read_only import ReadOnlyAdmin
from listening_tests.models import Exclusion, Rating

_submitted = time_column("submitted_at", "submitted")


@admin.register(Rating)
class RatingAdmin(ReadOnlyAdmin):
    """There may be millions: pages are found without counting them all."""

    paginator = InfinitePaginator
    list_display = (_submitted, "shown_score", "clip", "caption", "role", "shown_rater", "heard", "flags", "test")
    list_display_links = (_submitted,)
    list_filter = ("test", "source", "late", "too_soon")
    list_select_related = ("pair__clip", "pair__caption", "rater", "test")
    ordering = ("-id",)
    sortable_by = ()
    # Of the change page; every one is shown, none can be edited.
    fieldsets = (
        (None, {"fields": ("test", "question", "score", ("scale_min", "scale_max"), "pair", "role")}),
        ("Who and when", {"fields": ("rater", "source", "shown_at", "submitted_at", "late", "too_soon")}),
        ("How it was heard", {"fields": ("plays", "heard_s")}),
        ("Numbers", {"fields": ("uuid", "client_uuid", "assignment")}),
    )
    readonly_fields = ("role",)

    @display(description="heard")
    def heard(self, rating: Rating) -> str:
        if rating.heard_s is None:
            return "-"
        return unbroken(f"{rating.heard_s:.1f} s, {rating.plays}x")

    @display(description="flags", label=True)
    def flags(self, rating: Rating) -> list[str]:
        """Late: after its lease had ended. Too soon: sooner than the clip could have been heard."""
        return [word for word, is_set in (("late", rating.late), ("too soon", rating.too_soon)) if is_set]

    @display(description="score")
    def shown_score(self, rating: Rating) -> str:
        return unbroken(f"{rating.score:g} of {rating.scale_max:g}")

    @display(description="clip")
    def clip(self, rating: Rating) -> str:
        return prose(Truncator(rating.pair.clip.name).chars(40), width="6rem")

    @display(description="caption")
    def caption(self, rating: Rating) -> str:
        return prose(Truncator(rating.pair.caption.text).chars(60), width="10rem")

    @display(description="role")
    def role(self, rating: Rating) -> str:
        return rating.pair.get_role_display()

    @display(description="rater")
    def shown_rater(self, rating: Rating) -> str:
        return str(rating.rater.uuid)[:8]


_EXCLUSION_HINTS = {
    "rating": "Its number. Choose it by the magnifying glass, which opens the list of ratings.",
    "rule": "A short name for the reason, the same for all ratings that it leaves out, such as by-hand or noise.",
    "version": "1, or one more each time that the rule is changed.",
    "reason": "What was wrong with this rating, in a sentence.",
}


@admin.register(Exclusion)
class ExclusionAdmin(ModelAdmin):
    """A rating is left out by adding a row, and taken in again by deleting it; a row never changes."""

    list_display = ("rule", "version", "reason", "shown_rating", time_column("created_at", "added"))
    list_filter = ("rule",)
    list_select_related = ("rating__rater",)
    list_per_page = 50
    show_full_result_count = False
    raw_id_fields = ("rating",)
    fields = ("rating", "rule", "version", "reason")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in _EXCLUSION_HINTS:
            kwargs["help_text"] = _EXCLUSION_HINTS[db_field.name]
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exclusion]:
        return super().get_queryset(request).select_related("rating__rater")

    @display(description="rating")
    def shown_rating(self, exclusion: Exclusion) -> str:
        return str(exclusion.rating)
