"""Views of the API: staff alone, each the tests of theirs, with what their role allows."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request

from listening_tests.models import ListeningTest
from listening_tests.roles import Action, may, visible_tests
from webapp.api.errors import ErrorSerializer


def find_test(request: Request, slug: str, action: Action) -> ListeningTest:
    """As of the dashboard: Http404 where the account may not see the test, PermissionDenied where not `action`."""
    test: ListeningTest = get_object_or_404(visible_tests(request.user), slug=slug)
    if action is not Action.VIEW and not may(request.user, action, test):
        raise PermissionDenied
    return test


class TestView(GenericAPIView[Any]):
    """An endpoint below a test, `self.test`: found, and allowed by `needs` (or `needs_by_method`), before it begins."""

    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    needs: ClassVar[Action] = Action.VIEW
    needs_by_method: ClassVar[dict[str, Action]] = {}
    test: ListeningTest

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        action = self.needs_by_method.get(request.method or "", self.needs)
        self.test = find_test(request, kwargs["slug"], action)


_ERRORS = {
    400: "What was sent cannot be read.",
    401: "No token, or one that does not hold.",
    403: "No staff, or the role does not allow it.",
    404: "Nothing is there, or it belongs to somebody else's test.",
    405: "This address takes other methods.",
    406: "There is no answer in the wanted form.",
    413: "What was sent is too large.",
    415: "What was sent is in a form that is not taken here.",
    422: "It was understood, and refused.",
    429: "Too many requests; Retry-After says how many seconds to wait.",
    503: "What would answer does not run just now, or not in time; Retry-After says how many seconds to wait.",
}
_ALWAYS = (400, 401, 403, 404, 405, 406, 429)


def answers(told: dict[Any, Any], *, refuses: tuple[int, ...] = ()) -> dict[Any, Any]:
    """What an endpoint answers, for `extend_schema`: `told`, what every one may refuse with, and `refuses`."""
    codes = sorted({*_ALWAYS, *refuses})
    return told | {code: OpenApiResponse(ErrorSerializer, description=_ERRORS[code]) for code in codes}


# Of endpoints that take something: a body that is too large, of a wrong type, or refused by a service.
TAKES = (413, 415, 422)
