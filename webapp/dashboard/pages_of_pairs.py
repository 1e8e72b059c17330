"""The pairs of a test, or the trials of a comparison, and one of them closely."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from listening_tests.choices import TestKind
from listening_tests.models import Pair, Trial
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.listings import chosen_question, listing, sort_asked
from webapp.dashboard.phrases import kind_words
from webapp.dashboard.tabs import tabs_of
from worker.closer_looks import pair_look, trial_look
from worker.item_lists import ITEM_SORTS, item_list

PAIRS_SHOWN = 50
# What can be sorted by, as a person reads it.
_SORTS = {"item": "Import", "n": "Ratings", "mean": "Mean", "sd": "SD"}
_SORTS_OF_TRIALS = {"item": "Import", "n": "Answers", "mean": "Preference"}


@require_safe
@staff_only
def pair_list(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    questions = list(test.questions.order_by("id"))
    question = chosen_question(questions, request.GET.get("question"))
    is_compared = test.kind == TestKind.COMPARISON
    sort = sort_asked(request, ITEM_SORTS, "item")
    role, system = request.GET.get("role", ""), request.GET.get("system", "")
    items = item_list(test=test, question=question, role=role, system=system, sort=sort)
    sorts = _SORTS_OF_TRIALS if is_compared else _SORTS
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="pair_list"),
        "words": kind_words(test.kind),
        "questions": questions,
        "question": question,
        "counted_at": items.at,
        "roles": items.roles,
        "systems": items.systems,
        "role": role,
        "system": system,
        "listing": listing(request, sorts, sort, Paginator(items, PAIRS_SHOWN)),
    }
    return render(request, f"dashboard/{'trial_list' if is_compared else 'pair_list'}.html", context)


@require_safe
@staff_only
def pair_page(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    test = find_test(request, slug)
    questions = list(test.questions.order_by("id"))
    question = chosen_question(questions, request.GET.get("question"))
    pair = get_object_or_404(Pair.objects.select_related("test", "clip", "caption"), test=test, uuid=uuid)
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="pair_list"),
        "questions": questions,
        "question": question,
        "pair": pair,
        "look": pair_look(pair=pair, question=question),
        "trials": Trial.objects.filter(pairs=pair).order_by("id") if test.kind == TestKind.COMPARISON else [],
    }
    return render(request, "dashboard/pair_page.html", context)


@require_safe
@staff_only
def trial_page(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    """A trial of a comparison; side by side each sound has a page of its own."""
    test = find_test(request, slug)
    if test.kind != TestKind.COMPARISON:
        raise Http404("The test compares nothing.")
    questions = list(test.questions.order_by("id"))
    question = chosen_question(questions, request.GET.get("question"))
    try:
        look = trial_look(test=test, trial_uuid=uuid, question=question)
    except Trial.DoesNotExist as error:
        raise Http404 from error
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="pair_list"),
        "questions": questions,
        "question": question,
        "look": look,
        "line": look.line,
    }
    return render(request, "dashboard/trial_page.html", context)
