"""Clips, captions and pairs: they come in by manifests, and are looked at and listened to here."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from unfold.decorators import display

from listening_tests.admin.cells import prose, unbroken
from listening_tests.admin.read_only import ReadOnlyAdmin
from listening_tests.byte_ranges import audio_response
from listening_tests.choices import PairRole, TestStatus
from listening_tests.models import Caption, Clip, Pair


def player(clip: Clip, *, width: str = "15rem") -> str:
    """What raters hear of a clip, to be played on a page of the admin."""
    if not clip.rendition:
        return "No audio: its ratings were imported without."
    address = reverse("admin:listening_tests_clip_audio", args=[clip.uuid, "rendition"])
    markup = '<audio controls preload="none" src="{}" aria-label="{}" style="height: 2rem; width: {}"></audio>'
    return format_html(markup, address, clip.name, width)


@admin.register(Clip)
class ClipAdmin(ReadOnlyAdmin):
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
        clip = get_object_or_404(Clip, uuid=clip_uuid)
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

    list_display = ("shown_clip", "shown_caption", "player", "shown_role", "system", "shown_load", "test")
    list_filter = ("test", "role")
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
        may_delete = super(ReadOnlyAdmin, self).has_delete_permission(request, obj)
        return may_delete and obj is not None and obj.test.status == TestStatus.DRAFT

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

    @display(
        description="role",
        label={PairRole.ANCHOR.label: "warning", PairRole.GOLD.label: "success", PairRole.PRACTICE.label: "info"},
    )
    def shown_role(self, pair: Pair) -> str:
        return pair.get_role_display()
