"""What raters answered at the end of their sittings, to be read."""

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.decorators import display

from listening_tests.admin.by_role import HIDDEN_WORDS, TestFilter, with_words
from listening_tests.admin.cells import prose, time_column
from listening_tests.admin.read_only import ReadOnlyAdmin, ReadOnlyInline
from listening_tests.models import Questionnaire, SurveyAnswer

_answered = time_column("created_at", "answered")


def with_own_answers(rows: QuerySet[Questionnaire], request: HttpRequest) -> QuerySet[Questionnaire]:
    """With the answers to the researcher's own questions, in their order."""
    rows = with_words(rows, request, "session__test")
    answers = SurveyAnswer.objects.select_related("question").order_by("question_id")
    return rows.select_related("session__rater", "session__test").prefetch_related(Prefetch("answers", answers))


def own_answers(questionnaire: Questionnaire) -> SafeString | str:
    """Each of the researcher's own questions with its answer; both are somebody's text."""
    if not questionnaire.may_read_words:  # type: ignore[attr-defined]
        return HIDDEN_WORDS
    lines = ((answer.question.prompt, answer.text) for answer in questionnaire.answers.all())
    shown = format_html_join("", '<p style="margin-bottom: .25rem"><b>{}</b> {}</p>', lines)
    return (
        format_html('<div dir="auto" style="min-width: 9rem; overflow-wrap: anywhere">{}</div>', shown)
        if shown
        else "-"
    )


def _remarks(questionnaire: Questionnaire, text: str) -> str:
    if not text:
        return "-"
    is_known = questionnaire.may_read_words  # type: ignore[attr-defined]
    return prose(text, width="9rem") if is_known else HIDDEN_WORDS


class QuestionnaireInline(ReadOnlyInline):
    """The questionnaire on the page of its session."""

    model = Questionnaire
    fields = readonly_fields = ("device", "surroundings", "shown_remarks", "shown_answers", _answered)
    show_change_link = True
    verbose_name_plural = "questionnaire"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Questionnaire]:
        return with_own_answers(super().get_queryset(request), request)

    @display(description="remarks")
    def shown_remarks(self, questionnaire: Questionnaire) -> str:
        return _remarks(questionnaire, questionnaire.remarks)

    @display(description="own questions")
    def shown_answers(self, questionnaire: Questionnaire) -> str:
        return own_answers(questionnaire)


@admin.register(Questionnaire)
class QuestionnaireAdmin(ReadOnlyAdmin):
    list_display = (_answered, "shown_rater", "test", "device", "surroundings", "shown_remarks", "shown_answers")
    list_display_links = (_answered,)
    test_path = "session__test"
    list_filter = (("session__test", TestFilter), "device", "surroundings")
    search_fields = ("remarks", "answers__text")
    search_help_text = "Search in remarks and answers"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("session", "test", "device", "surroundings", "shown_whole_remarks", "shown_answers", "created_at")
    readonly_fields = ("test", "shown_whole_remarks", "shown_answers")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Questionnaire]:
        return with_own_answers(super().get_queryset(request), request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Questionnaire], search_term: str
    ) -> tuple[QuerySet[Questionnaire], bool]:
        """What may not be read is not searched either."""
        rows, may_have_duplicates = super().get_search_results(request, queryset, search_term)
        return (rows.filter(may_read_words=True) if search_term else rows), may_have_duplicates

    @display(description="rater")
    def shown_rater(self, questionnaire: Questionnaire) -> str:
        return str(questionnaire.session.rater.uuid)[:8]

    @display(description="test")
    def test(self, questionnaire: Questionnaire) -> str:
        return str(questionnaire.session.test)

    @display(description="remarks")
    def shown_remarks(self, questionnaire: Questionnaire) -> str:
        return _remarks(questionnaire, Truncator(questionnaire.remarks).chars(60))

    @display(description="remarks")
    def shown_whole_remarks(self, questionnaire: Questionnaire) -> str:
        return _remarks(questionnaire, questionnaire.remarks)

    @display(description="own questions")
    def shown_answers(self, questionnaire: Questionnaire) -> str:
        return own_answers(questionnaire)
