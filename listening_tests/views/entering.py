"""The way in: consent, the start of a sitting, and the way back into one."""

from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from listening_tests import rater_cookie
from listening_tests.choices import Outcome, TestStatus, WithdrawnRatings
from listening_tests.endings import ending
from listening_tests.exceptions import ConsentChanged, Refused
from listening_tests.models import ListeningTest
from listening_tests.recruiters import Claim, claim_in_form, claim_in_link, claim_parameters
from listening_tests.recruitment import excluded_sentence, full_sentence
from listening_tests.services.recruitment import consent_decline
from listening_tests.services.sessions import no_pair_sentence, session_resume, session_start
from listening_tests.services.sound_set_up import sound_set_up_ask_again
from listening_tests.services.withdrawals import PROMISES
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
    claim = claim_in_link(request.GET)
    rater_uuid = _rater_here(request, test, claim, request.GET)
    session = session_of(test, rater_uuid)
    if session is not None:
        stage = stage_of(session)
        if stage == Stage.WITHDRAWN and claim.claimed_id:
            # Perhaps another person's link: who withdrew, nobody knows any more.
            return redirect(f"{stage_url(session)}?{urlencode(claim_parameters(claim))}")
        if stage not in ACTIVE_STAGES:
            return redirect(stage_url(session))
        return elsewhere(request, session, stage) or offer_to_continue(request, session)
    if test.status != TestStatus.OPEN:
        return not_open(request, test)
    return _turned_away(request, test, rater_uuid, claim) or _consent(request, test, claim)


def _rater_here(request: HttpRequest, test: ListeningTest, claim: Claim, said: QueryDict) -> UUID | None:
    """The rater of this browser, unless the link or, after a withdrawal, the person says that they are another."""
    rater_uuid = rater_cookie.rater_read_unless_other(request, claim)
    if claim.claimed_id and SOMEBODY_ELSE in said:
        session = session_of(test, rater_uuid)
        if session is not None and stage_of(session) == Stage.WITHDRAWN:
            return None
    return rater_uuid


def _turned_away(
    request: HttpRequest, test: ListeningTest, rater_uuid: UUID | None, claim: Claim
) -> HttpResponse | None:
    """The answer to a newcomer whom the test does not take, before they have read or agreed to anything; else None."""
    excluded = excluded_sentence(test=test, rater_uuid=rater_uuid, claim=claim)
    if excluded is not None:
        return message(request, test, _("This study is not for you"), excluded)
    full = full_sentence(test=test)
    return message(request, test, _("This study is full"), full) if full is not None else None


def _consent(
    request: HttpRequest, test: ListeningTest, claim: Claim, *, changed: ConsentChanged | None = None
) -> HttpResponse:
    plan = sitting_plan(test=test)
    if not plan.pairs:
        return message(request, test, _("Nothing is left to rate"), no_pair_sentence(test=test))
    context = {
        "test": test,
        "plan": plan,
        "claim": claim,
        "newcomer": rater_cookie.newcomer_write(),
        "is_somebody_else": SOMEBODY_ELSE in request.GET or SOMEBODY_ELSE in request.POST,
        "promise": PROMISES[WithdrawnRatings(test.withdrawn_ratings)],
        "changed": changed,
    }
    return render(request, "rater/consent.html", context, status=409 if changed else 200)


@require_POST
@with_test
def start(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    """Agreed: the sitting begins, or is found where it began before."""
    claim = claim_in_form(request.POST)
    rater_uuid = _rater_here(request, test, claim, request.POST)
    rater_uuid = rater_uuid or rater_cookie.newcomer_read(request.POST.get("newcomer", ""))
    if rater_uuid is None:
        return redirect("listening_tests:welcome", test.slug)
    try:
        session = session_start(
            test=test,
            rater_uuid=rater_uuid,
            terms=request.POST.get("terms", ""),
            claim=claim,
        )
    except ConsentChanged as changed:
        return _consent(request, test, claim, changed=changed)
    except Refused as refusal:
        return message(request, test, _("The test cannot start"), str(refusal), status=409)
    response = redirect(stage_url(session))
    rater_cookie.rater_write(response, rater_uuid)
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@with_test
def declined(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    """Where "No" leads: counts it by POST, and gives the code for it. Who thinks better of it keeps their claim."""
    if request.method == "POST":
        return _decline(request, test)
    address = _with_claim("welcome", test, claim_in_link(request.GET))
    context = {"test": test, "ending": ending(test, Outcome.NO_CONSENT), "consent_url": address}
    return render(request, "rater/declined.html", context)


def _decline(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    form = rater_cookie.newcomer_read(request.POST.get("newcomer", ""))
    has_agreed = session is not None and session.rater.uuid == form
    if form is not None and not has_agreed:
        consent_decline(test=test, form=form)
    return redirect(_with_claim("declined", test, claim_in_form(request.POST)))


def _with_claim(name: str, test: ListeningTest, claim: Claim) -> str:
    address, said = reverse(f"listening_tests:{name}", args=[test.slug]), claim_parameters(claim)
    return f"{address}?{urlencode(said)}" if said else address


@require_POST
@with_test
def resume(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    try:
        session_resume(session=session, comes_back=True)
    except Refused as refusal:
        return message(request, test, _("This study is full"), str(refusal), status=409, session=session)
    return redirect(stage_url(sound_set_up_ask_again(session=session)))
