"""What the rater's pages share: finding the test and the sitting, and telling a person something."""

import functools
from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from listening_tests.choices import TestStatus
from listening_tests.models import ListeningTest, Session
from listening_tests.selectors import session_for_rater, session_progress, test_for_raters
from listening_tests.services.sessions import NOT_OPEN_SENTENCES
from listening_tests.stages import ACTIVE_STAGES, BEFORE_RATING, Stage, stage_of, stage_url

NOT_FOUND = gettext_lazy("There is no listening test at this address. Check the link that you were given.")
NOT_OPEN_HEADINGS = {
    TestStatus.DRAFT: gettext_lazy("This test is not open yet"),
    TestStatus.PAUSED: gettext_lazy("This test is paused"),
    TestStatus.CLOSED: gettext_lazy("This test is closed"),
}
# Says in a link or a form: another person than the one who withdrew at this browser.
SOMEBODY_ELSE = "somebody_else"

Page = Callable[..., HttpResponse]


def with_test(view: Page) -> Page:
    """Hands the test at the slug to a page, or answers that there is none."""

    @functools.wraps(view)
    def page(request: HttpRequest, slug: str, **rest: str) -> HttpResponse:
        try:
            test = test_for_raters(slug=slug)
        except ListeningTest.DoesNotExist:
            return message(request, None, _("No listening test here"), str(NOT_FOUND), status=404)
        return view(request, test, **rest)

    return page


def session_of(test: ListeningTest, rater_uuid: UUID | None) -> Session | None:
    return session_by_slug(test.slug, rater_uuid)


def session_by_slug(slug: str, rater_uuid: UUID | None) -> Session | None:
    return session_for_rater(slug=slug, rater_uuid=rater_uuid) if rater_uuid else None


def elsewhere(request: HttpRequest, session: Session, here: Stage) -> HttpResponse | None:
    """The answer to a rater whose sitting does not stand at this page, or may not go on now; else None."""
    stage = stage_of(session)
    if stage in ACTIVE_STAGES and session.test.status == TestStatus.PAUSED:
        return not_open(request, session.test, session)
    if stage in BEFORE_RATING and session.test.status == TestStatus.CLOSED:
        # Nothing is left to be checked or set up for: the way on ends the sitting, cut short by the platform.
        return offer_to_continue(request, session)
    return redirect(stage_url(session)) if stage != here else None


def not_open(request: HttpRequest, test: ListeningTest, session: Session | None = None) -> HttpResponse:
    status = TestStatus(test.status)
    return message(request, test, str(NOT_OPEN_HEADINGS[status]), str(NOT_OPEN_SENTENCES[status]), session=session)


def offer_to_continue(request: HttpRequest, session: Session) -> HttpResponse:
    context = {
        "test": session.test,
        "session": session,
        "progress": session_progress(session=session),
        "outbox": outbox(session),
    }
    return render(request, "rater/continue.html", context)


def outbox(session: Session) -> dict[str, str]:
    """Where the page sends ratings, and the sitting whose ratings it may send."""
    ratings_url = reverse("listening_tests:ratings", args=[session.test.slug])
    return {"ratings_url": ratings_url, "sitting": str(session.uuid)}


def message(
    request: HttpRequest,
    test: ListeningTest | None,
    heading: str,
    sentence: str,
    *,
    status: int = 200,
    session: Session | None = None,
) -> HttpResponse:
    context = {
        "test": test,
        "session": session,
        "heading": heading,
        "sentence": sentence,
        "outbox": outbox(session) if session else None,
    }
    return render(request, "rater/message.html", context, status=status)
