"""Results of a test: the page, its pictures and tables to download, and the lists of pairs and captions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests.choices import TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Question
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.csv_files import csv_lines
from webapp.dashboard.listings import chosen_question
from webapp.dashboard.phrases import kind_words
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.result_tables import Cell, result_tables, said, system_name
from webapp.dashboard.tabs import tabs_of
from worker.models import ComputedResults, ModelScore
from worker.results import ResultsState, caption_results, newest_results, pair_results, results_state
from worker.scoring.selectors import scores_beside, scores_by_pair
from worker.services_of_results import results_request

ROWS_A_PAGE = 50
TYPES = {"svg": "image/svg+xml", "png": "image/png"}
THEMES = ("light", "dark", "print")


@dataclass(frozen=True)
class Sort:
    """A way to sort a list: what it is called in addresses, its words, and its order in the database."""

    name: str
    words: str
    order: tuple[Any, ...]


_WIDTH = F("high") - F("low")
_VALUES = (
    Sort("highest", "Highest score", ("-mean", "pk")),
    Sort("lowest", "Lowest score", ("mean", "pk")),
    Sort("widest", "Widest interval", (_WIDTH.desc(nulls_last=True), "pk")),
    Sort("most", "Most answers", ("-n", "pk")),
    Sort("fewest", "Fewest answers", ("n", "pk")),
)
PAIR_SORTS = (
    *_VALUES,
    Sort("caption", "Caption", ("pair__caption__text", "pk")),
    Sort("system", "System", ("pair__system", "pk")),
)
CAPTION_SORTS = (*_VALUES, Sort("caption", "Caption", ("caption__text", "pk")))


@require_safe
@staff_only
def results_page(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    question = _question_or_404(test, request.GET.get("question"))
    context = {**_frame(request, test, question), **_state(test, question)}
    done = context["state"].done if question else None
    if done is not None:
        context |= _shown(done)
    return render(request, "dashboard/results_page.html", context)


@require_safe
@never_cache
@staff_only
def results_live(request: HttpRequest, slug: str) -> HttpResponse:
    """The part of the page that refreshes itself while results are computed; then it loads the page anew."""
    test = find_test(request, slug)
    question = _question_or_404(test, request.GET.get("question"))
    state = results_state(test=test, question=question) if question else None
    if state is None or state.active is None:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"test": test, "question": question, "state": state}
    return render(request, "dashboard/parts/results_state.html", context)


@require_POST
@staff_only
def results_compute(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Asks for results. A second press finds the first one's; who may see them may have them counted anew."""
    test = find_test(request, slug)
    question = _question_or_404(test, request.POST.get("question"))
    if question is None:
        messages.error(request, f"“{test.title}” asks raters no question yet. Add one on its page in the admin.")
        return SeeOther(reverse("dashboard:results_page", args=[test.slug]))
    try:
        results_request(test=test, question=question)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return SeeOther(_address("results_page", test, question))


@require_safe
@staff_only
def results_picture(request: HttpRequest, slug: str, name: str, file_format: str) -> HttpResponse:
    """A picture in the colours of the page, or, with `download`, on white and with a heading."""
    from webapp.dashboard.pictures import Wanted  # loads matplotlib
    from webapp.dashboard.result_pictures import picture

    results = _results_or_404(request, slug)
    table = result_tables(results).get(name)
    theme = request.GET.get("theme", "print")
    if table is None or file_format not in TYPES or theme not in THEMES:
        raise Http404
    summary, is_compared = results.summary, results.test.kind == TestKind.COMPARISON
    wanted = Wanted(
        style=theme,
        file_format=file_format,
        is_narrow="narrow" in request.GET,
        heading=f"{results.test.title}: {results.question.name}",
        unit=_unit(name, is_compared),
        is_simulated=results.test.is_simulated,
        limits=(0, 10) if is_compared else (summary["scale"][0], summary["scale"][1]),
        mean_k=None if is_compared else summary["agreement"]["mean_k"],
    )
    response = HttpResponse(picture(table, wanted), content_type=TYPES[file_format])
    if "download" in request.GET:
        response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(results, name)}.{file_format}"'
    if request.GET.get("results") == str(results.uuid):
        # The address names the results, so what it gives stays the same.
        patch_cache_control(response, max_age=86_400)
    return response


@require_safe
@staff_only
def results_csv(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """The numbers of a picture, or of the list of pairs or captions, as CSV."""
    results = _results_or_404(request, slug)
    if name in _LISTS:
        header, rows = _LISTS[name](results)
    else:
        table = result_tables(results).get(name)
        if table is None:
            raise Http404
        header, rows = [column.name for column in table.columns], iter(table.rows)
    response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(results, name)}.csv"'
    return response


@require_safe
@staff_only
def results_pairs(request: HttpRequest, slug: str) -> HttpResponse:
    results = _results_or_404(request, slug)
    context = _list_page(request, results, pair_results(results=results), PAIR_SORTS)
    scores = scores_beside(rows=context["page"], test=results.test, question=results.question.name)
    context["lines"] = [(*line, *_modelled_score(scores.get(line[0].pair_id))) for line in context["lines"]]
    context["is_scored"] = bool(scores)
    return render(request, "dashboard/results_pairs.html", context)


@require_safe
@staff_only
def results_captions(request: HttpRequest, slug: str) -> HttpResponse:
    results = _results_or_404(request, slug)
    context = _list_page(request, results, caption_results(results=results), CAPTION_SORTS)
    return render(request, "dashboard/results_captions.html", context)


def _question_or_404(test: ListeningTest, name: str | None) -> Question | None:
    """The named question, else the first; None where the test asks none."""
    return chosen_question(list(test.questions.order_by("id")), name)


def _results_or_404(request: HttpRequest, slug: str) -> ComputedResults:
    test = find_test(request, slug)
    question = _question_or_404(test, request.GET.get("question"))
    results = newest_results(question=question) if question else None
    if results is None:
        raise Http404("Nothing has been computed yet.")
    return results


def _frame(request: HttpRequest, test: ListeningTest, question: Question | None) -> dict[str, Any]:
    return {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="results_page"),
        "words": kind_words(test.kind),
        "question": question,
        "questions": list(test.questions.order_by("id")),
    }


def _state(test: ListeningTest, question: Question | None) -> dict[str, ResultsState]:
    return {"state": results_state(test=test, question=question)} if question else {}


def _shown(results: ComputedResults) -> dict[str, Any]:
    summary = results.summary
    query = {"question": results.question.name, "results": str(results.uuid)}
    is_rated = results.test.kind != TestKind.COMPARISON
    return {
        "results": results,
        "summary": summary,
        "is_rated": is_rated,
        "n_left_out": results.n_answers - summary["answers"] if is_rated else 0,
        "pictures": {
            name: {"table": table, "query": urlencode(query)} for name, table in result_tables(results).items()
        },
        "query": urlencode({"question": results.question.name}),
        "facts": _agreement_facts(summary) if is_rated else [],
        "modelled": _modelled(summary) if is_rated else None,
    }


def _agreement_facts(summary: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value, and its interval or what else stands in brackets."""
    agreement = summary["agreement"]
    rows = [
        ("ICC(1,1)", agreement["icc1"]),
        ("Krippendorff’s alpha (interval)", agreement["alpha"]),
        ("Ceiling for a model (SRCC)", agreement["ceiling_srcc"]),
        ("One rater against the rest (SRCC)", agreement["one_vs_rest_srcc"]),
    ]
    facts = [(name, said(found["value"], "number"), _interval(found)) for name, found in rows]
    each = f"{said(agreement['mean_k'], 'number')} ratings each"
    facts.insert(2, ("Reliability of the pairs’ means", said(agreement["reliability"], "number"), each))
    parts = summary["variances"]
    if parts is not None:
        total = sum(parts.values()) or 1
        words = ", ".join(
            f"{said(parts[name], 'number')} {label} ({100 * parts[name] / total:.0f} %)"
            for name, label in (("pair", "pairs"), ("rater", "raters’ offsets"), ("residual", "the rest"))
        )
        facts.append(("Variance of a rating", words, ""))
    return facts


def _modelled(summary: dict[str, Any]) -> dict[str, Any]:
    model = summary["mixed_model"]
    rows = [
        (
            system_name(found["system"]),
            said(found["difference"]["value"], "signed"),
            _interval(found["difference"], "signed"),
            said(found["p"], "p"),
        )
        for found in model["differences"]
    ]
    return {"note": model["note"], "reference": system_name(model["reference"]), "rows": rows}


def _interval(found: dict[str, Any], style: str = "number") -> str:
    if found["low"] is None or found["high"] is None:
        return ""
    return f"{said(found['low'], style)} to {said(found['high'], style)}"


def _list_page(
    request: HttpRequest, results: ComputedResults, rows: QuerySet[Any], sorts: Sequence[Sort]
) -> dict[str, Any]:
    chosen = next((sort for sort in sorts if sort.name == request.GET.get("sort")), sorts[0])
    page: Page[Any] = Paginator(rows.order_by(*chosen.order), ROWS_A_PAGE).get_page(request.GET.get("page"))
    return {
        **_frame(request, results.test, results.question),
        "results": results,
        "page": page,
        "sorts": sorts,
        "chosen": chosen,
        "query": urlencode({"question": results.question.name}),
        "lines": [(row, said(row.mean, "number"), _interval({"low": row.low, "high": row.high})) for row in page],
        "is_rated": results.test.kind != TestKind.COMPARISON,
    }


def _modelled_score(score: ModelScore | None) -> tuple[str, str, bool | None]:
    """The score of the model in use, how far people lie around it, and whether it has learned from the pair."""
    if score is None:
        return "–", "", False
    around = f"± {said(score.score_sd, 'number')}" if score.score_sd is not None else ""
    return said(score.score, "number"), around, score.has_learned


def _unit(name: str, is_compared: bool) -> str:
    if name == "scores":
        return "Score"
    if name == "differences":
        return "Difference (logits)" if is_compared else "Difference of mean scores"
    return "Times in ten preferred to an average system" if is_compared else "Mean score"


def _pair_lines(results: ComputedResults) -> tuple[list[str], Iterator[Sequence[Cell]]]:
    columns = ["pair_uuid", "caption", "clip_sha256", "clip_name", "system", "mean", "low", "high", "sd", "answers"]
    columns += ["model_score", "model_score_sd", "model_cosine", "model_has_learned"]
    values = pair_results(results=results).order_by("pair_id").values_list(
        "pair_id", "pair__uuid", "pair__caption__text", "pair__clip__sha256", "pair__clip__name", "pair__system",
        "mean", "low", "high", "sd", "n",
    )  # fmt: skip
    scores = scores_by_pair(test=results.test, question=results.question.name)
    nothing: tuple[Cell, ...] = (None, None, None, None)
    rows = values.iterator(chunk_size=2_000)
    return columns, ((str(uuid), *rest, *scores.get(key, nothing)) for key, uuid, *rest in rows)


def _caption_lines(results: ComputedResults) -> tuple[list[str], Iterator[Sequence[Cell]]]:
    columns = ["caption", "language", "mean", "low", "high", "pairs", "ratings"]
    values = (
        caption_results(results=results)
        .order_by("caption_id")
        .values_list("caption__text", "caption__language", "mean", "low", "high", "n_pairs", "n")
    )
    return columns, values.iterator(chunk_size=2_000)


_LISTS = {"pairs": _pair_lines, "captions": _caption_lines}


def _file_name(results: ComputedResults, name: str) -> str:
    """Of the test's and the question's addresses, which hold nothing that a header could not."""
    simulated = "simulated-" if results.test.is_simulated else ""
    return f"{simulated}{results.test.slug}-{results.question.name}-{name}"


def _address(name: str, test: ListeningTest, question: Question) -> str:
    return f"{reverse(f'dashboard:{name}', args=[test.slug])}?{urlencode({'question': question.name})}"
