"""The raters of a test under their pseudonyms, and one rater closely."""

from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from listening_tests.models import Rater, RaterIdentity
from listening_tests.roles import Action, may
from webapp.dashboard import charts
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.listings import chosen_question, listing, sort_asked
from webapp.dashboard.phrases import kind_words, seconds_words
from webapp.dashboard.tabs import tabs_of
from worker.closer_looks import rater_look
from worker.rater_lists import RATER_SORTS, rater_list

RATERS_SHOWN = 50
# What can be sorted by, as a person reads it.
_SORTS = {
    "n_answers": "Answers",
    "offset": "Offset",
    "sd": "Spread",
    "agreement": "Agreement",
    "n_left_out": "Left out",
    "n_too_soon": "Too soon",
    "n_late": "Late",
    "seconds": "Time",
}
# Of a comparison an offset and a spread say nothing.
_SORTS_OF_COMPARISON = {name: label for name, label in _SORTS.items() if name not in {"offset", "sd"}}


@require_safe
@staff_only
def rater_list_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    questions = list(test.questions.order_by("id"))
    question = chosen_question(questions, request.GET.get("question"))
    sort = sort_asked(request, RATER_SORTS, "-n_answers")
    raters = rater_list(test=test, question=question, sort=sort)
    sorts = _SORTS_OF_COMPARISON if test.kind == "comparison" else _SORTS
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="rater_list"),
        "words": kind_words(test.kind),
        "questions": questions,
        "question": question,
        "counted_at": raters.at,
        "listing": listing(request, sorts, sort, Paginator(raters, RATERS_SHOWN)),
    }
    return render(request, "dashboard/rater_list.html", context)


@require_safe
@staff_only
def rater_page(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    test = find_test(request, slug)
    questions = list(test.questions.order_by("id"))
    question = chosen_question(questions, request.GET.get("question"))
    rater = get_object_or_404(Rater, uuid=uuid)
    look = rater_look(test=test, rater=rater, question=question)
    if look is None:
        raise Http404("This rater has nothing to do with the test.")
    may_know_who = may(request.user, Action.PAY, test)
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="rater_list"),
        "words": kind_words(test.kind),
        "questions": questions,
        "question": question,
        "look": look,
        "line": look.line,
        "may_know_who": may_know_who,
        "identity": RaterIdentity.objects.filter(rater=rater).first() if may_know_who else None,
        "scale_use": charts.scale_use(look, test.kind),
        "seconds": seconds_words(look.seconds.low, look.seconds.median, look.seconds.high),
    }
    return render(request, "dashboard/rater_page.html", context)
