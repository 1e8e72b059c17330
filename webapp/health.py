"""Whether this web server is well, for who watches it: a reverse proxy, Docker, a monitor. Open to everybody."""

from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

UNAVAILABLE = 503


@require_safe
@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """200 where the database answers, 503 where it does not. Workers are another matter: `manage.py doctor`."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return JsonResponse({"status": "failed", "detail": "The database does not answer."}, status=UNAVAILABLE)
    return JsonResponse({"status": "ok"})
