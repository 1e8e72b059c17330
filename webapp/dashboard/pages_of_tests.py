"""The list of tests, a test's page, and the press of Retrain."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.kinds import kind_of
from listening_tests.models import ListeningTest
from listening_tests.pay import n_same_ids
from listening_tests.recruiters import recruiter_named
from listening_tests.reported_problems import reported_problems
from listening_tests.roles import Action, actions_of, visible_tests
from listening_tests.services.audit import audit_note
from webapp.dashboard import charts
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.listings import chosen_question
from webapp.dashboard.pages_of_pay import study_url
from webapp.dashboard.phrases import kind_words, plan_sentence
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.tables import rows_of_tests, run_lines
from webapp.dashboard.tabs import tabs_of
from worker.models import RunTrigger
from worker.overviews import TestOverview, overview_of_test
from worker.selectors import run_list
from worker.services import run_request
from worker.withdrawn import withdrawn_words

RUNS_SHOWN = 20


@require_safe
@staff_only
def test_list(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "dashboard/test_list.html",
        {"section": "tests", "rows": rows_of_tests(tests=visible_tests(request.user))},
    )


@require_safe
@staff_only
def test_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    questions = list(test.questions.order_by("id"))
    overview = overview_of_test(test=test, question=chosen_question(questions, request.GET.get("question")))
    words = kind_words(test.kind)
    allowed = actions_of(request.user, test)
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="test_page"),
        "words": words,
        "may_train": Action.TRAIN in allowed,
        "may_read_words": Action.PAY in allowed,
        "questions": questions,
        "problems": reported_problems(test=test),
        "answers_url": _answers_in_admin(test, overview),
        "sessions_url": _rows_in_admin("session", test),
        "problems_url": _rows_in_admin("problemreport", test),
        "rater_address": request.build_absolute_uri(reverse("listening_tests:welcome", args=[test.slug])),
        "recruiter": recruiter_named(test.recruiter),
        "study_url": study_url(request, test),
        "n_same_ids": n_same_ids(test=test),
        "per_day": charts.answers_per_day(overview, words),
        "by_answers": charts.items_by_answers(overview, words),
        "histogram": charts.score_histogram(overview),
        "choices": charts.choices(overview),
        **_retraining(overview),
        **_runs(test),
    }
    return render(request, "dashboard/test_page.html", context)


@require_safe
@never_cache
@staff_only
def test_runs(request: HttpRequest, slug: str) -> HttpResponse:
    """The part of a test's page that refreshes itself while a run is on its way, and its last refresh after that."""
    test = find_test(request, slug)
    context = {"test": test, **_runs(test)}
    if context["is_live"]:
        return render(request, "dashboard/parts/runs_of_test.html", context)
    context |= _retraining(overview_of_test(test=test))
    response = render(request, "dashboard/parts/runs_ended.html", context)
    response.headers["HX-Reswap"] = "outerHTML"
    return response


@require_POST
@staff_only
def retrain(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Asks for a run and goes to it. A second press finds the first one's run; a refusal is said on the test's page."""
    test = find_test(request, slug, Action.TRAIN)
    try:
        run, is_new = run_request(
            test=test,
            trigger=RunTrigger.PERSON,
            requested_by=cast(AbstractBaseUser, request.user),
            question=request.POST.get("question", ""),
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return SeeOther(reverse("dashboard:test_page", args=[test.slug]))
    if is_new:
        audit_note(user=request.user, test=test, action=AuditedAction.TRAINED, detail=f"Run {run.uuid}, {run.question}")
    return SeeOther(reverse("dashboard:run_page", args=[run.uuid]))


def _answers_in_admin(test: ListeningTest, overview: TestOverview) -> str:
    """The admin's list of the answers to the question; more filters can follow."""
    rows = _rows_in_admin(kind_of(test).answers._meta.model_name or "rating", test)
    return f"{rows}&question={overview.question.name}" if overview.question else rows


def _rows_in_admin(model: str, test: ListeningTest) -> str:
    """The admin's list of what belongs to the test; more filters can follow."""
    return f"{reverse(f'admin:listening_tests_{model}_changelist')}?test__id__exact={test.pk}"


def _retraining(overview: TestOverview) -> dict[str, object]:
    model = overview.newest_model
    return {
        "overview": overview,
        "plan_sentence": plan_sentence(overview),
        "withdrawn": withdrawn_words(model) if model else "",
    }


def _runs(test: ListeningTest) -> dict[str, object]:
    lines = run_lines(run_list(test=test)[:RUNS_SHOWN])
    return {"lines": lines, "is_live": any(line.run.is_active for line in lines)}
