"""Which language a page speaks: what the rater chose, else what their browser asks for, else English.

Pages of staff are in English, whatever their browser asks for; but what they preview speaks as it will to raters.
"""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.urls import is_valid_path
from django.utils import translation
from django.utils.cache import patch_vary_headers

RATERS = ("/t/", "/preview/", "/language/")
# Sounds and pictures are of no language, and kept by browsers for long.
SPOKEN = ("text/html", "application/json")


class RaterLanguageMiddleware(LocaleMiddleware):
    def process_request(self, request: HttpRequest) -> None:
        request.is_for_raters = is_for_raters(request.path_info)  # type: ignore[attr-defined]
        if request.is_for_raters:  # type: ignore[attr-defined]
            super().process_request(request)
        else:
            # The thread may have spoken another language to a rater before.
            translation.activate(settings.LANGUAGE_CODE)
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response_type = response.headers.get("Content-Type", "").partition(";")[0]
        if response_type in SPOKEN:
            response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
            if request.is_for_raters:  # type: ignore[attr-defined]
                patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response


def is_for_raters(path: str) -> bool:
    """Also of an address that leads nowhere: a rater may have mistyped it."""
    return path.startswith(RATERS) or not is_valid_path(path)
