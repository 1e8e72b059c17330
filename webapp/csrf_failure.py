"""The answer to a POST that did not come from a page of ours."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_lazy as _
from django.views.csrf import csrf_failure as page_of_csrf_failure

SENTENCE = _(
    "This browser did not send the cookie that protects the page. Allow cookies for this site, and reload the page."
)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A page for who sent a form; scripts, which speak JSON, are answered in JSON."""
    if request.content_type == "application/json":
        return JsonResponse({"error": str(SENTENCE)}, status=403)
    return page_of_csrf_failure(request, reason=reason)
