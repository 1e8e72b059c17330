"""Where a browser goes after a POST."""

from django.http import HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """303: the answer to the POST is another page, fetched with GET."""

    status_code = 303
