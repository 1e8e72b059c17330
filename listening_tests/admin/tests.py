"""Listening tests: made and edited here, opened, paused and closed by their services, filled from manifests."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, TextField
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from listening_tests.admin.cells import time_column
from listening_tests.choices import TestStatus
from listening_tests.exceptions import Refused
from listening_tests.forms import (
    CheckQuestionForm,
    ListeningTestForm,
    QuestionForm,
    SurveyQuestionForm,
    SurveyQuestionFormSet,
    UploadForm,
)
from listening_tests.models import CheckQuestion, ListeningTest, Pair, Question, SurveyQuestion
from listening_tests.services.archives import HIGHEST_RATIO, LARGEST_ARCHIVE_BYTES, MOST_FILES
from listening_tests.services.manifest_rows import ManifestRefused
from listening_tests.services.test_status import (
    NotReady,
    test_close,
    test_open,
    test_pause,
    test_shortcomings,
)
from listening_tests.services.uploads import upload_import

MOST_PROBLEMS_SHOWN = 1_000
_CHANGES: dict[str, tuple[Callable[..., ListeningTest], str]] = {
    "open": (test_open, "is open. Raters can come."),
    "pause": (test_pause, "is paused. What raters send is still stored."),
    "close": (test_close, "is closed for good."),
}


class QuestionInline(StackedInline):
    model = Question
    form = QuestionForm
    min_num = max_num = 1
    extra = 0
    can_delete = False
    fields = ("prompt", "name", ("scale_min", "scale_max", "scale_step"), ("min_label", "max_label"))


class CheckQuestionInline(StackedInline):
    """A new test asks the usual one unless somebody takes it out; editing a test adds none."""

    model = CheckQuestion
    form = CheckQuestionForm
    verbose_name_plural = "comprehension check (two attempts)"
    template_before = "admin/listening_tests/listeningtest/check_help.html"
    fields = ("prompt", "right_answer", "wrong_answer", "other_wrong_answer")

    def get_extra(self, request: HttpRequest, obj: ListeningTest | None = None, **kwargs: Any) -> int:
        return 1 if obj is None else 0


class SurveyQuestionInline(StackedInline):
    model = SurveyQuestion
    form = SurveyQuestionForm
    formset = SurveyQuestionFormSet
    verbose_name_plural = "own questions at the end"
    template_before = "admin/listening_tests/listeningtest/survey_help.html"
    extra = 0
    fields = ("prompt", "choices")
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})}}


@admin.register(ListeningTest)
class ListeningTestAdmin(ModelAdmin):
    form = ListeningTestForm
    list_display = (
        *("title", "shown_status", "raters_address", "shown_pairs", "ratings_per_pair"),
        time_column("opened_at", "opened"),
    )
    list_filter = ("status", "is_simulated")
    list_filter_submit = False
    search_fields = ("title", "slug")
    show_full_result_count = False
    actions = None
    warn_unsaved_form = True
    prepopulated_fields = {"slug": ("title",)}
    inlines = (QuestionInline, CheckQuestionInline, SurveyQuestionInline)
    formfield_overrides = {TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 4})}}
    change_form_outer_before_template = "admin/listening_tests/listeningtest/status_panel.html"
    fieldsets = (
        ("What raters see", {"fields": ("title", "slug", "instructions", "contact_email")}),
        ("Consent", {"fields": ("consent_text", "withdrawn_ratings", "consent_version")}),
        ("How pairs are given out", {"fields": ("ratings_per_pair", "pairs_per_session", "lease_minutes")}),
        ("During a sitting", {"fields": ("break_after_minutes",)}),
        ("At the end", {"fields": ("completion_code",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ListeningTest]:
        pairs = Pair.objects.filter(test=OuterRef("pk")).order_by().values("test").annotate(n=Count("pk")).values("n")
        return (
            super().get_queryset(request).annotate(pair_count=Coalesce(Subquery(pairs, output_field=IntegerField()), 0))
        )

    def has_delete_permission(self, request: HttpRequest, obj: ListeningTest | None = None) -> bool:
        """Only a draft that no rater has seen can go."""
        is_unused = obj is None or (obj.status == TestStatus.DRAFT and not obj.sessions.exists())
        return is_unused and super().has_delete_permission(request, obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        # Who may not edit questions can still make a test: it asks the usual one.
        if not form.instance.questions.exists():
            Question.objects.create(test=form.instance)

    def get_urls(self) -> list[URLPattern]:
        change_status = self.admin_site.admin_view(self.status_view)
        upload = self.admin_site.admin_view(self.upload_view)
        return [
            path("<int:pk>/status/<str:change>/", change_status, name="listening_tests_listeningtest_status"),
            path("<int:pk>/upload/", upload, name="listening_tests_listeningtest_upload"),
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
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def status_view(self, request: HttpRequest, pk: int, change: str) -> HttpResponse:
        """Opens, pauses or closes: by POST alone, and only by who may change the test."""
        test = self._test_to_change(request, pk)
        if request.method != "POST" or change not in _CHANGES:
            return HttpResponseNotAllowed(["POST"])
        service, told = _CHANGES[change]
        options = {"force": request.POST.get("force") == "1"} if change == "open" else {}
        try:
            service(test=test, **options)
        except NotReady as not_ready:
            for found in not_ready.shortcomings:
                messages.warning(request, f"{test} was not opened. {found.sentence}")
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            self.log_change(request, test, f"{test} {told}")
            messages.success(request, f"{test} {told}")
        return HttpResponseRedirect(_page_of(test))

    def upload_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        test = self._test_to_change(request, pk)
        form = UploadForm(request.POST or None, request.FILES or None)
        refused: Refused | None = None
        if request.method == "POST" and form.is_valid():
            try:
                summary = upload_import(slug=test.slug, **form.cleaned_data)
            except Refused as refusal:
                refused = refusal
            else:
                self.log_change(request, test, str(summary))
                messages.success(request, str(summary))
                return HttpResponseRedirect(_page_of(test))
        return self._upload_page(request, test, form, refused)

    def _upload_page(
        self, request: HttpRequest, test: ListeningTest, form: UploadForm, refused: Refused | None
    ) -> HttpResponse:
        problems = refused.problems if isinstance(refused, ManifestRefused) else []
        context = (
            self.admin_site.each_context(request)
            | {
                "title": f"Upload clips to {test}",
                "opts": self.opts,
                "original": test,  # What the theme's breadcrumb names.
                "form": form,
                "refused": refused.headline if isinstance(refused, ManifestRefused) else refused,
                "problem_table": {
                    "headers": ["Line", "What is wrong"],
                    "rows": [[problem.line, problem.reason] for problem in problems[:MOST_PROBLEMS_SHOWN]],
                },
                "problems_left_out": max(0, len(problems) - MOST_PROBLEMS_SHOWN),
                "most_files": MOST_FILES,
                "largest_megabytes": LARGEST_ARCHIVE_BYTES // 1024**2,
                "highest_ratio": HIGHEST_RATIO,
                "back": _page_of(test),
            }
        )
        template = "admin/listening_tests/listeningtest/upload.html"
        status = 422 if refused or form.errors else 200
        return TemplateResponse(request, template, context, status=status)

    def _test_to_change(self, request: HttpRequest, pk: int) -> ListeningTest:
        test = get_object_or_404(ListeningTest, pk=pk)
        if not self.has_change_permission(request, test):
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
