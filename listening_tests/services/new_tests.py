"""Tests that an import makes: their address and their title."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest

LONGEST_SLUG = 80


def test_named(*, slug: str) -> ListeningTest:
    """A draft of this address, not yet saved. Raises Refused where it can be no address."""
    _refuse_bad_slug(slug)
    return ListeningTest(slug=slug, title=slug.replace("-", " ").replace("_", " ").strip().capitalize() or slug)


def _refuse_bad_slug(slug: str) -> None:
    try:
        validate_slug(slug)
    except ValidationError:
        slug_is_good = False
    else:
        slug_is_good = len(slug) <= LONGEST_SLUG
    if not slug_is_good:
        raise Refused(
            f"{slug!r} cannot be the address of a test. Use up to {LONGEST_SLUG} letters a to z, digits, - and _."
        )
