"""The sittings of raters: how far each came, and how its checks went."""

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from unfold.decorators import display

from listening_tests.admin.by_role import TestFilter
from listening_tests.admin.cells import prose, time_column, unbroken
from listening_tests.admin.questionnaires import QuestionnaireInline
from listening_tests.admin.read_only import ReadOnlyAdmin, ReadOnlyInline
from listening_tests.choices import CheckOutcome, HeadphoneCheck, SessionStatus
from listening_tests.kinds import kind_of
from listening_tests.models import Assignment, Session
from listening_tests.models.sessions import HEADPHONE_TRIALS

_SHORT_STATUSES = {
    SessionStatus.ACTIVE: "active",
    SessionStatus.COMPLETE: "complete",
    SessionStatus.CUT_SHORT: "cut short",
    SessionStatus.SCREENED: "screened out",
    SessionStatus.WITHDRAWN: "withdrawn",
}


def _n_skipped() -> Coalesce:
    """How many sounds a session skipped, counted for the rows that are shown alone."""
    skipped = Assignment.objects.filter(session=OuterRef("pk"), skipped_at__isnull=False).order_by()
    counted = skipped.values("session").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


class AssignmentInline(ReadOnlyInline):
    model = Assignment
    fields = readonly_fields = (
        *("position", "shown_leased"),
        *(time_column("leased_at", "leased"), time_column("rated_at", "rated")),
        *(time_column("skipped_at", "skipped"), time_column("released_at", "released")),
    )
    ordering = ("position",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        wanted = ("pair__clip", "pair__caption", "trial__caption", "rater")
        return super().get_queryset(request).select_related(*wanted)

    @display(description="pair or trial")
    def shown_leased(self, assignment: Assignment) -> str:
        return prose(str(assignment.leased))


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = (
        *("shown_rater", "test", "shown_status", "shown_saved", "shown_skipped", "shown_check", "shown_left_right"),
        "shown_headphones",
        *(time_column("started_at", "started"), time_column("finished_at", "finished"), "shown_questionnaire"),
    )
    list_filter = (("test", TestFilter), "status", "left_right", "headphone_check", "headphones")
    ordering = ("-id",)
    sortable_by = ("started_at", "finished_at")
    fieldsets = (
        (None, {"fields": ("test", "rater", "consent", "status", "started_at", "finished_at")}),
        ("How far it came", {"fields": ("shown_saved", "shown_skipped", "time_spent", "time_needed")}),
        ("How the checks went", {"fields": ("shown_check", "left_right", "sound_set_up_at")}),
        ("Headphones", {"fields": ("headphone_check", "shown_headphones", "headphones_at")}),
        ("At the end", {"fields": ("shown_questionnaire",)}),
        ("Numbers", {"fields": ("uuid",)}),
    )
    readonly_fields = (
        *("shown_saved", "shown_skipped", "time_spent", "time_needed"),
        *("shown_check", "shown_headphones", "shown_questionnaire"),
    )
    inlines = (QuestionnaireInline, AssignmentInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        wanted = ("rater", "test", "consent__rater", "questionnaire")
        return super().get_queryset(request).select_related(*wanted).annotate(n_skipped=_n_skipped())

    @display(description="rater")
    def shown_rater(self, session: Session) -> str:
        return str(session.rater.uuid)[:8]

    @display(
        description="status",
        label={
            "active": "info",
            "complete": "success",
            "cut short": "warning",
            "screened out": "danger",
            "withdrawn": "danger",
        },
    )
    def shown_status(self, session: Session) -> str:
        return _SHORT_STATUSES[SessionStatus(session.status)]

    @display(description="saved")
    def shown_saved(self, session: Session) -> str:
        return unbroken(f"{session.saved_count} of {session.planned_count}")

    @display(description="skipped")
    def shown_skipped(self, session: Session) -> int:
        """How many sounds would not play."""
        n_skipped: int = session.n_skipped  # type: ignore[attr-defined]
        return n_skipped

    @display(description="check")
    def shown_check(self, session: Session) -> str:
        """How the comprehension check went, with the number of attempts."""
        attempts = session.check_attempts
        if session.needs_check:
            return unbroken(f"{'failed' if session.status == SessionStatus.SCREENED else 'not yet'} ({attempts})")
        return unbroken(f"passed ({attempts})") if attempts else "not asked"

    @display(description="left, right")
    def shown_left_right(self, session: Session) -> str:
        return "-" if session.left_right == CheckOutcome.UNCHECKED else session.left_right

    @display(description="headphones")
    def shown_headphones(self, session: Session) -> str:
        """How the headphone check went, with the number of trials that were right at its last attempt."""
        if session.headphone_check == HeadphoneCheck.NONE:
            return "not asked"
        if session.needs_headphone_check and not session.headphone_attempts:
            return "not yet"
        if session.headphones == CheckOutcome.UNCHECKED:
            return CheckOutcome.UNCHECKED.label.lower()
        return unbroken(f"{session.headphones} ({session.headphones_right} of {HEADPHONE_TRIALS})")

    @display(description="questions")
    def shown_questionnaire(self, session: Session) -> str:
        """What became of the questionnaire at the end."""
        if hasattr(session, "questionnaire"):
            return "answered"
        return "-" if session.questionnaire_at is None else "passed over"

    @display(description="time spent")
    def time_spent(self, session: Session) -> str:
        noun = "trials" if kind_of(session.test).leased.has_places else "pairs"
        return f"{session.elapsed_s:,.0f} s on {session.timed_count} {noun}, practice included"

    @display(description="time needed")
    def time_needed(self, session: Session) -> str:
        return f"{session.needed_s:,.0f} s at the least, to hear their clips once"
