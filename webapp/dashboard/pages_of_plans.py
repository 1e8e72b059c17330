"""The plan of a test: what each number of ratings takes and gives."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from listening_tests.models import ListeningTest
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.forms_of_set_up import PlanForm
from webapp.dashboard.phrases import kind_words
from webapp.dashboard.tabs import tabs_of
from worker.plans import study_plan

# What a tenth more raters cost is seldom regretted.
USUAL_SPARE = 10.0


@require_safe
@staff_only
def plan(request: HttpRequest, slug: str) -> HttpResponse:
    """The numbers of the address, else those of the test, else the usual ones."""
    test = find_test(request, slug)
    usual = _usual(test)
    form = PlanForm(request.GET or None, initial=usual)
    is_good = form.is_valid() or not form.is_bound
    values = (
        usual | {name: value for name, value in form.cleaned_data.items() if value not in (None, "")}
        if form.is_bound
        else usual
    )
    shown = values if is_good else usual
    reward = shown["reward"]
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="plan"),
        "words": kind_words(test.kind),
        "form": form if form.is_bound and not is_good else PlanForm(initial=shown),
        "faults": form if not is_good else None,
        "currency": shown["currency"],
        "plan": study_plan(
            test=test,
            reward=None if reward is None else float(reward),
            fee=shown["fee"] / 100,
            spare=shown["spare"] / 100,
        ),
    }
    return render(request, "dashboard/plan.html", context, status=200 if is_good else 422)


def _usual(test: ListeningTest) -> dict[str, Any]:
    return {"reward": test.reward, "currency": test.currency, "fee": 0.0, "spare": USUAL_SPARE}
