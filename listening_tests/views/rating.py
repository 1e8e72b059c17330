"""The rating page and what it asks the server for: the clips, and to store a rating."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests import rater_cookie
from listening_tests.byte_ranges import audio_response
from listening_tests.exceptions import RatingConflict, Refused, Withdrawn
from listening_tests.kinds import kind_of
from listening_tests.models import Assignment, ListeningTest, Session
from listening_tests.question_page import questions_on_page
from listening_tests.rating_json import Malformed, answer_read, sitting_state, skip_read
from listening_tests.selectors import assignments_open_then_sums, clip_for_rater
from listening_tests.services.ratings import rating_submit
from listening_tests.services.skips import assignment_skip
from listening_tests.stages import Stage
from listening_tests.views.pages import (
    elsewhere,
    offer_to_continue,
    outbox,
    session_by_slug,
    session_of,
    with_test,
)

NOT_KNOWN = "This browser is not known to the listening test any more. Open the link that you were given once again."
KEPT_BY_THE_BROWSER = f"private, max-age={7 * 24 * 3600}, immutable, no-transform"


@require_safe
@never_cache
@with_test
def rate(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    away = elsewhere(request, session, Stage.RATE)
    if away is not None:
        return away
    leases = assignments_open_then_sums(session=session)
    if not leases:
        return offer_to_continue(request, session)
    return render(request, f"rater/kinds/{kind_of(test).name}.html", _rating_context(session, leases))


@require_POST
@never_cache
def ratings(request: HttpRequest, slug: str) -> JsonResponse:
    """Stores one answer (201; 200 where it was stored before) and tells what comes next."""
    session = session_by_slug(slug, rater_cookie.rater_read(request))
    if session is None:
        return JsonResponse({"error": NOT_KNOWN}, status=403)
    try:
        assignment_uuid, answer = answer_read(session.test, request.body)
        receipt = rating_submit(session=session, assignment_uuid=assignment_uuid, answer=answer)
    except (Malformed, Refused) as fault:
        return _refusal(session, fault)
    return JsonResponse(sitting_state(receipt.session, receipt.leases), status=201 if receipt.created else 200)


@require_POST
@never_cache
def skips(request: HttpRequest, slug: str) -> JsonResponse:
    """Passes over a sound that would not play, and tells what comes next."""
    session = session_by_slug(slug, rater_cookie.rater_read(request))
    if session is None:
        return JsonResponse({"error": NOT_KNOWN}, status=403)
    browser = request.headers.get("User-Agent", "")
    try:
        receipt = assignment_skip(session=session, browser=browser, **skip_read(request.body))
    except (Malformed, Refused) as fault:
        return _refusal(session, fault)
    return JsonResponse(sitting_state(receipt.session, receipt.leases))


def _refusal(session: Session, fault: Malformed | Refused) -> JsonResponse:
    if isinstance(fault, Malformed):
        return JsonResponse({"error": str(fault)}, status=400)
    # The sitting is named, for the page that sent it may be of another rater who used this browser before.
    body: dict[str, Any] = {"error": str(fault), "sitting": str(session.uuid)}
    if isinstance(fault, RatingConflict):
        body["state"] = sitting_state(session, assignments_open_then_sums(session=session))
    statuses = {RatingConflict: 409, Withdrawn: 410}
    return JsonResponse(body, status=statuses.get(type(fault), 422))


@require_safe
def audio(request: HttpRequest, slug: str, assignment_uuid: UUID, place: int | None = None) -> HttpResponseBase:
    """The clip of an assignment, for its rater alone. Addressed by the assignment, and in a trial by the place in it:
    so a repeat looks new.
    """
    rater_uuid = rater_cookie.rater_read(request)
    if rater_uuid is None:
        raise Http404
    etag = f'"{assignment_uuid.hex}"' if place is None else f'"{assignment_uuid.hex}-{place}"'
    if request.headers.get("If-None-Match") == etag:
        # What the address names never changes: who has it needs nothing of ours.
        return HttpResponse(status=304, headers={"ETag": etag, "Cache-Control": KEPT_BY_THE_BROWSER})
    clip = clip_for_rater(slug=slug, assignment_uuid=assignment_uuid, rater_uuid=rater_uuid, place=place)
    if clip is None:
        raise Http404
    return audio_response(request, clip.rendition, etag=etag, cache_control=KEPT_BY_THE_BROWSER)


def _rating_context(session: Session, leases: list[Assignment]) -> dict[str, Any]:
    kind = kind_of(session.test).name
    page = {
        "kind": kind,
        "skips_url": reverse("listening_tests:skips", args=[session.test.slug]),
        "break_after_s": 60 * session.test.break_after_minutes,
    }
    return {
        "test": session.test,
        "session": session,
        "kind": kind,
        "questions": questions_on_page(session.test),
        "state": sitting_state(session, leases) | outbox(session) | page,
    }
