"""Scores of a test by its model in use: lists of pairs sent to be scored, each with its progress and its table."""

import uuid as uuids
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question
from listening_tests.roles import Action, may
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.listings import chosen_question
from webapp.dashboard.pages_of_clips import paged
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.tabs import tabs_of
from worker.models import ScoringJob
from worker.scoring.models_in_use import ModelInUse, model_in_use
from worker.scoring.pair_lists import LARGEST_BYTES, MOST_ROWS
from worker.scoring.selectors import scores_of_test, scoring_of_test, scorings_of_test
from worker.scoring.services import list_scoring_request, pairs_scoring_request, scores_path, scoring_cancel

SCORINGS_A_PAGE = 20


class ListForm(forms.Form):
    """The identifier makes a repeat of the form known."""

    uuid = forms.UUIDField(widget=forms.HiddenInput)
    pairs = forms.FileField()


@require_safe
@never_cache
@staff_only
def scores_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    questions = list(test.questions.order_by("id"))
    question = chosen_question(questions, request.GET.get("question"))
    context = {
        **_around(request, test),
        "question": question,
        "questions": questions,
        "uuid": uuids.uuid4(),
        "most_rows": MOST_ROWS,
        "largest_megabytes": LARGEST_BYTES // 1024**2,
        **_model(test, question),
        **_listed(request, test),
    }
    return render(request, "dashboard/scores_page.html", context)


@require_safe
@never_cache
@staff_only
def scores_live(request: HttpRequest, slug: str) -> HttpResponse:
    """The list of scorings, which refreshes itself while one is on its way."""
    test = find_test(request, slug)
    context = {"test": test, "may_score": may(request.user, Action.TRAIN, test), **_listed(request, test)}
    response = render(request, "dashboard/parts/scorings.html", context)
    if not context["is_moving"]:
        response.headers["HX-Reswap"] = "outerHTML"
    return response


@require_POST
@staff_only
def list_send(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Keeps a list and queues its scoring. A second press finds the first one's."""
    test = find_test(request, slug, Action.TRAIN)
    form = ListForm(request.POST, request.FILES)
    try:
        if not form.is_valid():
            raise Refused("Choose a list of pairs (CSV) that is not empty.")
        question = _asked(request, test)
        list_scoring_request(
            test=test,
            question=question.name,
            model=model_in_use(test=test, question=question),
            requested_by=request.user,
            **form.cleaned_data,
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    return SeeOther(_address(request, test))


@require_POST
@staff_only
def pairs_score(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Has the model in use go over all pairs of the test, once however often it is pressed."""
    test = find_test(request, slug, Action.TRAIN)
    try:
        question = _asked(request, test)
        pairs_scoring_request(test=test, question=question.name, requested_by=request.user)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return SeeOther(_address(request, test))


@require_POST
@staff_only
def scoring_stop(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponseBase:
    test = find_test(request, slug, Action.TRAIN)
    scoring_cancel(job=_scoring_or_404(test, uuid))
    return SeeOther(_address(request, test))


@require_safe
@staff_only
def scoring_table(request: HttpRequest, slug: str, uuid: UUID) -> FileResponse:
    test = find_test(request, slug)
    job = _scoring_or_404(test, uuid)
    if not job.has_scores:
        raise Http404("There is no table of this scoring.")
    name = f"{test.slug}-scores-{str(job.uuid)[:8]}.csv"
    return FileResponse(scores_path(job).open("rb"), as_attachment=True, filename=name, content_type="text/csv")


def _scoring_or_404(test: ListeningTest, uuid: UUID) -> ScoringJob:
    job = scoring_of_test(test=test, uuid=uuid)
    if job is None:
        raise Http404
    return job


def _asked(request: HttpRequest, test: ListeningTest) -> Question:
    question = chosen_question(list(test.questions.order_by("id")), request.POST.get("question"))
    if question is None:
        raise Refused(f"“{test.title}” asks raters no question yet. Add one on its page in the admin.")
    return question


def _model(test: ListeningTest, question: Question | None) -> dict[str, Any]:
    if question is None:
        return {}
    model: ModelInUse | None = None
    refused = ""
    try:
        model = model_in_use(test=test, question=question)
    except Refused as refusal:
        refused = str(refusal)
    n_stored = scores_of_test(test=test, question=question.name).count()
    return {"model": model, "refused": refused, "n_stored": n_stored}


def _listed(request: HttpRequest, test: ListeningTest) -> dict[str, Any]:
    page = paged(scorings_of_test(test=test), request, SCORINGS_A_PAGE)
    return {"page": page, "filters": "", "is_moving": any(job.is_active for job in page)}


def _around(request: HttpRequest, test: ListeningTest) -> dict[str, Any]:
    tabs = tabs_of(test=test, user=request.user, current="scores_page")
    return {"section": "tests", "test": test, "tabs": tabs, "may_score": may(request.user, Action.TRAIN, test)}


def _address(request: HttpRequest, test: ListeningTest) -> str:
    named = request.POST.get("question", "")
    query = f"?{urlencode({'question': named})}" if named else ""
    return f"{reverse('dashboard:scores_page', args=[test.slug])}{query}"
