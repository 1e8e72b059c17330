"""Who is to be paid for a test, as a page and as files. For accounts that may see who raters say they are."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from listening_tests.choices import AuditedAction, PayVerdict
from listening_tests.models import ListeningTest
from listening_tests.pay import PayList, pay_list
from listening_tests.pay_files import pay_file, pay_table
from listening_tests.recruiters import recruiter_named
from listening_tests.roles import Action
from listening_tests.services.audit import audit_note
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.tabs import tabs_of

LINES_ON_PAGE = 100


def study_url(request: HttpRequest, test: ListeningTest) -> str:
    """What the recruiter is given as the study's address."""
    address = request.build_absolute_uri(reverse("listening_tests:welcome", args=[test.slug]))
    return recruiter_named(test.recruiter).study_url(address)


@require_safe
@never_cache
@staff_only
def pay_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug, Action.PAY)
    _note(request, test, "looked at")
    listed = pay_list(test=test)
    verdict = request.GET.get("verdict", "")
    lines = [line for line in listed.lines if verdict in ("", line.verdict)]
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="pay_page"),
        "listed": listed,
        "page": Paginator(lines, LINES_ON_PAGE).get_page(request.GET.get("page")),
        "verdict": verdict,
        "filters": _filters(listed),
        "to_pay": listed.total(PayVerdict.PAY),
        "to_look": listed.total(PayVerdict.LOOK),
        "endings": sorted(listed.endings.items()),
        "n_same_ids": listed.n_same_ids,
        "files": _files(listed),
    }
    return render(request, "dashboard/pay_page.html", context)


@require_safe
@never_cache
@staff_only
def table(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug, Action.PAY)
    _note(request, test, "downloaded the table")
    return _csv(test, "pay", pay_table(pay_list(test=test)))


@require_safe
@never_cache
@staff_only
def recruiters_file(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    test = find_test(request, slug, Action.PAY)
    try:
        text = pay_file(pay_list(test=test), name=name, study=request.GET.get("study"))
    except KeyError as error:
        raise Http404(f"The recruiter of this test takes no list {name}.") from error
    _note(request, test, f"downloaded {name}")
    return _csv(test, name, text)


def _note(request: HttpRequest, test: ListeningTest, detail: str) -> None:
    audit_note(user=request.user, test=test, action=AuditedAction.PAID, detail=detail)


def _csv(test: ListeningTest, name: str, text: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{test.slug}-{name}.csv"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _filters(listed: PayList) -> list[tuple[str, str, int]]:
    """Value, label and number of lines of each verdict that there is."""
    counted = [(verdict.value, verdict.label, listed.counts[verdict]) for verdict in PayVerdict]
    return [("", "All", len(listed.lines)), *(each for each in counted if each[2])]


def _files(listed: PayList) -> list[dict[str, Any]]:
    """The recruiter's files, each with the studies that it can be had for and how many lines it has."""
    studies = listed.studies
    return [
        {
            "name": file.name,
            "label": file.label,
            "studies": [(study, file.write(listed.payables(study)).count("\n")) for study in studies],
            "n_lines": file.write(listed.payables()).count("\n"),
        }
        for file in listed.recruiter.pay_files
    ]
