"""Between consent and the first pair: the comprehension check, and the sound set-up with its sounds."""

from typing import Any
from urllib.parse import urlencode

from django.core.files.base import ContentFile
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from listening_tests import rater_cookie
from listening_tests.byte_ranges import file_response
from listening_tests.comprehension import check_items, verdict_read, verdict_write
from listening_tests.models import ListeningTest, Session
from listening_tests.rater_forms import CheckForm, SoundForm
from listening_tests.services.checks import MOST_ATTEMPTS, check_submit
from listening_tests.services.sound_set_up import sound_set_up_finish
from listening_tests.sound_set_up import SOUND_NAMES, sound_content
from listening_tests.stages import Stage, stage_of, stage_url
from listening_tests.views.pages import elsewhere, session_by_slug, session_of, with_test


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@with_test
def check(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    away = elsewhere(request, session, Stage.CHECK)
    if away is not None:
        return away
    if request.method == "POST":
        return _judge(request, session)
    return render(request, "rater/check.html", _check_context(session, _check_form(request, session)))


def _check_form(request: HttpRequest, session: Session) -> CheckForm:
    """Empty, or as it was answered, where the address tells what was wrong."""
    items, attempt = check_items(session), session.check_attempts + 1
    verdict = verdict_read(session, request.GET.get("verdict", ""))
    if verdict is None:
        return CheckForm(items, initial={"attempt": attempt})
    return CheckForm.judged(items, verdict, attempt=attempt)


def _judge(request: HttpRequest, session: Session) -> HttpResponse:
    form = CheckForm(check_items(session), request.POST)
    if not form.is_valid():
        return render(request, "rater/check.html", _check_context(session, form), status=422)
    answers = form.answers()
    receipt = check_submit(session=session, attempt=form.cleaned_data["attempt"], answers=answers)
    address = stage_url(receipt.session)
    if stage_of(receipt.session) == Stage.CHECK and receipt.counted:
        # In the address, so that back and reload ask for no form to be sent again.
        address += "?" + urlencode({"verdict": verdict_write(receipt.session, answers, receipt.wrong)})
    return redirect(address)


def _check_context(session: Session, form: CheckForm) -> dict[str, Any]:
    is_last_attempt = session.check_attempts == MOST_ATTEMPTS - 1
    return {"test": session.test, "session": session, "form": form, "is_last_attempt": is_last_attempt}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@with_test
def sound(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    """Whatever was answered or not, it goes on: the sound set-up keeps nobody from rating."""
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    away = elsewhere(request, session, Stage.SOUND)
    if away is not None:
        return away
    if request.method == "POST":
        form = SoundForm(request.POST)
        form.is_valid()
        return redirect(stage_url(sound_set_up_finish(session=session, heard=form.heard())))
    return render(request, "rater/sound.html", {"test": test, "session": session, "form": SoundForm()})


@require_safe
def sound_file(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """A sound of the sound set-up, as this sitting hears it. Its address and its tag tell nothing of the ear."""
    session = session_by_slug(slug, rater_cookie.rater_read(request))
    if session is None or name not in SOUND_NAMES:
        raise Http404("There is no such sound.")
    return file_response(
        request,
        ContentFile(sound_content(session, name)),
        content_type="audio/flac",
        etag=f'"{session.uuid.hex}-{name}"',
        # Asked for again each time, since the next rater of this browser hears others at the same address.
        cache_control="private, no-cache, no-transform",
    )
