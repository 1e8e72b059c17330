"""Listening tests: made and edited here, opened, paused and closed by their services, filled from manifests."""

import json
from collections.abc import Callable, Sequence
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from listening_tests.admin.by_role import ByRole, forget_actions
from listening_tests.admin.cells import time_column
from listening_tests.admin.members import MemberInline, members_told
from listening_tests.admin.recruitment import RECRUITMENT, RecruitmentAdmin
from listening_tests.choices import AuditedAction, Role, TestKind, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.forms import (
    CheckQuestionForm,
    ListeningTestForm,
    SurveyQuestionForm,
    SurveyQuestionFormSet,
)
from listening_tests.models import CheckQuestion, ListeningTest, Member, Pair, Question, SurveyQuestion
from listening_tests.question_forms import QuestionForm, QuestionFormSet
from listening_tests.roles import Action, may
from listening_tests.services.audit import audit_note
from listening_tests.services.members import member_put
from listening_tests.services.questions import questions_create
from listening_tests.services.test_status import (
    NotReady,
    test_close,
    test_open,
    test_pause,
    test_shortcomings,
)

# More than a rater would answer about one sound.
MOST_QUESTIONS = 10
_CHANGES: dict[str, tuple[Callable[..., ListeningTest], str, AuditedAction]] = {
    "open": (test_open, "is open. Raters can come.", AuditedAction.OPENED),
    "pause": (test_pause, "is paused. What raters send is still stored.", AuditedAction.PAUSED),
    "close": (test_close, "is closed for good.", AuditedAction.CLOSED),
}
_SHORT_KINDS = {
    TestKind.RATING: "rating",
    TestKind.COMPARISON: "comparison",
    TestKind.SIDE_BY_SIDE: "side by side",
}


class SetUpInline:
    """Mixed into what belongs to a test's set-up: seen with the test, changed by who may set it up."""

    def has_view_permission(self, request: HttpRequest, obj: ListeningTest | None = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: ListeningTest | None = None) -> bool:
        return obj is None or obj.pk is None or may(request.user, Action.SET_UP, obj)

    has_add_permission = has_delete_permission = has_change_permission


class QuestionInline(SetUpInline, StackedInline):
    """What raters are asked about each pair or trial; in a comparison without a scale."""

    model = Question
    form = QuestionForm
    formset = QuestionFormSet
    verbose_name_plural = "questions to raters"
    template_before = "admin/listening_tests/listeningtest/question_help.html"
    min_num = 1
    max_num = MOST_QUESTIONS
    extra = 0
    ordering = ("pk",)

    def get_fields(self, request: HttpRequest, obj: ListeningTest | None = None) -> Sequence[str | tuple[str, ...]]:
        asked = ("start_from", "prompt", "name")
        if obj is not None and obj.kind == TestKind.COMPARISON:
            return asked
        return (*asked, ("scale_min", "scale_max"), "scale_step", ("min_label", "max_label"), "labels_between")


class CheckQuestionInline(SetUpInline, StackedInline):
    """A new test asks the usual one unless somebody takes it out; editing a test adds none."""

    model = CheckQuestion
    form = CheckQuestionForm
    verbose_name_plural = "comprehension check (two attempts)"
    template_before = "admin/listening_tests/listeningtest/check_help.html"
    fields = ("prompt", "right_answer", "wrong_answer", "other_wrong_answer")

    def get_extra(self, request: HttpRequest, obj: ListeningTest | None = None, **kwargs: Any) -> int:
        return 1 if obj is None else 0


class SurveyQuestionInline(SetUpInline, StackedInline):
    model = SurveyQuestion
    form = SurveyQuestionForm
    formset = SurveyQuestionFormSet
    verbose_name_plural = "own questions at the end"
    template_before = "admin/listening_tests/listeningtest/survey_help.html"
    extra = 0
    fields = ("prompt", "choices")
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})}}


@admin.register(ListeningTest)
class ListeningTestAdmin(RecruitmentAdmin, ByRole, ModelAdmin):
    """Whoever makes a test is its owner."""

    test_path = ""
    changing = Action.SET_UP
    deleting = Action.MEMBERS
    form = ListeningTestForm
    list_display = (
        *("title", "shown_kind", "shown_status", "raters_address", "shown_pairs", "ratings_per_pair"),
        time_column("opened_at", "opened"),
    )
    list_filter = ("status", "kind", "is_simulated")
    list_filter_submit = False
    search_fields = ("title", "slug")
    show_full_result_count = False
    actions = None
    warn_unsaved_form = True
    prepopulated_fields = {"slug": ("title",)}
    inlines = (QuestionInline, CheckQuestionInline, SurveyQuestionInline, MemberInline)
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})}}
    change_form_outer_before_template = "admin/listening_tests/listeningtest/status_panel.html"
    fieldsets = (
        ("What raters see", {"fields": ("title", "slug", "kind", "instructions", "contact_email")}),
        ("Consent", {"fields": ("consent_text", "withdrawn_ratings", "consent_version")}),
        (
            "How pairs are given out",
            {"fields": ("ratings_per_pair", "pairs_per_session", "repeats_per_session", "lease_minutes")},
        ),
        ("Headphones", {"fields": ("headphone_check", "headphones_required")}),
        ("During a sitting", {"fields": ("break_after_minutes",)}),
        RECRUITMENT,
        ("By itself, on a date (UTC)", {"fields": ("opens_at", "opens_forced", "closes_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ListeningTest]:
        pairs = Pair.objects.filter(test=OuterRef("pk")).order_by().values("test").annotate(n=Count("pk")).values("n")
        return (
            super().get_queryset(request).annotate(pair_count=Coalesce(Subquery(pairs, output_field=IntegerField()), 0))
        )

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return request.user.is_active and request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: ListeningTest | None = None) -> bool:
        """Who works on none yet sees an empty list, from which to make one."""
        return self.has_add_permission(request) if obj is None else super().has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ListeningTest | None = None) -> bool:
        """Only a draft that no rater has seen can go, once its pilots are gone."""
        is_unused = obj is None or (
            obj.status == TestStatus.DRAFT and not obj.sessions.exists() and not obj.pilots.exists()
        )
        return is_unused and super().has_delete_permission(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # Who may not edit questions can still make a test: it asks the usual one.
        if not form.instance.questions.exists():
            questions_create(test=form.instance)
        if not change:
            member_put(test=form.instance, user=cast(AbstractBaseUser, request.user), role=Role.OWNER)
            forget_actions(request)
            audit_note(user=request.user, test=form.instance, action=AuditedAction.CREATED)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.model is Member and (told := members_told(formset)):
            audit_note(user=request.user, test=form.instance, action=AuditedAction.MEMBERS, detail=told)

    def log_change(self, request: HttpRequest, obj: ListeningTest, message: Any) -> Any:
        if isinstance(message, list) and message:
            told = LogEntry(change_message=json.dumps(message)).get_change_message()
            audit_note(user=request.user, test=obj, action=AuditedAction.CHANGED, detail=told)
        return super().log_change(request, obj, message)

    def get_urls(self) -> list[URLPattern]:
        change_status = self.admin_site.admin_view(self.status_view)
        return [
            path("<int:pk>/status/<str:change>/", change_status, name="listening_tests_listeningtest_status"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        test = self.get_object(request, object_id)
        shortcomings = test_shortcomings(test=test) if test else []
        context = {
            "shortcomings": shortcomings,
            "cannot_open": any(found.essential for found in shortcomings),
            "may_change": self.has_change_permission(request, test),
            "may_launch": test is not None and may(request.user, Action.LAUNCH, test),
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def status_view(self, request: HttpRequest, pk: int, change: str) -> HttpResponse:
        """Opens, pauses or closes: by POST alone, and only by who may launch the test."""
        test = self._test_to_change(request, pk, Action.LAUNCH)
        if request.method != "POST" or change not in _CHANGES:
            return HttpResponseNotAllowed(["POST"])
        service, told, audited = _CHANGES[change]
        before = test.status
        options = {"force": request.POST.get("force") == "1"} if change == "open" else {}
        try:
            test = service(test=test, **options)
        except NotReady as not_ready:
            for found in not_ready.shortcomings:
                messages.warning(request, f"{test} was not opened. {found.sentence}")
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            self.log_change(request, test, f"{test} {told}")
            if test.status != before:
                audit_note(user=request.user, test=test, action=audited)
            messages.success(request, f"{test} {told}")
        return HttpResponseRedirect(_page_of(test))

    def _test_to_change(self, request: HttpRequest, pk: int, action: Action = Action.SET_UP) -> ListeningTest:
        test = get_object_or_404(self.get_queryset(request), pk=pk)
        if not may(request.user, action, test):
            raise PermissionDenied
        return test

    @display(
        description="status",
        label={
            TestStatus.DRAFT.label: "info",
            TestStatus.OPEN.label: "success",
            TestStatus.PAUSED.label: "warning",
            TestStatus.CLOSED.label: "danger",
        },
    )
    def shown_status(self, test: ListeningTest) -> str:
        return test.get_status_display()

    @display(description="kind")
    def shown_kind(self, test: ListeningTest) -> str:
        return _SHORT_KINDS[TestKind(test.kind)]

    @display(description="raters go to")
    def raters_address(self, test: ListeningTest) -> str:
        address = reverse("listening_tests:welcome", args=[test.slug])
        if test.status == TestStatus.DRAFT:
            return address
        return format_html('<a href="{}" class="text-primary-600 underline">{}</a>', address, address)

    @display(description="pairs")
    def shown_pairs(self, test: ListeningTest) -> str:
        simulated = " (simulated)" if test.is_simulated else ""
        return f"{test.pair_count:,}{simulated}"  # type: ignore[attr-defined]


def _page_of(test: ListeningTest) -> str:
    return reverse("admin:listening_tests_listeningtest_change", args=[test.pk])
