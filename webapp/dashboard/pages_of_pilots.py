"""Pilots of a test: begun, watched, cancelled and deleted."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from listening_tests.choices import AuditedAction
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest, Pilot
from listening_tests.roles import Action, visible_tests
from listening_tests.services.audit import audit_note
from listening_tests.services.pilots import pilot_cancel, pilot_delete, pilots_of
from listening_tests.services.test_status import NotReady
from webapp.dashboard.access import find_test, staff_only
from webapp.dashboard.forms_of_set_up import PilotForm
from webapp.dashboard.pages_of_set_up import set_up_page
from webapp.dashboard.redirects import SeeOther
from worker.services_pilots import pilot_start


@require_POST
@staff_only
def pilot(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Lets simulated raters into a copy of the test. A second press finds the first one's pilot."""
    test = find_test(request, slug, Action.SET_UP)
    form = PilotForm(request.POST)
    if not form.is_valid():
        return set_up_page(request, test, status=422, pilot=form)
    values = form.cleaned_data
    is_new = not ListeningTest.objects.filter(uuid=values["uuid"]).exists()
    try:
        pilot_start(test=test, **values)
    except NotReady as not_ready:
        for found in not_ready.shortcomings:
            messages.warning(request, f"The pilot was not started. {found.sentence}")
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        if is_new:
            detail = f"{values['n_raters']} simulated raters, {values['n_careless']} of them careless."
            audit_note(user=request.user, test=test, action=AuditedAction.PILOTED, detail=detail)
        messages.success(request, "Simulated raters are on their way into a copy of the test.")
    return _to_pilots(test)


@require_safe
@never_cache
@staff_only
def pilots_live(request: HttpRequest, slug: str) -> HttpResponse:
    """The part of the set-up page that refreshes itself while a pilot is on its way."""
    test = find_test(request, slug, Action.SET_UP)
    pilots = list(pilots_of(test=test))
    context = {"test": test, "pilots": pilots, "is_live": any(each.is_active for each in pilots)}
    response = render(request, "dashboard/parts/pilots.html", context)
    response.headers["HX-Reswap"] = "outerHTML"
    return response


@require_POST
@staff_only
def pilot_stop(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Stops the raters of a pilot. A repeat, or one that has ended, changes nothing."""
    copy = find_test(request, slug, Action.SET_UP)
    found = Pilot.objects.filter(test=copy).first()
    if found is None:
        raise Http404("This test has no simulated raters that could be stopped.")
    pilot_cancel(pilot=found)
    return _to_pilots(copy.pilot_of or copy)


@require_POST
@staff_only
def pilot_away(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Deletes a pilot with all that hangs on it. Where it is gone already, the list of tests is what is left."""
    copy = visible_tests(request.user).filter(slug=slug).select_related("pilot_of").first()
    if copy is None:
        # A second press, or somebody else's: there is nothing to delete.
        return SeeOther(reverse("dashboard:test_list"))
    find_test(request, slug, Action.SET_UP)
    original = copy.pilot_of
    try:
        pilot_delete(test=copy)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return SeeOther(reverse("dashboard:test_page", args=[copy.slug]))
    if original is None:
        return SeeOther(reverse("dashboard:test_list"))
    audit_note(user=request.user, test=original, action=AuditedAction.PILOTED, detail=f"Deleted the pilot {slug}.")
    messages.success(request, "The pilot is deleted, with all its sittings and answers.")
    return _to_pilots(original)


def _to_pilots(test: ListeningTest) -> SeeOther:
    return SeeOther(f"{reverse('dashboard:set_up', args=[test.slug])}#pilots")
