"""Clips, captions, pairs and trials: they come in by manifests, and are looked at and listened to here."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from unfold.decorators import display

from listening_tests.admin.by_role import TestFilter, shared_by
from listening_tests.admin.cells import prose, unbroken
from listening_tests.admin.read_only import ReadOnlyAdmin
from listening_tests.byte_ranges import audio_response
from listening_tests.choices import PairRole, TestStatus
from listening_tests.models import Caption, Clip, Pair, Trial, TrialPair
from listening_tests.roles import Action
from listening_tests.services.pairs import pair_delete

_ROLE_COLOURS = {PairRole.ANCHOR.label: "warning", PairRole.GOLD.label: "success", PairRole.PRACTICE.label: "info"}


def player(clip: Clip, *, width: str = "15rem") -> str:
    """What raters hear of a clip, to be played on a page of the admin."""
    if not clip.rendition:
        return "No audio: its ratings were imported without."
    address = reverse("admin:listening_tests_clip_audio", args=[clip.uuid, "rendition"])
    markup = '<audio controls preload="none" src="{}" aria-label="{}" style="height: 2rem; width: {}"></audio>'
    return format_html(markup, address, clip.name, width)


@admin.register(Clip)
class ClipAdmin(ReadOnlyAdmin):
    joined = (shared_by(Pair, "clip"),)
    list_display = ("shown_name", "player", "shown_duration", "shown_format", "shown_loudness", "shown_gain")
    list_filter = ("is_silent",)
    search_fields = ("name", "sha256")
    search_help_text = "Search by file name or sha256"
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 25
    fieldsets = (
        (None, {"fields": ("name", "wide_player", "download")}),
        (
            "Measured",
            {"fields": ("shown_duration", "shown_format", "shown_loudness", "shown_peak", "shown_gain")},
        ),
        ("Numbers", {"fields": ("sha256", "uuid", "created_at")}),
    )
    readonly_fields = (
        *("wide_player", "download"),
        *("shown_duration", "shown_format", "shown_loudness", "shown_peak", "shown_gain"),
    )

    def get_urls(self) -> list[URLPattern]:
        audio = self.admin_site.admin_view(self.audio_view)
        name = "listening_tests_clip_audio"
        return [path("audio/<uuid:clip_uuid>/<str:kind>/", audio, name=name), *super().get_urls()]

    def audio_view(self, request: HttpRequest, clip_uuid: UUID, kind: str) -> HttpResponseBase:
        """The rendition or the original of a clip, by byte ranges, so that players can seek."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in {"rendition", "original"}:
            raise Http404("There is no such sound.")
        clip = get_object_or_404(self.get_queryset(request), uuid=clip_uuid)
        etag = f'"{clip.sha256}-{kind}"'
        return audio_response(request, getattr(clip, kind), etag=etag, cache_control="private, max-age=3600")

    @display(description="name")
    def shown_name(self, clip: Clip) -> str:
        return Truncator(clip.name).chars(60)

    @display(description="what raters hear")
    def player(self, clip: Clip) -> str:
        return player(clip)

    @display(description="what raters hear")
    def wide_player(self, clip: Clip) -> str:
        return player(clip, width="24rem")

    @display(description="original")
    def download(self, clip: Clip) -> str:
        if not clip.original:
            return "-"
        address = reverse("admin:listening_tests_clip_audio", args=[clip.uuid, "original"])
        return format_html('<a href="{}" class="text-primary-600 underline">The file as it came in</a>', address)

    @display(description="duration")
    def shown_duration(self, clip: Clip) -> str:
        return "-" if clip.duration_s is None else f"{clip.duration_s:.2f} s"

    @display(description="format")
    def shown_format(self, clip: Clip) -> str:
        if clip.sample_rate_hz is None:
            return "-"
        channels = {1: "mono", 2: "stereo"}.get(clip.channels or 0, f"{clip.channels} channels")
        return f"{clip.sample_rate_hz:,} Hz, {channels}"

    @display(description="loudness")
    def shown_loudness(self, clip: Clip) -> str:
        if clip.is_silent:
            return "silent"
        return "-" if clip.loudness_lufs is None else f"{clip.loudness_lufs:.1f} LUFS"

    @display(description="true peak")
    def shown_peak(self, clip: Clip) -> str:
        return "-" if clip.true_peak_dbtp is None else f"{clip.true_peak_dbtp:.1f} dBTP"

    @display(description="gain")
    def shown_gain(self, clip: Clip) -> str:
        return "-" if clip.gain_db is None else f"{clip.gain_db:+.1f} dB"


@admin.register(Caption)
class CaptionAdmin(ReadOnlyAdmin):
    joined = (shared_by(Pair, "caption"),)
    list_display = ("shown_text", "language")
    search_fields = ("text",)
    search_help_text = "Search in the captions"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("text", "language", "uuid")

    @display(description="text")
    def shown_text(self, caption: Caption) -> str:
        return Truncator(caption.text).chars(120)


@admin.register(Pair)
class PairAdmin(ReadOnlyAdmin):
    """A pair of a draft can be taken out; later, ratings may hang on it."""

    deleting = Action.SET_UP
    list_display = ("shown_clip", "shown_caption", "player", "shown_role", "system", "shown_load", "test")
    list_filter = (("test", TestFilter), "role")
    search_fields = ("clip__name", "caption__text", "system")
    search_help_text = "Search by file name, caption or system"
    list_select_related = ("clip", "caption", "test")
    ordering = ("-id",)
    sortable_by = ()
    list_per_page = 25
    fieldsets = (
        (None, {"fields": ("test", "clip", "wide_player", "shown_whole_caption", "role")}),
        ("Where it comes from", {"fields": ("system", "source_id")}),
        ("What is expected", {"fields": ("expected_min", "expected_max")}),
        ("Ratings and open leases", {"fields": ("shown_load",)}),
        ("Numbers", {"fields": ("uuid",)}),
    )
    readonly_fields = ("wide_player", "shown_whole_caption", "shown_load")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_of_draft = obj is not None and obj.test.status == TestStatus.DRAFT
        return is_of_draft and super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: Pair) -> None:
        pair_delete(pair=obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pair]:
        return super().get_queryset(request).select_related("clip", "caption", "test")

    @display(description="rated, leased")
    def shown_load(self, pair: Pair) -> str:
        return unbroken(f"{pair.load} of {pair.test.ratings_per_pair}")

    @display(description="clip")
    def shown_clip(self, pair: Pair) -> str:
        return prose(Truncator(pair.clip.name).chars(40), width="6rem")

    @display(description="caption")
    def shown_caption(self, pair: Pair) -> str:
        return prose(Truncator(pair.caption.text).chars(80))

    @display(description="caption")
    def shown_whole_caption(self, pair: Pair) -> str:
        return pair.caption.text

    @display(description="what raters hear")
    def player(self, pair: Pair) -> str:
        return player(pair.clip, width="9rem")

    @display(description="what raters hear")
    def wide_player(self, pair: Pair) -> str:
        return player(pair.clip, width="24rem")

    @display(description="role", label=_ROLE_COLOURS)
    def shown_role(self, pair: Pair) -> str:
        return pair.get_role_display()


@admin.register(Trial)
class TrialAdmin(ReadOnlyAdmin):
    """Which pairs are judged together: nothing is edited. A trial of a draft can be taken out; an import makes it again
    where its pairs are still there.
    """

    deleting = Action.SET_UP
    list_display = ("shown_caption", "shown_role", "shown_clips", "shown_load", "test")
    list_filter = (("test", TestFilter), "role")
    search_fields = ("caption__text",)
    search_help_text = "Search in the captions"
    ordering = ("-id",)
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("test", "shown_whole_caption", "role", "members")}),
        ("Answers and open leases", {"fields": ("shown_load",)}),
        ("Numbers", {"fields": ("uuid",)}),
    )
    readonly_fields = ("shown_whole_caption", "members", "shown_load")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_of_draft = obj is not None and obj.test.status == TestStatus.DRAFT
        return is_of_draft and super().has_delete_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trial]:
        return super().get_queryset(request).select_related("caption", "test").annotate(n_clips=_n_clips())

    @display(description="caption")
    def shown_caption(self, trial: Trial) -> str:
        return prose(Truncator(trial.caption.text).chars(80))

    @display(description="caption")
    def shown_whole_caption(self, trial: Trial) -> str:
        return trial.caption.text

    @display(description="role", label=_ROLE_COLOURS)
    def shown_role(self, trial: Trial) -> str:
        return trial.get_role_display()

    @display(description="clips")
    def shown_clips(self, trial: Trial) -> int:
        n_clips: int = trial.n_clips  # type: ignore[attr-defined]
        return n_clips

    @display(description="answered, leased")
    def shown_load(self, trial: Trial) -> str:
        return unbroken(f"{trial.load} of {trial.test.ratings_per_pair}")

    @display(description="what raters hear")
    def members(self, trial: Trial) -> str:
        """Each clip with its system and its role, in no order that a rater has."""
        pairs = trial.pairs.order_by("pk").select_related("clip")
        lines = ((player(pair.clip, width="18rem"), pair.get_role_display(), pair.system or "-") for pair in pairs)
        markup = '<p style="margin-bottom: .5rem">{} <b>{}</b>, <span dir="auto">{}</span></p>'
        return format_html_join("", markup, lines) or "-"


def _n_clips() -> Subquery:
    """How many clips a trial holds, counted for the rows that are shown alone."""
    members = TrialPair.objects.filter(trial=OuterRef("pk")).order_by().values("trial")
    return Subquery(members.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
