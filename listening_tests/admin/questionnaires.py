"""What raters answered at the end of their sittings, to be read."""

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from unfold.decorators import display

from listening_tests.admin.cells import prose, time_column
from listening_tests.admin.read_only import ReadOnlyAdmin, ReadOnlyInline
from listening_tests.models import Questionnaire, SurveyAnswer

_answered = time_column("created_at", "answered")


def with_own_answers(rows: QuerySet[Questionnaire]) -> QuerySet[Questionnaire]:
    """With the answers to the researcher's own questions, in their order."""
    answers = SurveyAnswer.objects.select_related("question").order_by("question_id")
    return rows.select_related("session__rater", "session__test").prefetch_related(Prefetch("answers", answers))


def own_answers(questionnaire: Questionnaire) -> SafeString | str:
    """Each of the researcher's own questions with its answer; both are somebody's text."""
    lines = ((answer.question.prompt, answer.text) for answer in questionnaire.answers.all())
    shown = format_html_join("", '<p style="margin-bottom: .25rem"><b>{}</b> {}</p>', lines)
    return (
        format_html('<div dir="auto" style="min-width: 9rem; overflow-wrap: anywhere">{}</div>', shown)
        if shown
        else "-"
    )


class QuestionnaireInline(ReadOnlyInline):
    """The questionnaire on the page of its session."""

    model = Questionnaire
    fields = readonly_fields = ("device", "surroundings", "shown_remarks", "shown_answers", _answered)
    show_change_link = True
    verbose_name_plural = "questionnaire"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Questionnaire]:
        return with_own_answers(super().get_queryset(request))

    @display(description="remarks")
    def shown_remarks(self, questionnaire: Questionnaire) -> str:
        return prose(questionnaire.remarks) if questionnaire.remarks else "-"

    @display(description="own questions")
    def shown_answers(self, questionnaire: Questionnaire) -> str:
        return own_answers(questionnaire)


@admin.register(Questionnaire)
class QuestionnaireAdmin(ReadOnlyAdmin):
    list_display = (_answered, "shown_rater", "test", "device", "surroundings", "shown_remarks", "shown_answers")
    list_display_links = (_answered,)
    list_filter = ("session__test", "device", "surroundings")
    search_fields = ("remarks", "answers__text")
    search_help_text = "Search in remarks and answers"
    ordering = ("-id",)
    sortable_by = ()
    fields = ("session", "test", "device", "surroundings", "remarks", "shown_answers", "created_at")
    readonly_fields = ("test", "shown_answers")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Questionnaire]:
        return with_own_answers(super().get_queryset(request))

    @display(description="rater")
    def shown_rater(self, questionnaire: Questionnaire) -> str:
        return str(questionnaire.session.rater.uuid)[:8]

    @display(description="test")
    def test(self, questionnaire: Questionnaire) -> str:
        return str(questionnaire.session.test)

    @display(description="remarks")
    def shown_remarks(self, questionnaire: Questionnaire) -> str:
        return prose(Truncator(questionnaire.remarks).chars(60), width="9rem") if questionnaire.remarks else "-"

    @display(description="own questions")
    def shown_answers(self, questionnaire: Questionnaire) -> str:
        return own_answers(questionnaire)
