"""What raters reported, to be read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from unfold.decorators import display

from listening_tests.admin.cells import prose, time_column
from listening_tests.admin.read_only import ReadOnlyAdmin
from listening_tests.admin.stimuli import player
from listening_tests.choices import ProblemKind
from listening_tests.models import ProblemReport

_SHORT_KINDS = {ProblemKind.LOAD: "not loaded", ProblemKind.DECODE: "not played", ProblemKind.OTHER: "other"}
_reported = time_column("created_at", "reported")


@admin.register(ProblemReport)
class ProblemReportAdmin(ReadOnlyAdmin):
    list_display = (_reported, "shown_kind", "shown_clip", "shown_text", "shown_rater", "test")
    list_display_links = (_reported,)
    list_filter = ("test", "kind")
    list_select_related = ("assignment__pair__clip", "session__rater", "test")
    search_fields = ("text", "browser", "assignment__pair__clip__name")
    search_help_text = "Search in raters' words, browsers and file names"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("test", "kind", "created_at", "text", "browser", "session", "pair", "sound", "client_uuid")
    readonly_fields = ("pair", "sound")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProblemReport]:
        wanted = ("test", "session__rater", "session__test", "assignment__pair__clip", "assignment__pair__caption")
        return super().get_queryset(request).select_related(*wanted)

    @display(description="what", label={"not loaded": "danger", "not played": "danger", "other": "info"})
    def shown_kind(self, report: ProblemReport) -> str:
        return _SHORT_KINDS[ProblemKind(report.kind)]

    @display(description="clip")
    def shown_clip(self, report: ProblemReport) -> str:
        return prose(Truncator(report.assignment.pair.clip.name).chars(40), width="6rem") if report.assignment else "-"

    @display(description="in their words")
    def shown_text(self, report: ProblemReport) -> str:
        return prose(Truncator(report.text).chars(120)) if report.text else "-"

    @display(description="rater")
    def shown_rater(self, report: ProblemReport) -> str:
        return str(report.session.rater.uuid)[:8] if report.session else "-"

    @display(description="pair")
    def pair(self, report: ProblemReport) -> str:
        return str(report.assignment.pair) if report.assignment else "-"

    @display(description="what raters hear")
    def sound(self, report: ProblemReport) -> str:
        return player(report.assignment.pair.clip, width="24rem") if report.assignment else "-"
