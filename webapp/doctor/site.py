"""How the site is set up for people: its key, its name, https, and mail."""

import ssl
from http.client import HTTPException
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from django.conf import settings
from django.core.mail import get_connection

from webapp.doctor.finding import Finding, failed, passed, unchecked
from webapp.environment import read_port, read_text

SHORTEST_KEY = 50
FEWEST_LETTERS = 5
ANSWER_WITHIN_S = 10
LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


def secret_key() -> Finding:
    key = settings.SECRET_KEY
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_LETTERS or key.startswith("django-insecure-"):
        return failed(
            f"The secret key can be guessed: it must be random, and at least {SHORTEST_KEY} letters long.",
            'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(50))". Everybody has to sign in again, '
            "and raters in the middle of a sitting begin anew.",
        )
    return passed("The secret key is one that nobody guesses.")


def debug() -> Finding:
    if settings.DEBUG:
        return failed("DEBUG is on: error pages show the insides of the site to everybody.", "Leave DEBUG out.")
    return passed("DEBUG is off.")


def hosts() -> Finding:
    allowed = settings.ALLOWED_HOSTS
    if "*" in allowed:
        return failed("The site answers under any name.", "Set EARMARK_HOSTS to the names that lead to it.")
    if settings.IS_HARDENED and set(allowed) <= LOOPBACK:
        return failed("The site answers on this machine alone.", "Set EARMARK_HOSTS to the name that people type.")
    return passed(f"The site answers as {', '.join(allowed)}.")


def https() -> Finding:
    address = urlsplit(settings.EARMARK_URL)
    if not settings.IS_HARDENED:
        if read_text("EARMARK_BIND", "127.0.0.1") in {"127.0.0.1", "::1", "localhost"}:
            return passed("The site is for this machine alone, over plain http.")
        return failed(
            "The site is reached from other machines over plain http: whoever is on the way reads passwords.",
            "Set EARMARK_PROFILE=production, and put a reverse proxy in front that ends TLS (docs/OPERATING.md).",
        )
    if address.scheme != "https" or address.hostname not in settings.ALLOWED_HOSTS:
        return failed(
            f"EARMARK_URL is {settings.EARMARK_URL}, which is not how people find the site.",
            f"Set it to https:// and one of EARMARK_HOSTS: https://{settings.ALLOWED_HOSTS[0]}.",
        )
    return passed("The site takes https alone.")


def answers() -> Finding:
    """Asks the site itself, as people do: through the proxy where it has one."""
    # A plain site tells its address in these two, whatever links in notices begin with.
    plain = f"http://{_reachable(read_text('EARMARK_BIND', '127.0.0.1'))}:{read_port('PORT', 8000)}"
    address = f"{settings.EARMARK_URL if settings.IS_HARDENED else plain}/health/"
    if not address.startswith(("http://", "https://")):
        return failed(f"{address} is no address of a site.", "Set EARMARK_URL to how people find the site.")
    try:
        with urlopen(address, timeout=ANSWER_WITHIN_S):  # noqa: S310 -- http or https, as just seen
            return passed(f"The site answers at {address}.")
    except HTTPError as error:
        told = {
            400: "refuses this name: EARMARK_HOSTS does not hold it",
            502: "has a proxy, and no web server behind it",
            503: "answers that its database is away",
        }.get(error.code, f"answers with the fault {error.code}")
        return failed(f"The site at {address} {told}.", "Look into the log of the web server.")
    except (URLError, HTTPException, OSError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        what = "its certificate is not trusted" if isinstance(reason, ssl.SSLCertVerificationError) else str(reason)
        return failed(f"The site does not answer at {address}: {what}.", "Start it, and see that the name leads to it.")


def _reachable(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 -- compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def email() -> Finding:
    if not settings.EMAIL_HOST:
        return unchecked(
            "No mail server is set: notices are in the log of the worker on the queue default alone.",
            "Set EMAIL_HOST, or leave it so where nobody needs notices.",
        )
    try:
        connection = get_connection(fail_silently=False)
        connection.open()
        connection.close()
    except (OSError, ValueError) as error:
        return failed(
            f"The mail server {settings.EMAIL_HOST}:{settings.EMAIL_PORT} lets nobody in: {error}.",
            "Check EMAIL_HOST, EMAIL_PORT, EMAIL_SECURITY, EMAIL_HOST_USER and EMAIL_HOST_PASSWORD.",
        )
    return passed(f"The mail server {settings.EMAIL_HOST} lets Earmark in.")
