"""What each screening rule is worth to a model: asked for, watched, cancelled, read."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.roles import Action, may
from listening_tests.services.audit import audit_note
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.phrases import difference_words, interval, number
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.tabs import tabs_of
from worker.models import RuleWorth, ScreeningWorth
from worker.screening.worth import worth_cancel, worth_request
from worker.screening.worth_lists import worth_rows, worths_of

JOBS_SHOWN = 10


@dataclass(frozen=True)
class WorthLine:
    row: RuleWorth
    srcc: str
    interval: str
    difference: str


@require_safe
@staff_only
def worth_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The newest job, or the named one."""
    test = find_test(request, slug)
    return render(request, "dashboard/screening_worth.html", _context(request, test))


@require_safe
@never_cache
@staff_only
def worth_live(request: HttpRequest, slug: str) -> HttpResponse:
    """Asked while a job is on its way; the page loads anew when it has ended."""
    context = _context(request, find_test(request, slug))
    worth = context["worth"]
    if worth is None or not worth.is_active:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "dashboard/parts/screening_worth_state.html", context)


@require_POST
@staff_only
def worth_ask(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Queues the job. A second press finds the first one's."""
    test = find_test(request, slug, Action.TRAIN)
    try:
        worth, is_new = worth_request(test=test, user=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _back(test)
    if is_new:
        detail = f"Worth of the screening rules {worth.uuid}, {worth.question}"
        audit_note(user=request.user, test=test, action=AuditedAction.TRAINED, detail=detail)
    return _back(test)


@require_POST
@staff_only
def worth_stop(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponseBase:
    """Cancels the job; an ended one stays as it is."""
    test = find_test(request, slug, Action.TRAIN)
    worth_cancel(worth=get_object_or_404(ScreeningWorth, test=test, uuid=uuid))
    return _back(test)


def _context(request: HttpRequest, test: ListeningTest) -> dict[str, Any]:
    worths = list(worths_of(test=test)[:JOBS_SHOWN])
    named = request.GET.get("job", "")
    worth = next((one for one in worths if str(one.uuid) == named), worths[0] if worths else None)
    return {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="screening_page"),
        "may_train": may(request.user, Action.TRAIN, test),
        "worth": worth,
        "worths": worths,
        "may_ask": not any(one.is_active for one in worths),
        "unscreened": number(worth.srcc) if worth else "",
        "unscreened_interval": interval(worth.low, worth.high) if worth else "",
        "lines": [_line(row) for row in worth_rows(worth=worth)] if worth else [],
    }


def _line(row: RuleWorth) -> WorthLine:
    words = row.message or difference_words(row.difference, row.difference_low, row.difference_high)
    return WorthLine(row, number(row.srcc), interval(row.low, row.high), words[:1].upper() + words[1:])


def _back(test: ListeningTest) -> HttpResponseBase:
    return SeeOther(reverse("dashboard:screening_worth", args=[test.slug]))
