"""The rating page of a preview: the real one, with answers that are read, checked, and let go."""

from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests.byte_ranges import audio_response
from listening_tests.exceptions import Refused
from listening_tests.kinds import kind_of
from listening_tests.models import ListeningTest
from listening_tests.question_page import questions_on_page
from listening_tests.rating_json import Malformed, answer_read, sitting_state, skip_read
from webapp.dashboard.access import find_test, staff_only
from webapp.preview.pages import show
from webapp.preview.walks import PreviewLease, audio_url, in_hand, leases_of_walk, session_of_walk

NO_SOUNDS = "This test has no sounds to preview yet. Upload clips first."
ANOTHER_WALK = "The test was changed while you walked through it. Reload the page to begin anew."


@require_safe
@never_cache
@staff_only
def rate(request: HttpRequest, slug: str) -> HttpResponse:
    """Begins anew whenever it is loaded: a browser keeps what it has given, and would wait for the next."""
    test = find_test(request, slug)
    walk = uuid4()
    leases = leases_of_walk(test, walk)
    if not leases:
        return show(request, test, "rater/message.html", {"heading": "Nothing to rate yet", "sentence": NO_SOUNDS})
    kind = kind_of(test).name
    addresses = {
        "ratings_url": reverse("preview:walk_ratings", args=[test.slug, walk]),
        "skips_url": reverse("preview:walk_skips", args=[test.slug, walk]),
        "sitting": str(walk),
        "kind": kind,
        "break_after_s": 60 * test.break_after_minutes,
    }
    context = {
        "kind": kind,
        "questions": questions_on_page(test),
        "state": _state(test, walk, leases, first=0) | addresses,
    }
    return show(request, test, f"rater/kinds/{kind}.html", context)


@require_POST
@never_cache
@staff_only
def ratings(request: HttpRequest, slug: str, walk: UUID) -> JsonResponse:
    """Says of an answer what the real page would, and what comes next."""
    test = find_test(request, slug)
    try:
        assignment_uuid, answer = answer_read(test, request.body)
        leases, lease = _found(test, walk, assignment_uuid)
        questions = list(test.questions.order_by("pk"))
        kind_of(test).refuse_unless_valid(questions=questions, given=answer.given, n_places=len(lease.pairs))
    except Malformed as fault:
        return JsonResponse({"error": str(fault)}, status=400)
    except Refused as fault:
        return JsonResponse({"error": str(fault), "sitting": str(walk)}, status=422)
    return JsonResponse(_state(test, walk, leases, first=lease.number + 1), status=201)


@require_POST
@never_cache
@staff_only
def skips(request: HttpRequest, slug: str, walk: UUID) -> JsonResponse:
    test = find_test(request, slug)
    try:
        leases, lease = _found(test, walk, skip_read(request.body)["assignment_uuid"])
    except Malformed as fault:
        return JsonResponse({"error": str(fault)}, status=400)
    except Refused as fault:
        return JsonResponse({"error": str(fault), "sitting": str(walk)}, status=422)
    return JsonResponse(_state(test, walk, leases, first=lease.number + 1))


@require_safe
@staff_only
def audio(request: HttpRequest, slug: str, walk: UUID, number: int, place: int) -> HttpResponseBase:
    leases = leases_of_walk(find_test(request, slug), walk)
    if number >= len(leases) or not 1 <= place <= len(leases[number].pairs):
        raise Http404("There is no such sound.")
    clip = leases[number].pairs[place - 1].clip
    etag = f'"{walk.hex}-{number}-{place}"'
    return audio_response(request, clip.rendition, etag=etag, cache_control="private, max-age=3600, no-transform")


def _found(test: ListeningTest, walk: UUID, assignment_uuid: UUID) -> tuple[list[PreviewLease], PreviewLease]:
    leases = leases_of_walk(test, walk)
    lease = next((one for one in leases if one.uuid == assignment_uuid), None)
    if lease is None:
        raise Refused(ANOTHER_WALK)
    return leases, lease


def _state(test: ListeningTest, walk: UUID, leases: list[PreviewLease], *, first: int) -> dict[str, Any]:
    saved = sum(not lease.is_practice for lease in leases[:first])
    session = session_of_walk(test, walk, leases, saved=saved)
    state = sitting_state(session, in_hand(leases, first=first), audio_url=audio_url)
    return state | {"done": None if first < len(leases) else reverse("preview:questions", args=[test.slug])}
