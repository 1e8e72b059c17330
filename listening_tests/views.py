"""The rater's pages. GET never changes anything: what begins, continues or rates comes by POST."""

import functools
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models.fields.files import FieldFile
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests import rater_cookie
from listening_tests.byte_ranges import audio_response
from listening_tests.choices import FINISHED_SESSION_STATUSES, SessionStatus, TestStatus
from listening_tests.exceptions import RatingConflict, Refused
from listening_tests.models import Assignment, ListeningTest, Session
from listening_tests.rating_json import Malformed, rating_read, sitting_state
from listening_tests.selectors import assignment_current, session_for_rater, session_progress, test_for_raters
from listening_tests.services.ratings import rating_submit
from listening_tests.services.sessions import NO_PAIR_LEFT, NOT_OPEN_SENTENCES, session_resume, session_start
from listening_tests.sitting_plan import sitting_plan

NOT_FOUND = "There is no listening test at this address. Check the link that you were given."
NOT_KNOWN = "This browser is not known to the listening test any more. Open the link that you were given once again."
WEEK_S = 7 * 24 * 3600

Page = Callable[[HttpRequest, ListeningTest], HttpResponse]


def with_test(view: Page) -> Callable[[HttpRequest, str], HttpResponse]:
    """Hands the test at the slug to a page, or answers that there is none."""

    @functools.wraps(view)
    def page(request: HttpRequest, slug: str) -> HttpResponse:
        try:
            test = test_for_raters(slug=slug)
        except ListeningTest.DoesNotExist:
            return _message(request, None, "No listening test here", NOT_FOUND, status=404)
        return view(request, test)

    return page


@require_safe
@never_cache
@with_test
def welcome(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    """The address that raters are given: consent, or the way back into a sitting, or its code."""
    claim = rater_cookie.claim_in_link(request.GET)
    session = _session_of(test, rater_cookie.rater_read_unless_other(request, claim))
    if session is not None:
        return _ended_or_paused(request, session) or _offer_to_continue(request, session)
    if test.status != TestStatus.OPEN:
        return _not_open(request, test)
    plan = sitting_plan(test=test)
    if not plan.pairs:
        return _message(request, test, "Nothing is left to rate", NO_PAIR_LEFT)
    context = {"test": test, "plan": plan, "claim": claim, "newcomer": rater_cookie.newcomer_write()}
    return render(request, "rater/consent.html", context)


@require_POST
@with_test
def start(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    """Agreed: the sitting begins, or is found where it began before."""
    claim = rater_cookie.claim_in_form(request.POST)
    rater_uuid = rater_cookie.rater_read_unless_other(request, claim)
    rater_uuid = rater_uuid or rater_cookie.newcomer_read(request.POST.get("newcomer", ""))
    if rater_uuid is None:
        return redirect("listening_tests:welcome", test.slug)
    try:
        session_start(test=test, rater_uuid=rater_uuid, recruiter=claim.recruiter, claimed_id=claim.claimed_id)
    except Refused as refusal:
        return _message(request, test, "The test cannot start", str(refusal), status=409)
    response = redirect("listening_tests:rate", test.slug)
    rater_cookie.rater_write(response, rater_uuid)
    return response


@require_safe
@never_cache
@with_test
def rate(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = _session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    ended_or_paused = _ended_or_paused(request, session)
    if ended_or_paused is not None:
        return ended_or_paused
    assignment = assignment_current(session=session)
    if assignment is None:
        return _offer_to_continue(request, session)
    return render(request, "rater/rating.html", _rating_context(session, assignment))


@require_POST
@with_test
def resume(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = _session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    session_resume(session=session)
    return redirect("listening_tests:rate", test.slug)


@require_POST
@never_cache
def ratings(request: HttpRequest, slug: str) -> JsonResponse:
    """Stores one rating (201; 200 where it was stored before) and answers with the next pair."""
    session = _session_by_slug(slug, rater_cookie.rater_read(request))
    if session is None:
        return JsonResponse({"error": NOT_KNOWN}, status=403)
    try:
        assignment_uuid, answer = rating_read(request.body)
        receipt = rating_submit(session=session, assignment_uuid=assignment_uuid, answer=answer)
    except Malformed as fault:
        return JsonResponse({"error": str(fault)}, status=400)
    except RatingConflict as conflict:
        return JsonResponse({"error": str(conflict)}, status=409)
    except Refused as refusal:
        # Named, for the page that sent it may be of another rater who used this browser before.
        return JsonResponse({"error": str(refusal), "sitting": str(session.uuid)}, status=422)
    state = sitting_state(receipt.session, receipt.next_assignment)
    return JsonResponse(state, status=201 if receipt.created else 200)


@require_safe
@never_cache
@with_test
def done(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = _session_of(test, rater_cookie.rater_read(request))
    if session is None or session.status not in FINISHED_SESSION_STATUSES:
        return redirect("listening_tests:welcome", test.slug)
    context = {
        "test": test,
        "progress": session_progress(session=session),
        "was_cut_short": session.status == SessionStatus.CUT_SHORT,
        "outbox": _outbox(session),
    }
    return render(request, "rater/done.html", context)


@require_safe
def audio(request: HttpRequest, slug: str, assignment_uuid: UUID) -> HttpResponseBase:
    """The clip of an assignment, for its rater alone. Addressed by the assignment, so that a repeat looks new."""
    rater_uuid = rater_cookie.rater_read(request)
    if rater_uuid is None:
        raise Http404
    return audio_response(
        request,
        _rendition(slug, assignment_uuid, rater_uuid),
        etag=f'"{assignment_uuid.hex}"',
        cache_control=f"private, max-age={WEEK_S}, immutable, no-transform",
    )


def _rendition(slug: str, assignment_uuid: UUID, rater_uuid: UUID) -> FieldFile:
    own = Assignment.objects.filter(uuid=assignment_uuid, session__test__slug=slug, rater__uuid=rater_uuid)
    assignment = own.select_related("pair__clip").first()
    if assignment is None:
        raise Http404
    return assignment.pair.clip.rendition


def _session_of(test: ListeningTest, rater_uuid: UUID | None) -> Session | None:
    return session_for_rater(test=test, rater_uuid=rater_uuid) if rater_uuid else None


def _session_by_slug(slug: str, rater_uuid: UUID | None) -> Session | None:
    try:
        return _session_of(test_for_raters(slug=slug), rater_uuid)
    except ListeningTest.DoesNotExist:
        return None


def _ended_or_paused(request: HttpRequest, session: Session) -> HttpResponse | None:
    if session.status in FINISHED_SESSION_STATUSES:
        return redirect("listening_tests:done", session.test.slug)
    if session.test.status == TestStatus.PAUSED:
        return _not_open(request, session.test, session)
    return None


def _not_open(request: HttpRequest, test: ListeningTest, session: Session | None = None) -> HttpResponse:
    status = TestStatus(test.status)
    heading = f"This test is {status.label.lower()}"
    return _message(request, test, heading, NOT_OPEN_SENTENCES[status], session=session)


def _offer_to_continue(request: HttpRequest, session: Session) -> HttpResponse:
    context = {"test": session.test, "progress": session_progress(session=session), "outbox": _outbox(session)}
    return render(request, "rater/continue.html", context)


def _rating_context(session: Session, assignment: Assignment) -> dict[str, Any]:
    question = session.test.questions.order_by("pk")[:1].get()
    return {
        "test": session.test,
        "question": question,
        "scale": [f"{value:g}" for value in question.values()],
        "state": sitting_state(session, assignment) | _outbox(session),
    }


def _outbox(session: Session) -> dict[str, str]:
    """Where the page sends ratings, and the sitting whose ratings it may send."""
    ratings_url = reverse("listening_tests:ratings", args=[session.test.slug])
    return {"ratings_url": ratings_url, "sitting": str(session.uuid)}


def _message(
    request: HttpRequest,
    test: ListeningTest | None,
    heading: str,
    sentence: str,
    *,
    status: int = 200,
    session: Session | None = None,
) -> HttpResponse:
    outbox = _outbox(session) if session else None
    context = {"test": test, "heading": heading, "sentence": sentence, "outbox": outbox}
    return render(request, "rater/message.html", context, status=status)
