"""The pages before and after rating, as a rater has them. A form that is sent leads on and leaves nothing behind."""

from typing import Any

from django.core.files.base import ContentFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from listening_tests import headphones as headphone_check
from listening_tests import sound_set_up
from listening_tests.byte_ranges import file_response
from listening_tests.choices import HeadphoneCheck, WithdrawnRatings
from listening_tests.comprehension import Verdict, check_items
from listening_tests.endings import Ending
from listening_tests.models import ListeningTest
from listening_tests.rater_forms import CheckForm, HeadphoneForm, QuestionnaireForm, SoundForm
from listening_tests.recruiters import Claim
from listening_tests.selectors import Progress
from listening_tests.services.withdrawals import PROMISES
from listening_tests.sitting_plan import whole_sitting_plan
from webapp.dashboard.access import find_test, staff_only
from webapp.preview.walks import CODE, SHOWN, session_of_walk, walk_of_account

# A code that is none, and no way to a recruiter, who would take it for a submission.
NO_ENDING = Ending(code=CODE, way_back="", recruiter="")
NO_STORE = "private, no-store, no-transform"


@require_safe
@never_cache
@staff_only
def welcome(request: HttpRequest, slug: str) -> HttpResponse:
    test = _test(request, slug)
    context = {
        "plan": whole_sitting_plan(test=test),
        "claim": Claim(),
        "newcomer": "",
        "promise": PROMISES[WithdrawnRatings(test.withdrawn_ratings)],
    }
    return show(request, test, "rater/consent.html", context)


@require_POST
@staff_only
def start(request: HttpRequest, slug: str) -> HttpResponseBase:
    test = _test(request, slug)
    return redirect("preview:check" if test.check_questions.exists() else "preview:sound", test.slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def check(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What is wrong is said, as often as it is tried."""
    test = _test(request, slug)
    items = check_items(session_of_walk(test, walk_of_account(request, test)))
    form = CheckForm(items, request.POST if request.method == "POST" else None, initial={"attempt": 1})
    if form.is_bound and form.is_valid():
        answers = form.answers()
        wrong = frozenset(item.question.pk for item in items if not item.is_right(answers.get(item.question.pk)))
        if not wrong:
            return redirect("preview:sound", test.slug)
        form = CheckForm.judged(items, Verdict(answers, wrong), attempt=1)
    return show(request, test, "rater/check.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def sound(request: HttpRequest, slug: str) -> HttpResponseBase:
    test = _test(request, slug)
    if request.method == "POST":
        has_check = test.headphone_check != HeadphoneCheck.NONE
        return redirect("preview:headphones" if has_check else "preview:rate", test.slug)
    return show(request, test, "rater/sound.html", {"form": SoundForm()})


@require_safe
@staff_only
def sound_file(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    test = _test(request, slug)
    if name not in sound_set_up.SOUND_NAMES:
        raise Http404("There is no such sound.")
    return _flac(request, test, name, sound_set_up.sound_content(_session(request, test), name))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def headphones(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Whatever was found leads on: nobody is tested here."""
    test = _test(request, slug)
    if test.headphone_check == HeadphoneCheck.NONE:
        return redirect("preview:rate", test.slug)
    session = _session(request, test)
    form = HeadphoneForm(session, request.POST if request.method == "POST" else None, initial={"attempt": 1})
    if request.method == "POST" and ("skip" in request.POST or form.is_valid()):
        return redirect("preview:rate", test.slug)
    context = {
        "form": form,
        "trials": list(zip(headphone_check.SOUND_NAMES, form.trials(), strict=True)),
        "example": headphone_check.EXAMPLE,
        "is_huggins": test.headphone_check == HeadphoneCheck.HUGGINS,
    }
    return show(request, test, "rater/headphones.html", context, status=422 if form.errors else 200)


@require_safe
@staff_only
def headphone_sound(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    test = _test(request, slug)
    try:
        content = headphone_check.sound_content(_session(request, test), name)
    except KeyError as error:
        raise Http404("There is no such sound.") from error
    return _flac(request, test, f"headphones-{name}", content)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def questions(request: HttpRequest, slug: str) -> HttpResponseBase:
    test = _test(request, slug)
    form = QuestionnaireForm(test.survey_questions.all(), request.POST if request.method == "POST" else None)
    if request.method == "POST" and ("skip" in request.POST or form.is_valid()):
        return redirect("preview:done", test.slug)
    return show(request, test, "rater/questions.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@never_cache
@staff_only
def done(request: HttpRequest, slug: str) -> HttpResponse:
    test = _test(request, slug)
    n_shown = sum(number for _, number in SHOWN[1:])
    return show(request, test, "rater/done.html", {"progress": Progress(n_shown, n_shown), "ending": NO_ENDING})


@require_POST
@staff_only
def declined(request: HttpRequest, slug: str) -> HttpResponse:
    test = _test(request, slug)
    context = {"ending": NO_ENDING, "consent_url": reverse("preview:welcome", args=[test.slug])}
    return show(request, test, "rater/declined.html", context)


@require_safe
@never_cache
@staff_only
def nothing_here(request: HttpRequest, slug: str) -> HttpResponse:
    """Reports, personal links and withdrawals are about a sitting, and a preview is none."""
    test = _test(request, slug)
    sentence = "Raters find here what is about their own sitting. A preview has none: nothing is stored of it."
    return show(request, test, "rater/message.html", {"heading": "Nothing to see in a preview", "sentence": sentence})


def show(
    request: HttpRequest, test: ListeningTest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """A page of the rater's with the bar that says what this is."""
    shared = {"test": test, "is_preview": True, "session": _session(request, test), "outbox": None}
    return render(request, template, shared | context, status=status)


def _test(request: HttpRequest, slug: str) -> ListeningTest:
    return find_test(request, slug)


def _session(request: HttpRequest, test: ListeningTest) -> Any:
    return session_of_walk(test, walk_of_account(request, test))


def _flac(request: HttpRequest, test: ListeningTest, name: str, content: bytes) -> HttpResponseBase:
    return file_response(
        request,
        ContentFile(content),
        content_type="audio/flac",
        etag=f'"{walk_of_account(request, test).hex}-{name}"',
        cache_control=NO_STORE,
    )
