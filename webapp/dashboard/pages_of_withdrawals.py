"""Who withdrew, which models had used their ratings, and a new one without them."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.roles import Action, may
from listening_tests.services.audit import audit_note
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.tabs import tabs_of
from worker.withdrawal_lists import questions_concerned, retrain_without_withdrawn, with_models, withdrawals_of

WITHDRAWALS_SHOWN = 50


@require_safe
@staff_only
def withdrawals_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    page = Paginator(withdrawals_of(test=test), WITHDRAWALS_SHOWN).get_page(request.GET.get("page"))
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="test_page"),
        "page": page,
        "concerns": with_models(test=test, withdrawals=page.object_list),
        "questions": questions_concerned(test=test),
        "may_train": may(request.user, Action.TRAIN, test),
    }
    return render(request, "dashboard/withdrawals_page.html", context)


@require_POST
@staff_only
def retrain_without(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Asks for a run without the ratings of who withdrew, and goes to it. A second press finds the first one's."""
    test = find_test(request, slug, Action.TRAIN)
    user = cast(AbstractBaseUser, request.user)
    try:
        run, is_new = retrain_without_withdrawn(test=test, question=request.POST.get("question", ""), user=user)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return SeeOther(reverse("dashboard:withdrawals", args=[test.slug]))
    if is_new:
        detail = f"Run {run.uuid}, {run.question}, without the ratings of who withdrew"
        audit_note(user=request.user, test=test, action=AuditedAction.TRAINED, detail=detail)
    return SeeOther(reverse("dashboard:run_page", args=[run.uuid]))
