"""Who may see the dashboard: staff who have signed in, each the tests of theirs."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.cache import patch_cache_control

from listening_tests.models import ListeningTest
from listening_tests.roles import Action, may, visible_tests
from worker.models import TrainingRun
from worker.selectors import run_by_uuid

View = Callable[..., HttpResponseBase]


def staff_only(view: View) -> View:
    """Sends who has not signed in to do so, refuses who is no staff, and keeps answers out of shared caches."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _ask_to_sign_in(request)
        if not request.user.is_staff:
            raise PermissionDenied
        response = view(request, **kwargs)
        patch_cache_control(response, private=True)
        return response

    return guarded


def _ask_to_sign_in(request: HttpRequest) -> HttpResponseBase:
    if "HX-Request" in request.headers:
        # A page that refreshes a part of itself loads anew as a whole, and so comes to the sign-in page.
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    is_page = request.method in {"GET", "HEAD"}
    return redirect_to_login(request.get_full_path() if is_page else reverse("dashboard:test_list"))


def find_run(request: HttpRequest, uuid: UUID, action: Action = Action.VIEW) -> TrainingRun:
    """The run of an address; raises as `find_test` of its test. `run.model_version` is there for a run that is done."""
    try:
        run = run_by_uuid(uuid=uuid)
    except TrainingRun.DoesNotExist as error:
        raise Http404 from error
    if not may(request.user, Action.VIEW, run.test):
        raise Http404
    if not may(request.user, action, run.test):
        raise PermissionDenied
    return run


def find_test(request: HttpRequest, slug: str, action: Action = Action.VIEW) -> ListeningTest:
    """The test of an address. Raises Http404 where the account may not see it, PermissionDenied where not `action`."""
    test = get_object_or_404(visible_tests(request.user), slug=slug)
    if action is not Action.VIEW and not may(request.user, action, test):
        raise PermissionDenied
    return test
