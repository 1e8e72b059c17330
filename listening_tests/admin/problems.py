"""What raters reported, to be read."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.text import Truncator
from unfold.decorators import display

from listening_tests.admin.by_role import HIDDEN_WORDS, TestFilter, with_words
from listening_tests.admin.cells import prose, time_column
from listening_tests.admin.read_only import ReadOnlyAdmin
from listening_tests.admin.stimuli import player
from listening_tests.choices import ProblemKind
from listening_tests.models import ProblemReport, Trial

_SHORT_KINDS = {ProblemKind.LOAD: "not loaded", ProblemKind.DECODE: "not played", ProblemKind.OTHER: "other"}
_reported = time_column("created_at", "reported")


@admin.register(ProblemReport)
class ProblemReportAdmin(ReadOnlyAdmin):
    list_display = (_reported, "shown_kind", "shown_clip", "shown_text", "shown_rater", "test")
    list_display_links = (_reported,)
    list_filter = (("test", TestFilter), "kind")
    search_fields = ("text", "browser", "pair__clip__name")
    search_help_text = "Search in raters' words, browsers and file names"
    ordering = ("-id",)
    sortable_by = ()
    fields = (
        *("test", "kind", "created_at", "shown_whole_text", "shown_browser", "session"),
        *("shown_leased", "sound", "client_uuid"),
    )
    readonly_fields = ("shown_whole_text", "shown_browser", "shown_leased", "sound")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProblemReport]:
        sitting = ("test", "session__rater", "session__test", "assignment__trial__caption")
        rows = super().get_queryset(request).select_related(*sitting, "pair__clip", "pair__caption")
        return with_words(rows, request, "test")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ProblemReport], search_term: str
    ) -> tuple[QuerySet[ProblemReport], bool]:
        """What may not be read is not searched either."""
        rows, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        return (rows.filter(may_read_words=True) if search_term else rows), may_have_duplicates

    @display(description="what", label={"not loaded": "danger", "not played": "danger", "other": "info"})
    def shown_kind(self, report: ProblemReport) -> str:
        return _SHORT_KINDS[ProblemKind(report.kind)]

    @display(description="clip")
    def shown_clip(self, report: ProblemReport) -> str:
        if report.pair is not None:
            return prose(Truncator(report.pair.clip.name).chars(40), width="6rem")
        trial = _trial_of(report)
        return prose(f"one of: {Truncator(str(trial)).chars(40)}", width="6rem") if trial else "-"

    @display(description="in their words")
    def shown_text(self, report: ProblemReport) -> str:
        return _words(report, Truncator(report.text).chars(120))

    @display(description="in their words")
    def shown_whole_text(self, report: ProblemReport) -> str:
        return _words(report, report.text)

    @display(description="browser")
    def shown_browser(self, report: ProblemReport) -> str:
        return _words(report, report.browser)

    @display(description="rater")
    def shown_rater(self, report: ProblemReport) -> str:
        return str(report.session.rater.uuid)[:8] if report.session else "-"

    @display(description="pair or trial")
    def shown_leased(self, report: ProblemReport) -> str:
        return str(report.pair or _trial_of(report) or "-")

    @display(description="what raters hear")
    def sound(self, report: ProblemReport) -> str:
        """The clip that it is about; all of the trial where nobody knows which."""
        pairs = [report.pair] if report.pair else report.assignment.pairs if report.assignment else []
        return format_html_join("", "{}", ((player(pair.clip, width="24rem"),) for pair in pairs)) or "-"


def _words(report: ProblemReport, text: str) -> str:
    if not text:
        return "-"
    return prose(text) if report.may_read_words else HIDDEN_WORDS  # type: ignore[attr-defined]


def _trial_of(report: ProblemReport) -> Trial | None:
    return report.assignment.trial if report.assignment else None
