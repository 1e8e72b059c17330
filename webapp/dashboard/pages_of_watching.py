"""The live page of a test: what comes in this moment, refreshed without a reload; and who gets notices of it."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests.choices import Role
from listening_tests.models import ListeningTest, Member
from listening_tests.services.notices import member_set_notices
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.phrases import kind_words, pace_sentence, seconds_words
from webapp.dashboard.redirects import SeeOther
from webapp.dashboard.tabs import tabs_of
from worker.live import live_test

NOTICES_SHOWN = 10


@require_safe
@staff_only
def live(request: HttpRequest, slug: str) -> HttpResponse:
    test = find_test(request, slug)
    context = {
        "section": "tests",
        "tabs": tabs_of(test=test, user=request.user, current="live"),
        "notices": test.notices.all()[:NOTICES_SHOWN],
        "member": Member.objects.filter(test=test, user__username=request.user.get_username(), role=Role.OWNER).first(),
        **_live(test),
    }
    return render(request, "dashboard/live_page.html", context)


@require_safe
@never_cache
@staff_only
def live_part(request: HttpRequest, slug: str) -> HttpResponse:
    """The part that refreshes itself; once nobody can come any more, it takes the place of what refreshed itself."""
    context = _live(find_test(request, slug))
    response = render(request, "dashboard/parts/live.html", context)
    if not context["live"].is_going_on:
        response.headers["HX-Reswap"] = "outerHTML"
    return response


@require_POST
@staff_only
def notices(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Turns notices of the test on or off for who asks. A repeat changes nothing more."""
    test = find_test(request, slug)
    wanted = request.POST.get("wanted") == "1"
    if member_set_notices(test=test, user=cast(AbstractBaseUser, request.user), wanted=wanted):
        messages.success(request, f"You get {'' if wanted else 'no '}notices of this test from now on.")
    else:
        messages.error(request, "Notices go to the owners of a test, and you are none. Ask one to make you an owner.")
    return SeeOther(reverse("dashboard:live", args=[test.slug]))


def _live(test: ListeningTest) -> dict[str, Any]:
    figures = live_test(test=test)
    return {
        "test": test,
        "live": figures,
        "words": kind_words(test.kind),
        "pace": pace_sentence(test, figures),
        "seconds": seconds_words(figures.seconds.low, figures.seconds.median, figures.seconds.high),
    }
