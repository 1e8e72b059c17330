"""A researcher's own tokens of the API: made here, shown once, taken back here."""

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from listening_tests.exceptions import Refused
from webapp.api.models import ApiToken
from webapp.api.tokens import LONGEST_NAME, token_create, token_revoke
from webapp.dashboard.access import staff_only
from webapp.dashboard.redirects import SeeOther

# Days after which a token ends; 0 is never.
LIVES = {"30": "30 days", "90": "90 days", "365": "a year", "0": "until I take it back"}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@staff_only
def tokens_page(request: HttpRequest) -> HttpResponse:
    """The list, and by POST a new token, whose key this one answer tells."""
    user, key, refused, name = cast(AbstractBaseUser, request.user), "", "", ""
    if request.method == "POST":
        name = request.POST.get("name", "")
        life = request.POST.get("days", "")
        try:
            _, key = token_create(user=user, name=name, days=int(life) if life in LIVES else 90)
        except Refused as refusal:
            refused = str(refusal)
    context = {
        "section": "tokens",
        "tokens": ApiToken.objects.filter(user_id=user.pk),
        "key": key,
        "refused": refused,
        "name": "" if key else name,
        "lives": LIVES,
        "longest_name": LONGEST_NAME,
        "api_address": request.build_absolute_uri(reverse("api:root")),
    }
    return render(request, "dashboard/tokens_page.html", context, status=422 if refused else 200)


@require_POST
@staff_only
def token_delete(request: HttpRequest, uuid: UUID) -> HttpResponseBase:
    if token_revoke(user=cast(AbstractBaseUser, request.user), uuid=uuid):
        messages.success(request, "The token was taken back. Whatever still sends it is refused.")
    return SeeOther(reverse("dashboard:tokens_page"))
