"""The clips of a test: a list with a picture and a player of each, and a clip's page with its pairs."""

from typing import Any
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from listening_tests.clip_lists import clip_of_test, clips_of_test, imports_of_test, pairs_of_clip
from listening_tests.models import Clip
from listening_tests.roles import Action, may
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.tabs import tabs_of

CLIPS_A_PAGE = 25
PAIRS_A_PAGE = 50
IMPORTS_SHOWN = 5


@require_safe
@staff_only
def clip_list(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    named, silent = request.GET.get("name", "").replace("\0", "").strip(), request.GET.get("silent") == "1"
    clips = clips_of_test(test=test, named=named, is_silent=True if silent else None)
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="clip_list"),
        "named": named,
        "only_silent": silent,
        "page": paged(clips, request, CLIPS_A_PAGE),
        "filters": urlencode({"name": named} | ({"silent": "1"} if silent else {})),
        "may_upload": may(request.user, Action.SET_UP, test),
        "imports": imports_of_test(test=test)[:IMPORTS_SHOWN],
    }
    return render(request, "dashboard/clips/list.html", context)


@require_safe
@staff_only
def clip_page(request: HttpRequest, slug: str, uuid: UUID) -> HttpResponse:
    test = find_test(request, slug)
    try:
        clip = clip_of_test(test=test, uuid=uuid)
    except Clip.DoesNotExist as error:
        raise Http404 from error
    context = {
        "section": "tests",
        "test": test,
        "tabs": tabs_of(test=test, user=request.user, current="clip_list"),
        "clip": clip,
        "page": paged(pairs_of_clip(test=test, clip=clip), request, PAIRS_A_PAGE),
        "filters": "",
    }
    return render(request, "dashboard/clips/clip.html", context)


def paged(rows: QuerySet[Any], request: HttpRequest, size: int) -> Page[Any]:
    """The page of the address, the nearest one where there is none of that number."""
    return Paginator(rows, size).get_page(request.GET.get("page"))
