"""A test before raters come: what is missing, the tools that make it, its dates, and copies of it."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from listening_tests.choices import AuditedAction, PairRole, TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.roles import Action, actions_of
from listening_tests.services.anchors import anchors_make, anchors_plan, n_anchors_advised
from listening_tests.services.audit import audit_note
from listening_tests.services.balance import balance_make, balance_of
from listening_tests.services.checklist import checklist
from listening_tests.services.clones import test_clone
from listening_tests.services.locks import ChangeRefused, locked_fields, test_change
from listening_tests.services.pilots import pilots_of
from listening_tests.services.practice import practice_make, practice_plan
from listening_tests.services.test_status import NotReady, test_close, test_open, test_pause
from listening_tests.sitting_plan import whole_sitting_plan
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.forms_of_set_up import (
    AnchorsForm,
    CloneForm,
    DatesForm,
    DrawForm,
    PilotForm,
    RepeatsForm,
)
from webapp.dashboard.phrases import kind_words
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.tabs import tabs_of

SHOWN_AT_ONCE = 50
_CHANGES: dict[str, tuple[Callable[..., ListeningTest], AuditedAction, str]] = {
    "open": (test_open, AuditedAction.OPENED, "is open. Raters can come."),
    "pause": (test_pause, AuditedAction.PAUSED, "is paused. What raters send is still stored."),
    "close": (test_close, AuditedAction.CLOSED, "is closed for good."),
}
_NAMES_OF_LOCKS = {
    "kind": "Kind",
    "slug": "Address",
    "questions": "Which questions are asked",
    "completion_code": "Completion codes",
    "opens_at": "Date of opening",
    "closes_at": "Date of closing",
}


@require_safe
@never_cache
@staff_only
def set_up(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug, Action.SET_UP)
    return set_up_page(request, test)


def set_up_page(request: HttpRequest, test: ListeningTest, *, status: int = 200, **forms: Form) -> HttpResponse:
    """`forms` are those that were sent and could not be read."""
    items = checklist(test=test)
    n_anchors = test.pairs.filter(role=PairRole.ANCHOR).count()
    pilots = list(pilots_of(test=test))
    locks = locked_fields(test)
    context: dict[str, Any] = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="set_up"),
        "words": kind_words(test.kind),
        "is_draft": test.status == TestStatus.DRAFT,
        "may_launch": Action.LAUNCH in actions_of(request.user, test),
        "items": items,
        "n_missing": sum(not item.is_done for item in items),
        "cannot_open": any(not item.is_done and item.need.value == "essential" for item in items),
        "needs_force": any(not item.is_done and item.need.value == "advised" for item in items),
        "n_anchors": n_anchors,
        "balance": balance_of(test=test),
        "sitting": whole_sitting_plan(test=test),
        "pilots": pilots,
        "is_live": any(pilot.is_active for pilot in pilots),
        "locks": [(_NAMES_OF_LOCKS[name], reason) for name, reason in locks.items() if name in _NAMES_OF_LOCKS],
        "dates": DatesForm.of_test(test),
        "clone": CloneForm(initial={"uuid": uuid4(), "title": f"Copy of {test.title}"[:200]}),
        "pilot": PilotForm(initial={"uuid": uuid4()}),
        "anchors": AnchorsForm(initial={"n": max(n_anchors, n_anchors_advised(test=test))}),
        "repeats": RepeatsForm(initial={"repeats_per_session": test.repeats_per_session}),
    }
    return render(request, "dashboard/set_up.html", context | forms, status=status)


@require_POST
@staff_only
def status(request: HttpRequest, slug: str, change: str) -> HttpResponseBase:
    """Opens, pauses or closes. A repeat finds it done."""
    test = find_test(request, slug, Action.LAUNCH)
    if change not in _CHANGES:
        raise Http404(f"There is nothing to {change} about a test.")
    service, action, told = _CHANGES[change]
    before = test.status
    options = {"force": request.POST.get("force") == "1"} if change == "open" else {}
    try:
        changed = service(test=test, **options)
    except NotReady as not_ready:
        for found in not_ready.shortcomings:
            messages.warning(request, f"The test was not opened. {found.sentence}")
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        if changed.status != before:
            audit_note(user=request.user, test=changed, action=action)
        messages.success(request, f"“{test.title}” {told}")
    return _back(test)


@require_POST
@staff_only
def dates(request: HttpRequest, slug: str) -> HttpResponseBase:
    """On which dates the test opens and closes by itself."""
    test = find_test(request, slug, Action.LAUNCH)
    form = DatesForm(request.POST)
    if not form.is_valid():
        return set_up_page(request, test, status=422, dates=form)
    changes = dict(form.cleaned_data)
    for name in locked_fields(test).keys() & changes.keys():
        # The page does not ask for what is locked.
        if name not in request.POST:
            del changes[name]
    return _change(
        request, test, changes, "dates", form, "The dates are kept. Times are UTC; they are looked at every minute."
    )


@require_POST
@staff_only
def repeats(request: HttpRequest, slug: str) -> HttpResponseBase:
    test = find_test(request, slug, Action.SET_UP)
    form = RepeatsForm(request.POST)
    if not form.is_valid():
        return set_up_page(request, test, status=422, repeats=form)
    told = "Kept. Sittings that begin from now on have so many hidden repeats."
    return _change(request, test, form.cleaned_data, "repeats", form, told)


def _change(
    request: HttpRequest, test: ListeningTest, changes: dict[str, Any], name: str, form: Form, told: str
) -> HttpResponseBase:
    try:
        test_change(test=test, changes=changes)
    except ChangeRefused as refused:
        for field, fault in refused.faults.items():
            form.add_error(field if field in form.fields else None, fault)
        return set_up_page(request, test, status=422, **{name: form})
    detail = ", ".join(f"{field}: {value}" for field, value in changes.items())
    audit_note(user=request.user, test=test, action=AuditedAction.CHANGED, detail=detail)
    messages.success(request, told)
    return _back(test)


@require_POST
@staff_only
def clone(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Copies the test and goes to the copy. A second press finds the first one's."""
    test = find_test(request, slug, Action.SET_UP)
    form = CloneForm(request.POST)
    if not form.is_valid():
        return set_up_page(request, test, status=422, clone=form)
    is_new = not ListeningTest.objects.filter(uuid=form.cleaned_data["uuid"]).exists()
    try:
        copy = test_clone(test=test, user=request.user, **form.cleaned_data)
    except Refused as refusal:
        form.add_error("slug", str(refusal))
        return set_up_page(request, test, status=409, clone=form)
    if is_new:
        audit_note(user=request.user, test=copy, action=AuditedAction.CREATED, detail=f"As a copy of {test.slug}.")
    messages.success(request, f"This is the copy of “{test.title}”. It is a draft, without raters and answers.")
    return _back(copy)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def anchors(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Shows the anchors that would be made, and by POST makes them."""
    test = find_test(request, slug, Action.SET_UP)
    form = AnchorsForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        return set_up_page(request, test, status=422, anchors=form)
    n = form.cleaned_data["n"]

    def make() -> str:
        return _counted(anchors_make(test=test, n=n), "anchor")

    if request.method == "POST":
        return _made(request, test, make)
    try:
        plan = anchors_plan(test=test, n=n)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _back(test)
    context = {"plan": plan[:SHOWN_AT_ONCE], "n_more": max(0, len(plan) - SHOWN_AT_ONCE), "n_made": len(plan), "n": n}
    return _tool(request, test, "anchors", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def practice(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Shows the practice that would be made, and by POST makes it."""
    test = find_test(request, slug, Action.SET_UP)
    form = DrawForm(request.POST if request.method == "POST" else request.GET)
    draw = (form.cleaned_data["draw"] or 0) if form.is_valid() else 0

    def make() -> str:
        return _counted(
            practice_make(test=test, draw=draw), "practice pair" if test.kind == "rating" else "practice trial"
        )

    if request.method == "POST":
        return _made(request, test, make)
    return _tool(request, test, "practice", {"plan": practice_plan(test=test, draw=draw), "draw": draw})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def balance(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Shows which captions lack a system, and by POST takes them out."""
    test = find_test(request, slug, Action.SET_UP)

    def make() -> str:
        n_gone = balance_make(test=test)
        return f"{n_gone:,} pairs were taken out." if n_gone else "Nothing was to be taken out."

    if request.method == "POST":
        return _made(request, test, make)
    return _tool(request, test, "balance", {"balance": balance_of(test=test)})


def _made(request: HttpRequest, test: ListeningTest, make: Callable[[], str]) -> HttpResponseBase:
    try:
        told = make()
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _back(test)
    audit_note(user=request.user, test=test, action=AuditedAction.CHANGED, detail=told)
    messages.success(request, told)
    return _back(test)


def _tool(request: HttpRequest, test: ListeningTest, name: str, context: dict[str, Any]) -> HttpResponse:
    shared = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="set_up"),
        "words": kind_words(test.kind),
        "is_draft": test.status == TestStatus.DRAFT,
    }
    return render(request, f"dashboard/set_up_{name}.html", shared | context)


def _counted(n: int, noun: str) -> str:
    if not n:
        return f"No further {noun} was made: they are there, or no sound fits."
    return f"1 {noun} was made." if n == 1 else f"{n:,} {noun}s were made."


def _back(test: ListeningTest) -> SeeOther:
    return SeeOther(reverse("dashboard:set_up", args=[test.slug]))
