"""Between consent and the first pair: the sound set-up."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from listening_tests import rater_cookie
from listening_tests.models import ListeningTest
from listening_tests.services.sound_set_up import sound_set_up_finish
from listening_tests.stages import Stage, stage_url
from listening_tests.views.pages import elsewhere, session_of, with_test


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@with_test
def sound(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    away = elsewhere(request, session, Stage.SOUND)
    if away is not None:
        return away
    if request.method == "POST":
        return redirect(stage_url(sound_set_up_finish(session=session)))
    return render(request, "rater/sound.html", {"test": test, "session": session})
