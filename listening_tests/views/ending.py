"""The end of a sitting: the last questions, thanks, and the completion code."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from listening_tests import rater_cookie
from listening_tests.choices import SessionStatus
from listening_tests.models import ListeningTest
from listening_tests.selectors import session_progress
from listening_tests.services.questionnaires import questionnaire_skip
from listening_tests.stages import Stage, stage_url
from listening_tests.views.pages import elsewhere, outbox, session_of, with_test


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@with_test
def questions(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    away = elsewhere(request, session, Stage.QUESTIONS)
    if away is not None:
        return away
    if request.method == "POST":
        return redirect(stage_url(questionnaire_skip(session=session)))
    context = {"test": test, "session": session, "outbox": outbox(session)}
    return render(request, "rater/questions.html", context)


@require_safe
@never_cache
@with_test
def done(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    away = elsewhere(request, session, Stage.DONE)
    if away is not None:
        return away
    context = {
        "test": test,
        "session": session,
        "progress": session_progress(session=session),
        "was_cut_short": session.status == SessionStatus.CUT_SHORT,
        "outbox": outbox(session),
    }
    return render(request, "rater/done.html", context)
