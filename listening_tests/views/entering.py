"""The way in: consent, the start of a sitting, and the way back into one."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests import rater_cookie
from listening_tests.choices import TestStatus, WithdrawnRatings
from listening_tests.exceptions import ConsentChanged, Refused
from listening_tests.models import ListeningTest
from listening_tests.services.sessions import no_pair_sentence, session_resume, session_start
from listening_tests.services.sound_set_up import sound_set_up_ask_again
from listening_tests.services.withdrawals import TREATMENTS
from listening_tests.sitting_plan import sitting_plan
from listening_tests.stages import ACTIVE_STAGES, Stage, stage_of, stage_url
from listening_tests.views.pages import (
    SOMEBODY_ELSE,
    elsewhere,
    message,
    not_open,
    offer_to_continue,
    session_of,
    with_test,
)


@require_safe
@never_cache
@with_test
def welcome(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    """The address that raters are given: consent, or the way back into a sitting, or its code."""
    claim = rater_cookie.claim_in_link(request.GET)
    session = session_of(test, _rater_here(request, test, claim, request.GET))
    if session is not None:
        stage = stage_of(session)
        if stage == Stage.WITHDRAWN and claim.claimed_id:
            # Perhaps another person's link: who withdrew, nobody knows any more.
            return redirect(f"{stage_url(session)}?{urlencode(rater_cookie.claim_query(claim))}")
        if stage not in ACTIVE_STAGES:
            return redirect(stage_url(session))
        return elsewhere(request, session, stage) or offer_to_continue(request, session)
    if test.status != TestStatus.OPEN:
        return not_open(request, test)
    return _consent(request, test, claim)


def _rater_here(request: HttpRequest, test: ListeningTest, claim: rater_cookie.Claim, said: QueryDict) -> UUID | None:
    """The rater of this browser, unless the link or, after a withdrawal, the person says that they are another."""
    rater_uuid = rater_cookie.rater_read_unless_other(request, claim)
    if claim.claimed_id and SOMEBODY_ELSE in said:
        session = session_of(test, rater_uuid)
        if session is not None and stage_of(session) == Stage.WITHDRAWN:
            return None
    return rater_uuid


def _consent(
    request: HttpRequest, test: ListeningTest, claim: rater_cookie.Claim, *, changed: ConsentChanged | None = None
) -> HttpResponse:
    plan = sitting_plan(test=test)
    if not plan.pairs:
        return message(request, test, "Nothing is left to rate", no_pair_sentence(test=test))
    context = {
        "test": test,
        "plan": plan,
        "claim": claim,
        "newcomer": rater_cookie.newcomer_write(),
        "is_somebody_else": SOMEBODY_ELSE in request.GET or SOMEBODY_ELSE in request.POST,
        "treatment": TREATMENTS[WithdrawnRatings(test.withdrawn_ratings)],
        "changed": changed,
    }
    return render(request, "rater/consent.html", context, status=409 if changed else 200)


@require_POST
@with_test
def start(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    """Agreed: the sitting begins, or is found where it began before."""
    claim = rater_cookie.claim_in_form(request.POST)
    rater_uuid = _rater_here(request, test, claim, request.POST)
    rater_uuid = rater_uuid or rater_cookie.newcomer_read(request.POST.get("newcomer", ""))
    if rater_uuid is None:
        return redirect("listening_tests:welcome", test.slug)
    try:
        session = session_start(
            test=test,
            rater_uuid=rater_uuid,
            terms=request.POST.get("terms", ""),
            recruiter=claim.recruiter,
            claimed_id=claim.claimed_id,
        )
    except ConsentChanged as changed:
        return _consent(request, test, claim, changed=changed)
    except Refused as refusal:
        return message(request, test, "The test cannot start", str(refusal), status=409)
    response = redirect(stage_url(session))
    rater_cookie.rater_write(response, rater_uuid)
    return response


@require_POST
@with_test
def resume(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    session_resume(session=session)
    return redirect(stage_url(sound_set_up_ask_again(session=session)))
