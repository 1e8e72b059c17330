"""Who a browser is: a pseudonym in a signed cookie, what a recruiter's link claims, and the link to another device."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase

from listening_tests.models import RaterIdentity

NAME = "earmark_rater"
LIFETIME_S = 365 * 24 * 3600
_SALT = "listening_tests.rater"
_NEWCOMER_SALT = "listening_tests.newcomer"
_LINK_SALT = "listening_tests.personal_link"
# The parameter that holds a person's id in the links of each recruiter.
RECRUITER_PARAMETERS = {"prolific": "PROLIFIC_PID"}
LONGEST_CLAIM = 200


@dataclass(frozen=True)
class Claim:
    """Who a recruiter's link says that a rater is. Never a proof: anybody can type it."""

    recruiter: str = ""
    claimed_id: str = ""


def claim_in_link(query: QueryDict) -> Claim:
    claims = (_claim(recruiter, query.get(parameter, "")) for recruiter, parameter in RECRUITER_PARAMETERS.items())
    return next((claim for claim in claims if claim.claimed_id), Claim())


def claim_in_form(form: QueryDict) -> Claim:
    """The claim that the consent page carried along."""
    return _claim(form.get("recruiter", ""), form.get("claimed_id", ""))


def claim_query(claim: Claim) -> dict[str, str]:
    """As `claim_in_link` reads it; empty where nothing is claimed."""
    return {RECRUITER_PARAMETERS[claim.recruiter]: claim.claimed_id} if claim.claimed_id else {}


def _claim(recruiter: str, claimed_id: str) -> Claim:
    is_plausible = 0 < len(claimed_id) <= LONGEST_CLAIM and claimed_id.isprintable()
    return Claim(recruiter, claimed_id) if is_plausible and recruiter in RECRUITER_PARAMETERS else Claim()


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
