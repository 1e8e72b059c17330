"""Reports: of a run, which is part of its page, and of a test; both as HTML file, JSON, pictures and CSV."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_POST, require_safe

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question
from listening_tests.roles import Action, may
from webapp.dashboard.access import find_run, find_test, staff_only
from webapp.dashboard.csv_files import csv_lines
from webapp.dashboard.figures import ReportTable
from webapp.dashboard.listings import chosen_question, listing, sort_asked
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.report_contents import contents_of_run, contents_of_test, tables_of_run
from webapp.dashboard.report_files import html_file
from webapp.dashboard.report_tables import curve_tables
from webapp.dashboard.tabs import tabs_of
from worker.follow_ups import MOST_PAIRS, follow_up_make
from worker.models import TrainingRun
from worker.report_documents import run_document, test_document
from worker.run_reports import (
    ReportOfRun,
    ReportOfTest,
    finished_runs,
    heldout_pairs,
    report_of_run,
    report_of_test,
    wrong_pairs,
)
from worker.selectors import question_planned

ROWS_A_PAGE = 50
RUNS_A_PAGE = 25
TYPES = {"svg": "image/svg+xml", "png": "image/png"}
THEMES = ("light", "dark", "print")
SORTS = {
    "certain_gap": "Wrong by at least",
    "off": "Off by",
    "human_mean": "People",
    "tuned_score": "Score",
    "n_ratings": "Ratings",
    "rating_sd": "Spread",
}


class FollowUpForm(forms.Form):
    """How many of the worst pairs a follow-up test takes; `uuid` becomes the test's, so that a repeat finds it."""

    uuid = forms.UUIDField()
    n = forms.IntegerField(min_value=1, max_value=MOST_PAIRS)


@require_safe
@staff_only
def run_report_json(request: HttpRequest, uuid: UUID) -> HttpResponse:
    report = _report_or_404(request, uuid)
    return _json_file(run_document(report=report), _run_file(report.run, "report"))


@require_safe
@staff_only
def run_report_html(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """The report as one file that needs no other: pictures and styles are in it."""
    report = _report_or_404(request, uuid)
    tables = tables_of_run(report)
    content = html_file(contents_of_run(report, tables, is_file=True), tables)
    return _attached(HttpResponse(content), f"{_run_file(report.run, 'report')}.html")


@require_safe
@staff_only
def run_report_csv(request: HttpRequest, uuid: UUID, name: str) -> HttpResponseBase:
    report = _report_or_404(request, uuid)
    return _csv_file(tables_of_run(report), name, _run_file(report.run, name))


@require_safe
@staff_only
def run_report_picture(request: HttpRequest, uuid: UUID, name: str, file_format: str) -> HttpResponse:
    report = _report_or_404(request, uuid)
    return _picture(request, report.run.test, tables_of_run(report), name, file_format, _run_file(report.run, name))


@require_safe
@staff_only
def run_pairs(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Every held-out pair of a run, sorted as asked, to be listened to."""
    run = find_run(request, uuid)
    sort = sort_asked(request, list(SORTS), "-certain_gap")
    rows = heldout_pairs(run=run).order_by(*_order(sort))
    n_wrong = wrong_pairs(run=run).count()
    context = {
        "section": "runs",
        "run": run,
        "test": run.test,
        "listing": listing(request, SORTS, sort, Paginator(rows, ROWS_A_PAGE)),
        "n_wrong": n_wrong,
        "most": min(n_wrong, MOST_PAIRS),
        "follow_up_uuid": uuid4(),
        "may_follow_up": may(request.user, Action.SET_UP, run.test),
    }
    return render(request, "dashboard/run_pairs.html", context)


@require_POST
@staff_only
def follow_up(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    """Makes a draft of the pairs at which the model is wrong, and goes to it. A second press finds the first one's."""
    run = find_run(request, uuid, Action.SET_UP)
    form = FollowUpForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"A follow-up test takes 1 to {MOST_PAIRS} pairs. Say how many.")
        return SeeOther(reverse("dashboard:run_pairs", args=[run.uuid]))
    try:
        made = follow_up_make(run=run, user=request.user, **form.cleaned_data)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return SeeOther(reverse("dashboard:run_page", args=[run.uuid]))
    messages.success(request, f"This is a follow-up of “{run.test.title}”. It is a draft, and its raters are new ones.")
    return SeeOther(reverse("dashboard:set_up", args=[made.slug]))


@require_safe
@staff_only
def report_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    question = _question_or_404(request, test)
    context: dict[str, Any] = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="report_page"),
        "question": question,
        "questions": list(test.questions.order_by("id")),
    }
    if question is not None:
        report = report_of_test(test=test, question=question.name)
        runs = finished_runs(test=test, question=question.name)
        page = Paginator(runs, RUNS_A_PAGE).get_page(request.GET.get("page"))
        context |= contents_of_test(report, list(page), first=page.start_index() - 1) | {"page": page}
    return render(request, "dashboard/report_page.html", context)


@require_safe
@staff_only
def test_report_json(request: HttpRequest, slug: str) -> HttpResponse:
    report, runs = _test_report_or_404(request, slug)
    return _json_file(test_document(report=report, runs=runs), _test_file(report, "report"))


@require_safe
@staff_only
def test_report_html(request: HttpRequest, slug: str) -> HttpResponse:
    report, runs = _test_report_or_404(request, slug)
    content = html_file(contents_of_test(report, runs), curve_tables(report))
    return _attached(HttpResponse(content), f"{_test_file(report, 'report')}.html")


@require_safe
@staff_only
def test_report_csv(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    report, _ = _test_report_or_404(request, slug)
    return _csv_file(curve_tables(report), name, _test_file(report, name))


@require_safe
@staff_only
def test_report_picture(request: HttpRequest, slug: str, name: str, file_format: str) -> HttpResponse:
    report, _ = _test_report_or_404(request, slug)
    return _picture(request, report.test, curve_tables(report), name, file_format, _test_file(report, name))


def _report_or_404(request: HttpRequest, uuid: UUID) -> ReportOfRun:
    report = report_of_run(run=find_run(request, uuid))
    if report is None:
        raise Http404("The run has no report.")
    return report


def _test_report_or_404(request: HttpRequest, slug: str) -> tuple[ReportOfTest, list[TrainingRun]]:
    test = find_test(request, slug)
    question = _question_or_404(request, test)
    if question is None:
        raise Http404("The test asks no question.")
    runs = list(finished_runs(test=test, question=question.name))
    return report_of_test(test=test, question=question.name), runs


def _question_or_404(request: HttpRequest, test: ListeningTest) -> Question | None:
    """The named question, else the one that is trained on."""
    name = request.GET.get("question")
    return chosen_question(list(test.questions.order_by("id")), name) if name else question_planned(test=test)


def _order(sort: str) -> list[Any]:
    column = F(sort.removeprefix("-"))
    first = column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)
    return [first, "pair_id"]


def _json_file(document: Mapping[str, Any], name: str) -> HttpResponse:
    response = JsonResponse(document, json_dumps_params={"indent": 1, "ensure_ascii": False, "allow_nan": False})
    return _attached(response, f"{name}.json")


def _csv_file(tables: Mapping[str, ReportTable], name: str, file_name: str) -> HttpResponseBase:
    table = tables.get(name)
    if table is None:
        raise Http404
    lines = csv_lines([column.name for column in table.columns], table.rows)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}.csv"'
    return response


def _picture(
    request: HttpRequest,
    test: ListeningTest,
    tables: Mapping[str, ReportTable],
    name: str,
    file_format: str,
    file_name: str,
) -> HttpResponse:
    """In the colours of the page, or, with `download`, on white and with a heading."""
    from webapp.dashboard.pictures import Wanted  # loads matplotlib
    from webapp.dashboard.report_pictures import report_picture

    table, theme = tables.get(name), request.GET.get("theme", "print")
    if table is None or file_format not in TYPES or theme not in THEMES:
        raise Http404
    wanted = Wanted(
        style=theme,
        file_format=file_format,
        is_narrow="narrow" in request.GET,
        heading=f"{test.title}: {table.title}",
        unit="",
        is_simulated=test.is_simulated,
    )
    response = HttpResponse(report_picture(table, wanted), content_type=TYPES[file_format])
    patch_cache_control(response, max_age=3_600)
    return _attached(response, f"{file_name}.{file_format}") if "download" in request.GET else response


def _attached(response: HttpResponse, name: str) -> HttpResponse:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _run_file(run: TrainingRun, name: str) -> str:
    simulated = "simulated-" if run.test.is_simulated else ""
    return f"{simulated}{run.test.slug}-run-{run.uuid.hex[:8]}-{name}"


def _test_file(report: ReportOfTest, name: str) -> str:
    simulated = "simulated-" if report.test.is_simulated else ""
    return f"{simulated}{report.test.slug}-{report.question}-{name}"
