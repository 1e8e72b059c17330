"""What a rater may do at any time: withdraw, report a problem, go on at another device."""

from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from listening_tests import rater_cookie
from listening_tests.choices import TestStatus, WithdrawnRatings
from listening_tests.endings import ending_of
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Session
from listening_tests.rater_forms import ProblemForm
from listening_tests.recruiters import claim_in_link, claim_parameters
from listening_tests.selectors import session_progress, sits_elsewhere
from listening_tests.services.problems import problem_report
from listening_tests.services.sound_set_up import sound_set_up_ask_again
from listening_tests.services.withdrawals import OUTCOMES, TREATMENTS, rater_withdraw
from listening_tests.stages import Stage, stage_of, stage_url
from listening_tests.views.pages import SOMEBODY_ELSE, message, outbox, session_of, with_test

NO_SITTING = gettext_lazy(
    "This browser has no sitting at this test, so there is nothing to withdraw here. Open the test in the browser that "
    "you used, or write to the people who invited you."
)
UNKNOWN_LINK = gettext_lazy(
    "This personal link leads nowhere. Copy the whole link from the page on your first device, and open it once again."
)
LINK_OF_WITHDRAWN = gettext_lazy(
    "The person of this personal link has withdrawn from the test, so it cannot be gone on with."
)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@with_test
def withdraw(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    """Explains, withdraws, and tells afterwards that it is done."""
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return message(request, test, _("Nothing to withdraw"), str(NO_SITTING))
    if request.method == "POST":
        # The page may be of another rater who used this browser before: what cannot be undone befalls nobody else.
        if request.POST.get("sitting") == str(session.uuid):
            rater_withdraw(session=session)
        return redirect("listening_tests:withdraw", test.slug)
    is_withdrawn = stage_of(session) == Stage.WITHDRAWN
    # As was promised to this rater: the test may be set up otherwise since.
    promised = WithdrawnRatings(session.consent.withdrawn_ratings)
    context: dict[str, object] = {"test": test, "session": session, "back_url": stage_url(session)}
    if is_withdrawn:
        # What still waits in this browser goes too: the server refuses it, and the browser forgets it.
        context |= {"outbox": outbox(session), "somebody_else_url": _somebody_else_url(request, test)}
        context |= {"outcome": OUTCOMES[promised], "ending": ending_of(session)}
        return render(request, "rater/withdrawn.html", context)
    context |= {"treatment": TREATMENTS[promised], "sits_elsewhere": sits_elsewhere(session=session)}
    return render(request, "rater/withdraw.html", context)


def _somebody_else_url(request: HttpRequest, test: ListeningTest) -> str:
    """The consent page for the person whom the link claims; empty where it claims nobody or the test takes nobody."""
    claimed = claim_parameters(claim_in_link(request.GET))
    if not claimed or test.status != TestStatus.OPEN:
        return ""
    return f"{reverse('listening_tests:welcome', args=[test.slug])}?{urlencode(claimed | {SOMEBODY_ELSE: '1'})}"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@with_test
def problem(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    session = session_of(test, rater_cookie.rater_read(request))
    back_url = stage_url(session) if session else reverse("listening_tests:welcome", args=[test.slug])
    context = {"test": test, "session": session, "back_url": back_url}
    if "sent" in request.GET:
        return render(request, "rater/problem_sent.html", context)
    if request.method == "POST":
        form = ProblemForm(request.POST)
        if form.is_valid():
            return _file(request, test, session, form)
        return render(request, "rater/problem.html", context | {"form": form}, status=422)
    form = ProblemForm(initial={"client_uuid": uuid4(), "pair": _uuid(request.GET.get("pair", ""))})
    return render(request, "rater/problem.html", context | {"form": form})


def _file(request: HttpRequest, test: ListeningTest, session: Session | None, form: ProblemForm) -> HttpResponse:
    try:
        problem_report(
            test=test,
            session=session,
            client_uuid=form.cleaned_data["client_uuid"],
            text=form.cleaned_data["text"],
            browser=request.headers.get("User-Agent", ""),
            assignment_uuid=form.cleaned_data["pair"],
        )
    except Refused as refusal:
        return message(request, test, _("The report was not taken"), str(refusal), status=429, session=session)
    return redirect(f"{reverse('listening_tests:problem', args=[test.slug])}?sent")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@require_safe
@never_cache
@with_test
def personal_link(request: HttpRequest, test: ListeningTest) -> HttpResponse:
    """The link that takes this sitting to another device."""
    session = session_of(test, rater_cookie.rater_read(request))
    if session is None:
        return redirect("listening_tests:welcome", test.slug)
    if stage_of(session) == Stage.WITHDRAWN:
        return redirect(stage_url(session))
    path = reverse("listening_tests:link", args=[test.slug, rater_cookie.link_write(session.uuid)])
    context = {
        "test": test,
        "session": session,
        "link": request.build_absolute_uri(path),
        "back_url": stage_url(session),
        # What waits in this browser will not be on the other device before it is saved.
        "outbox": outbox(session),
    }
    return render(request, "rater/personal_link.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@with_test
def link(request: HttpRequest, test: ListeningTest, token: str) -> HttpResponse:
    """A personal link as it is opened on another device: offers to go on there, and by POST does."""
    session = _linked(test, token)
    if session is None:
        return message(request, test, _("This link leads nowhere"), str(UNKNOWN_LINK), status=404)
    if stage_of(session) == Stage.WITHDRAWN:
        return message(request, test, _("Withdrawn"), str(LINK_OF_WITHDRAWN), status=410)
    rater_here = rater_cookie.rater_read(request)
    if request.method == "POST":
        return _go_on_here(session, is_other_device=rater_here != session.rater.uuid)
    context = {
        "test": test,
        "progress": session_progress(session=session),
        "is_of_somebody_else": rater_here not in (None, session.rater.uuid),
    }
    return render(request, "rater/link.html", context)


def _linked(test: ListeningTest, token: str) -> Session | None:
    session_uuid = rater_cookie.link_read(token)
    if session_uuid is None:
        return None
    return Session.objects.filter(test=test, uuid=session_uuid).select_related("test", "rater").first()


def _go_on_here(session: Session, *, is_other_device: bool) -> HttpResponse:
    rater_uuid = session.rater.uuid
    if is_other_device:
        session = sound_set_up_ask_again(session=session, is_other_device=True)
    response = redirect(stage_url(session))
    rater_cookie.rater_write(response, rater_uuid)
    return response
