"""Between the sound set-up and the first pair, where the test asks for it: the headphone check with its sounds."""

from django.core.files.base import ContentFile
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from listening_tests import rater_cookie
from listening_tests.byte_ranges import file_response
from listening_tests.choices import HeadphoneCheck
from listening_tests.headphones import EXAMPLE, SOUND_NAMES, sound_content
from listening_tests.models import ListeningTest, Session
from listening_tests.rater_forms import HeadphoneForm
from listening_tests.services.headphones import headphones_skip, headphones_submit
from listening_tests.stages import Stage, stage_url
from listening_tests.views.pages import elsewhere, session_by_slug, session_of, with_test


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@with_test
def headphones(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    away = elsewhere(request, session, Stage.HEADPHONES)
    if away is not None:
        return away
    if request.method == "POST":
        return _judge(request, session)
    return _ask(request, session, HeadphoneForm(session, initial={"attempt": session.headphone_attempts + 1}))


def _judge(request: HttpRequest, session: Session) -> HttpResponse:
    if "skip" in request.POST:
        return redirect(stage_url(headphones_skip(session=session)))
    form = HeadphoneForm(session, request.POST)
    if not form.is_valid():
        return _ask(request, session, form, status=422)
    attempt = form.cleaned_data["attempt"]
    return redirect(stage_url(headphones_submit(session=session, attempt=attempt, places=form.places())))


def _ask(request: HttpRequest, session: Session, form: HeadphoneForm, *, status: int = 200) -> HttpResponse:
    context = {
        "test": session.test,
        "session": session,
        "form": form,
        "trials": list(zip(SOUND_NAMES, form.trials(), strict=True)),
        "example": EXAMPLE,
        "is_huggins": session.headphone_check == HeadphoneCheck.HUGGINS,
    }
    return render(request, "rater/headphones.html", context, status=status)


@require_safe
def headphone_sound(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """A sound of the check, as this sitting hears it at this attempt. Address and tag tell nothing of what is right."""
    session = session_by_slug(slug, rater_cookie.rater_read(request))
    if session is None:
        raise Http404("There is no such sound.")
    try:
        content = sound_content(session, name)
    except KeyError as error:
        raise Http404("There is no such sound.") from error
    return file_response(
        request,
        ContentFile(content),
        content_type="audio/flac",
        etag=f'"{session.uuid.hex}-headphones-{session.headphone_attempts}-{name}"',
        # Asked for again each time, since the next attempt, and the next rater of this browser, hear others here.
        cache_control="private, no-cache, no-transform",
    )
