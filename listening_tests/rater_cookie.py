"""Who a browser is: a pseudonym in a signed cookie, and the link to another device."""

from uuid import UUID, uuid4

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from listening_tests.models import RaterIdentity
from listening_tests.recruiters import Claim

NAME = "earmark_rater"
LIFETIME_S = 365 * 24 * 3600
_SALT = "listening_tests.rater"
_NEWCOMER_SALT = "listening_tests.newcomer"
_LINK_SALT = "listening_tests.personal_link"


def rater_read(request: HttpRequest) -> UUID | None:
    """The pseudonym in the browser's cookie; None where there is no cookie or it is not ours."""
    try:
        return UUID(request.get_signed_cookie(NAME, salt=_SALT, max_age=LIFETIME_S))
    except (KeyError, signing.BadSignature, ValueError):
        return None


def rater_read_unless_other(request: HttpRequest, claim: Claim) -> UUID | None:
    """As rater_read, but None where the link names another person than the one who used this browser before."""
    rater_uuid = rater_read(request)
    if rater_uuid is None or not claim.claimed_id:
        return rater_uuid
    known = RaterIdentity.objects.filter(rater__uuid=rater_uuid).values_list("recruiter", "claimed_id").first()
    return rater_uuid if known in (None, (claim.recruiter, claim.claimed_id)) else None


def rater_write(response: HttpResponseBase, rater_uuid: UUID) -> None:
    response.set_signed_cookie(
        NAME,
        str(rater_uuid),
        salt=_SALT,
        max_age=LIFETIME_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def newcomer_write() -> str:
    """A pseudonym for the consent form: a repeat of the request that sends it finds the same rater."""
    return signing.dumps(str(uuid4()), salt=_NEWCOMER_SALT)


def newcomer_read(text: str) -> UUID | None:
    try:
        return UUID(signing.loads(text, salt=_NEWCOMER_SALT, max_age=LIFETIME_S))
    except (signing.BadSignature, ValueError):
        return None


def link_write(session_uuid: UUID) -> str:
    """The secret part of a personal link, by which a sitting is continued on another device."""
    return signing.dumps(session_uuid.hex, salt=_LINK_SALT)


def link_read(token: str) -> UUID | None:
    """The uuid of the sitting that a personal link leads to; None where the link is not ours."""
    try:
        return UUID(signing.loads(token, salt=_LINK_SALT, max_age=LIFETIME_S))
    except (signing.BadSignature, ValueError):
        return None
