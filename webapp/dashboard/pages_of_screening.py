"""Screening a test: rules and what they found, what applying would change, raters, and screenings to be taken back."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests.choices import AuditedAction, ScreeningRuleName
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Screening
from listening_tests.roles import Action, may
from listening_tests.screening import screened_raters
from listening_tests.services.audit import audit_note
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.screening_forms import RuleForm
from webapp.dashboard.screening_rows import figure_tables, rater_rows, rule_rows
from webapp.dashboard.tabs import tabs_of
from worker.screening.rules import rules_of
from worker.screening.selectors import (
    is_out_of_date,
    screening_alarms,
    screening_figures,
    screening_state,
    screenings_of,
)
from worker.screening.services import screening_apply, screening_ask, screening_rules_save, screening_undo

RATERS_SHOWN = 50
SCREENINGS_SHOWN = 20
_ONLY = ("use", "pay")


@require_safe
@staff_only
def screening_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    return _page(request, test, [RuleForm(rule) for rule in rules_of(test=test)])


@require_safe
@never_cache
@staff_only
def screening_live(request: HttpRequest, slug: str) -> HttpResponse:
    """Asked while outcomes are computed; the page loads anew when they are there."""
    state = screening_state(test=find_test(request, slug))
    if state.asked_at is None:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "dashboard/parts/screening_pending.html", {"state": state})


@require_POST
@staff_only
def screening_rules(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Saves all thresholds, or none: then the page comes back with what was typed and what is wrong with it."""
    test = find_test(request, slug, Action.SCREEN)
    forms = [RuleForm(rule, request.POST) for rule in rules_of(test=test)]
    mistaken = [form for form in forms if not form.is_valid()]
    if mistaken:
        messages.error(request, "Nothing was saved. What is wrong stands beside the rules.")
        return _page(request, test, forms, status=400)
    try:
        screening_rules_save(test=test, rules=[form.changed() for form in forms])
    except Refused as refusal:
        messages.error(request, f"Nothing was saved. {refusal}")
        return _page(request, test, forms, status=400)
    audit_note(user=request.user, test=test, action=AuditedAction.CHANGED, detail="Rules of the screening")
    messages.success(request, "The rules are saved. The outcomes are computed anew.")
    return SeeOther(_address(test))


@require_POST
@staff_only
def screening_compute(request: HttpRequest, slug: str) -> HttpResponseBase:
    test = find_test(request, slug, Action.SCREEN)
    screening_ask(test=test)
    return SeeOther(_address(test))


@require_POST
@staff_only
def screening_apply_shown(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Leaves out who failed as the page showed it. A second press finds the first one's screening."""
    test = find_test(request, slug, Action.SCREEN)
    known = set(screenings_of(test=test).values_list("pk", flat=True))
    try:
        screening = screening_apply(test=test, user=request.user, digest=request.POST.get("digest", ""))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return SeeOther(_address(test))
    if screening.pk not in known:
        detail = f"{screening.n_raters:,} raters, {screening.n_answers:,} answers left out"
        audit_note(user=request.user, test=test, action=AuditedAction.SCREENED, detail=detail)
    messages.success(
        request,
        f"{screening.n_raters:,} raters are left out, with {screening.n_answers:,} answers. Their answers stay as they "
        "are, and Undo takes them in again.",
    )
    return SeeOther(_address(test))


@require_POST
@staff_only
def screening_undo_one(request: HttpRequest, slug: str, uuid: str) -> HttpResponseBase:
    test = find_test(request, slug, Action.SCREEN)
    screening = get_object_or_404(Screening, test=test, uuid=uuid)
    screening, was_in_force = screening_undo(screening=screening, user=request.user)
    if was_in_force:
        detail = f"{screening.n_raters:,} raters, {screening.n_answers:,} answers taken in again"
        audit_note(user=request.user, test=test, action=AuditedAction.UNSCREENED, detail=detail)
    messages.success(request, "The screening is taken back: what it alone left out counts again.")
    return SeeOther(_address(test))


@require_safe
@staff_only
def screening_raters(request: HttpRequest, slug: str) -> HttpResponse:
    """Every rater's outcomes under pseudonyms, the most doubtful first."""
    test = find_test(request, slug)
    only = request.GET.get("only", "")
    only = only if only in _ONLY else ""
    sort = request.GET.get("sort", "")
    rules = [rule.rule for rule in rules_of(test=test) if rule.is_enabled]
    sort = sort if sort in rules else ""
    descending = request.GET.get("order") != "up"
    raters = screened_raters(test=test, only=only, sort=sort, descending=descending)
    page = Paginator(raters, RATERS_SHOWN).get_page(request.GET.get("page"))
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="screening_page"),
        "page": page,
        "rows": rater_rows(test, page.object_list, rules),
        "columns": [_column("", "Rules failed", sort, descending, only)]
        + [_column(name, ScreeningRuleName(name).label, sort, descending, only) for name in rules],
        "only": only,
        "here": urlencode({"only": only, "sort": sort, "order": "down" if descending else "up"}),
    }
    return render(request, "dashboard/screening_raters.html", context)


def _column(name: str, label: str, sort: str, descending: bool, only: str) -> dict[str, str]:
    """A column's head: the sorted one turns round, another one sorts downwards."""
    is_sorted = name == sort
    order = "up" if is_sorted and descending else "down"
    return {
        "label": label,
        "query": urlencode({"only": only, "sort": name, "order": order}),
        "aria_sort": ("descending" if descending else "ascending") if is_sorted else "",
    }


def _page(request: HttpRequest, test: ListeningTest, forms: list[RuleForm], status: int = 200) -> HttpResponse:
    state = screening_state(test=test)
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="screening_page"),
        "may_screen": may(request.user, Action.SCREEN, test),
        "state": state,
        "is_out_of_date": is_out_of_date(state=state),
        "alarms": screening_alarms(test=test),
        "rows": rule_rows(test, forms),
        "tables": figure_tables(screening_figures(test=test)),
        "screenings": screenings_of(test=test)[:SCREENINGS_SHOWN],
        "in_force": screenings_of(test=test).filter(undone_at__isnull=True).first(),
    }
    return render(request, "dashboard/screening_page.html", context, status=status)


def _address(test: ListeningTest) -> str:
    return reverse("dashboard:screening_page", args=[test.slug])
