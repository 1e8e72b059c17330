"""The switch at the foot of each page: the language that a rater reads from then on."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.i18n import LANGUAGE_QUERY_PARAMETER, set_language

from listening_tests.views.pages import message


@never_cache
def choose_language(request: HttpRequest) -> HttpResponse | HttpResponseBase:
    """Keeps the choice in a cookie and shows the same page again. Of GET nothing is kept."""
    if request.method == "POST" and request.POST.get(LANGUAGE_QUERY_PARAMETER) not in dict(settings.LANGUAGES):
        sentence = _("This site does not speak that language. Go back and choose one of those at the foot of the page.")
        return message(request, None, _("This language is not here"), sentence, status=400)
    return set_language(request)
