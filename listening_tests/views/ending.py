"""The end of a sitting: thanks, and the completion code."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from listening_tests import rater_cookie
from listening_tests.choices import FINISHED_SESSION_STATUSES, SessionStatus
from listening_tests.models import ListeningTest
from listening_tests.selectors import session_progress
from listening_tests.views.pages import outbox, session_of, with_test


@require_safe
@never_cache
@with_test
def done(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None or session.status not in FINISHED_SESSION_STATUSES:
        return redirect("listening_tests:welcome", test.slug)
    context = {
        "test": test,
        "progress": session_progress(session=session),
        "was_cut_short": session.status == SessionStatus.CUT_SHORT,
        "outbox": outbox(session),
    }
    return render(request, "rater/done.html", context)
