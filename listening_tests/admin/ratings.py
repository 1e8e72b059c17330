"""Answers as they came in, ratings and comparisons, and what analyses leave out of them."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseNotAllowed, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.text import Truncator
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from listening_tests.admin.by_role import ByRole, TestFilter, actions_of_request, sees_everything
from listening_tests.admin.cells import prose, time_column, unbroken
from listening_tests.admin.read_only import ReadOnlyAdmin
from listening_tests.answer_downloads import answers_response
from listening_tests.choices import AuditedAction, Choice
from listening_tests.forms import ExclusionForm
from listening_tests.models import Comparison, Exclusion, ListeningTest, Pair, Question, Rating
from listening_tests.roles import Action, visible_tests
from listening_tests.services.audit import audit_note
from listening_tests.services.exports import FORMATS

_submitted = time_column("submitted_at", "submitted")
_PLACES = (("first", "shown_first"), ("second", "shown_second"))


class QuestionFilter(admin.SimpleListFilter):
    """By the names of questions, which tests share."""

    title = "question"
    parameter_name = "question"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = Question.objects.filter(test__in=visible_tests(request.user))
        names = asked.order_by("name").values_list("name", flat=True).distinct()
        return [(name, name) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(question__name=self.value()) if self.value() else queryset


class AnswerAdmin(ReadOnlyAdmin):
    """There may be millions: pages are found without counting them all."""

    paginator = InfinitePaginator
    list_before_template = "admin/listening_tests/answers_export.html"
    list_display_links = (_submitted,)
    list_filter = (("test", TestFilter), QuestionFilter, "source", "late", "too_soon")
    ordering = ("-id",)
    sortable_by = ()

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        name = f"listening_tests_{self.opts.model_name}_export"
        return [path("export/<str:file_format>/", export, name=name), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        links = {}
        if Action.EXPORT in actions_of_request(request):
            filters = request.GET.urlencode()
            for file_format in FORMATS:
                address = reverse(f"admin:listening_tests_{self.opts.model_name}_export", args=[file_format])
                links[file_format] = f"{address}?{filters}" if filters else address
        return super().changelist_view(request, {"export_links": links} | (extra_context or {}))

    def export_view(self, request: HttpRequest, file_format: str) -> HttpResponseBase:
        """What the list shows by its filters, of tests that the account may export, as one file."""
        if request.method != "GET" or file_format not in FORMATS:
            return HttpResponseNotAllowed(["GET"]) if request.method != "GET" else HttpResponseNotFound()
        if Action.EXPORT not in actions_of_request(request):
            raise PermissionDenied
        try:
            shown = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseNotFound("There is no such filter.")
        answers = self.model._default_manager.filter(pk__in=shown.order_by().values("pk"))
        answers = answers.filter(test__in=visible_tests(request.user, Action.EXPORT).order_by().values("pk"))
        for test in ListeningTest.objects.filter(pk__in=answers.order_by().values("test")):
            detail = f"As {file_format}, from the admin's list: {request.GET.urlencode() or 'all'}"
            audit_note(user=request.user, test=test, action=AuditedAction.EXPORTED, detail=detail)
        return answers_response(answers=answers, file_format=file_format, name=f"{self.opts.model_name}s")

    @display(description="flags", label=True)
    def flags(self, answer: Rating | Comparison) -> list[str]:
        """Late: after its lease had ended. Too soon: sooner than the clips could have been heard."""
        return [word for word, is_set in (("late", answer.late), ("too soon", answer.too_soon)) if is_set]

    @display(description="question")
    def shown_question(self, answer: Rating | Comparison) -> str:
        return unbroken(answer.question.name)

    @display(description="rater")
    def shown_rater(self, answer: Rating | Comparison) -> str:
        return str(answer.rater.uuid)[:8]


@admin.register(Rating)
class RatingAdmin(AnswerAdmin):
    list_display = (
        *(_submitted, "shown_score", "shown_question", "clip", "caption", "role_and_place"),
        *("shown_rater", "heard", "flags", "test"),
    )
    list_select_related = ("pair__clip", "pair__caption", "rater", "test", "question")
    # Of the change page; every one is shown, none can be edited.
    fieldsets = (
        (
            None,
            {"fields": ("test", "question", "score", ("scale_min", "scale_max", "scale_step"), "pair", "role")},
        ),
        ("Beside others", {"fields": ("trial", "place")}),
        ("Who and when", {"fields": ("rater", "source", "shown_at", "submitted_at", "late", "too_soon")}),
        ("How it was heard", {"fields": ("plays", "heard_s")}),
        ("Numbers", {"fields": ("uuid", "client_uuid", "assignment")}),
    )
    readonly_fields = ("role",)

    @display(description="heard")
    def heard(self, rating: Rating) -> str:
        return _heard(rating.heard_s, rating.plays)

    @display(description="score")
    def shown_score(self, rating: Rating) -> str:
        return unbroken(f"{round(rating.score, 2):g} of {rating.scale_max:g}")

    @display(description="clip")
    def clip(self, rating: Rating) -> str:
        return prose(Truncator(rating.pair.clip.name).chars(40), width="6rem")

    @display(description="caption")
    def caption(self, rating: Rating) -> str:
        return prose(Truncator(rating.pair.caption.text).chars(60), width="10rem")

    @display(description="role")
    def role(self, rating: Rating) -> str:
        return rating.pair.get_role_display()

    @display(description="role, place")
    def role_and_place(self, rating: Rating) -> str:
        """And where the clip stood, where others stood beside it."""
        role = rating.pair.get_role_display()
        return unbroken(role if rating.place is None else f"{role}, {rating.place}")


@admin.register(Comparison)
class ComparisonAdmin(AnswerAdmin):
    list_display = (
        *(_submitted, "preferred", "place", "shown_question", "shown_first", "shown_second", "caption"),
        *("shown_rater", "heard", "flags", "test"),
    )
    list_select_related = ("first__clip", "first__caption", "second__clip", "rater", "test", "question")
    fieldsets = (
        (None, {"fields": ("test", "question", "choice", "preferred", "trial", *_PLACES)}),
        ("Who and when", {"fields": ("rater", "source", "shown_at", "submitted_at", "late", "too_soon")}),
        (
            "How they were heard",
            {"fields": (("first_plays", "first_heard_s"), ("second_plays", "second_heard_s"))},
        ),
        ("Numbers", {"fields": ("uuid", "client_uuid", "assignment")}),
    )
    readonly_fields = ("preferred", "shown_first", "shown_second")

    @display(description="preferred")
    def preferred(self, comparison: Comparison) -> str:
        """The system whose clip was chosen, whichever place it stood at."""
        if comparison.choice == Choice.NONE:
            return "neither"
        chosen = comparison.first if comparison.choice == Choice.FIRST else comparison.second
        return _system(chosen)

    @display(description="place")
    def place(self, comparison: Comparison) -> str:
        return unbroken(comparison.get_choice_display())

    @display(description="A")
    def shown_first(self, comparison: Comparison) -> str:
        return _system(comparison.first)

    @display(description="B")
    def shown_second(self, comparison: Comparison) -> str:
        return _system(comparison.second)

    @display(description="caption")
    def caption(self, comparison: Comparison) -> str:
        return prose(Truncator(comparison.first.caption.text).chars(60), width="10rem")

    @display(description="heard A, B")
    def heard(self, comparison: Comparison) -> str:
        first = _heard(comparison.first_heard_s, comparison.first_plays)
        second = _heard(comparison.second_heard_s, comparison.second_plays)
        return first if first == second == "-" else f"{first}; {second}"


def _heard(seconds: float | None, plays: int | None) -> str:
    return "-" if seconds is None else unbroken(f"{seconds:.1f} s, {plays}x")


def _system(pair: Pair) -> str:
    """The system that made the clip, or the clip's name where the manifest named none."""
    return prose(Truncator(pair.system or pair.clip.name).chars(40), width="6rem")


_EXCLUSION_HINTS = {
    "rating": "Its number. Choose it by the magnifying glass, which opens the list of ratings.",
    "comparison": "Its number, chosen in the same way; either a rating or a comparison is left out.",
    "rule": "A short name for the reason, the same for all ratings that it leaves out, such as by-hand or noise.",
    "version": "1, or one more each time that the rule is changed.",
    "reason": "What was wrong with this answer, in a sentence.",
}


@admin.register(Exclusion)
class ExclusionAdmin(ByRole, ModelAdmin):
    """An answer is left out by adding a row, and taken in again by deleting it; a row never changes."""

    adding = deleting = Action.SCREEN

    form = ExclusionForm
    list_display = ("rule", "version", "reason", "shown_answer", time_column("created_at", "added"))
    list_filter = ("rule",)
    list_per_page = 50
    show_full_result_count = False
    raw_id_fields = ("rating", "comparison")
    fields = ("rating", "comparison", "rule", "version", "reason")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in _EXCLUSION_HINTS:
            kwargs["help_text"] = _EXCLUSION_HINTS[db_field.name]
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """What is left out is an answer of a test that the account screens."""
        if db_field.name in {"rating", "comparison"} and not sees_everything(request):
            answers = db_field.related_model.objects
            kwargs["queryset"] = answers.filter(test__in=visible_tests(request.user, Action.SCREEN))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def rows_of(self, request: HttpRequest, rows: QuerySet[Any], action: Action) -> QuerySet[Any]:
        if sees_everything(request):
            return rows
        tests = self.tests_of(request, action)
        return rows.filter(Q(rating__test__in=tests) | Q(comparison__test__in=tests))

    def _test_of(self, obj: Any) -> ListeningTest:
        test: ListeningTest = (obj.rating or obj.comparison).test
        return test

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exclusion]:
        return super().get_queryset(request).select_related("rating__rater", "comparison__rater")

    @display(description="answer")
    def shown_answer(self, exclusion: Exclusion) -> str:
        return str(exclusion.rating or exclusion.comparison)
