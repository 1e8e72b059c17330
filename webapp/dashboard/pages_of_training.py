"""The page on which a run is set up and started, beside the one press of Retrain."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest
from listening_tests.roles import Action
from listening_tests.services.audit import audit_note
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.forms_of_runs import TrainForm
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.tabs import tabs_of
from worker.configuration import preset_choices, preset_of_request
from worker.models import RunTrigger
from worker.selectors import run_active, training_plan
from worker.services import run_request

OWN_SETTINGS = "This run was on its way already and keeps its own settings: yours were not used."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def train(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Shows the form; by POST starts a run and goes to it. A second press finds the first one's run."""
    test = find_test(request, slug, Action.TRAIN)
    if request.method != "POST":
        return _page(request, test, TrainForm(test, initial=_usual(test)))
    form = TrainForm(test, request.POST)
    if not form.is_valid():
        return _page(request, test, form, status=422)
    try:
        run, is_new = run_request(
            test=test,
            trigger=RunTrigger.PERSON,
            requested_by=cast(AbstractBaseUser, request.user),
            preset=form.cleaned_data["preset"],
            question=form.cleaned_data["question"],
            knobs=form.knobs(),
        )
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, test, form, status=422)
    if is_new:
        audit_note(user=request.user, test=test, action=AuditedAction.TRAINED, detail=f"Run {run.uuid}, {run.question}")
    else:
        messages.warning(request, OWN_SETTINGS)
    return SeeOther(reverse("dashboard:run_page", args=[run.uuid]))


def _page(request: HttpRequest, test: ListeningTest, form: TrainForm, status: int = 200) -> HttpResponse:
    chosen = form["preset"].value()
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="test_page"),
        "form": form,
        "presets": [(choice, choice.name == chosen) for choice in preset_choices()],
        "active": run_active(test=test),
    }
    return render(request, "dashboard/train_page.html", context, status=status)


def _usual(test: ListeningTest) -> dict[str, Any]:
    return {"preset": preset_of_request(test=test), "question": training_plan(test=test).question}
