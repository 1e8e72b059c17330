"""A test's answers to take along: what is wanted, as which file, and what its columns mean."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_safe

from listening_tests.answer_downloads import answers_response
from listening_tests.answer_files.columns import COLUMNS
from listening_tests.choices import AuditedAction, PairRole
from listening_tests.models import ListeningTest
from listening_tests.roles import Action
from listening_tests.services.audit import audit_note
from listening_tests.services.exports import FORMATS
from listening_tests.wanted_answers import WantedAnswers, answers_wanted
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.tabs import tabs_of

_FORMAT_NAMES = {
    "csv": "CSV: for spreadsheets and R",
    "jsonl": "JSONL: an object a line",
    "parquet": "Parquet: typed and small, for pandas and Arrow",
}


class ExportForm(forms.Form):
    """What to take of a test's answers."""

    file_format = forms.ChoiceField(
        label="Format", choices=[(name, _FORMAT_NAMES[name]) for name in FORMATS], initial=FORMATS[0]
    )
    question = forms.ChoiceField(label="Question", required=False)
    role = forms.ChoiceField(label="Pairs", required=False, choices=[("", "All roles"), *PairRole.choices])
    excluded = forms.ChoiceField(
        label="Answers that a rule leaves out",
        required=False,
        choices=[("with", "Included, with reasons"), ("without", "Left out")],
    )
    since = forms.DateField(
        label="From (day, UTC)", required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label="Up to and with (day, UTC)",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, test: ListeningTest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        names = test.questions.order_by("pk").values_list("name", flat=True)
        self.fields["question"].choices = [("", "All questions"), *((name, name) for name in names)]  # type: ignore[attr-defined]

    def wanted(self) -> WantedAnswers:
        said = self.cleaned_data
        until = said["until"] + timedelta(days=1) if said["until"] else None
        return WantedAnswers(
            question=said["question"],
            role=said["role"],
            since=datetime.combine(said["since"], time(), UTC) if said["since"] else None,
            until=datetime.combine(until, time(), UTC) if until else None,
            with_excluded=said["excluded"] != "without",
        )


@require_safe
@staff_only
def export_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug, Action.EXPORT)
    return _page(request, test, ExportForm(test, initial={"question": request.GET.get("question", "")}))


@require_GET
@staff_only
def export_file(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The file; a form that cannot be read comes back with what is wrong."""
    test = find_test(request, slug, Action.EXPORT)
    form = ExportForm(test, request.GET)
    if not form.is_valid():
        return _page(request, test, form, status=422)
    wanted, file_format = form.wanted(), form.cleaned_data["file_format"]
    answers = answers_wanted(test=test, wanted=wanted)
    audit_note(user=request.user, test=test, action=AuditedAction.EXPORTED, detail=f"As {file_format}: {wanted}")
    return answers_response(answers=answers, file_format=file_format, name=test.slug)


def _page(request: HttpRequest, test: ListeningTest, form: ExportForm, *, status: int = 200) -> HttpResponse:
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="export_page"),
        "form": form,
        "n_answers": answers_wanted(test=test).count(),
        "columns": COLUMNS,
        "api_address": request.build_absolute_uri(reverse("api:export", args=[test.slug])),
    }
    return render(request, "dashboard/export_page.html", context, status=status)
