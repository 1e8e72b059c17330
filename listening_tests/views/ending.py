"""The end of a sitting: the last questions, thanks, and the completion code; or the end that the check brought."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from listening_tests import rater_cookie
from listening_tests.choices import Outcome, SessionStatus
from listening_tests.endings import ending_of
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Session
from listening_tests.rater_forms import QuestionnaireForm
from listening_tests.selectors import session_progress
from listening_tests.services.questionnaires import questionnaire_skip, questionnaire_submit
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
    if "skip" in request.POST:
        return redirect(stage_url(questionnaire_skip(session=session)))
    form = QuestionnaireForm(test.survey_questions.all(), request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _ask(request, session, form, status=422 if form.is_bound else 200)
    try:
        return redirect(stage_url(questionnaire_submit(session=session, answers=form.answers())))
    except Refused as refusal:
        form = QuestionnaireForm(test.survey_questions.all(), request.POST)
        return _ask(request, session, form, status=409, refusal=refusal)


def _ask(
    request: HttpRequest, session: Session, form: QuestionnaireForm, *, status: int, refusal: Refused | None = None
) -> HttpResponse:
    context = {
        "test": session.test,
        "session": session,
        "form": form,
        "refusal": refusal,
        "outbox": outbox(session),
    }
    return render(request, "rater/questions.html", context, status=status)


@require_safe
@never_cache
@with_test
def done(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    return _last_page(request, test, Stage.DONE, "rater/done.html")


@require_safe
@never_cache
@with_test
def screened(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    return _last_page(request, test, Stage.SCREENED, "rater/screened.html")


def _last_page(request: HttpRequest, test: ListeningTest, stage: Stage, template: str) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    away = elsewhere(request, session, stage)
    if away is not None:
        return away
    return render(request, template, _result(session))


def _result(session: Session) -> dict[str, object]:
    return {
        "test": session.test,
        "session": session,
        "progress": session_progress(session=session),
        "was_cut_short": session.status == SessionStatus.CUT_SHORT,
        "was_technical": session.outcome == Outcome.TECHNICAL_FAILURE,
        "ending": ending_of(session),
        "outbox": outbox(session),
    }
