"""The test that a command's argument names."""

from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest


def test_by_slug(slug: str) -> ListeningTest:
    """Raises `Refused` naming the tests there are."""
    test = ListeningTest.objects.filter(slug=slug).first()
    if test is None:
        known = ", ".join(ListeningTest.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
        raise Refused(f"There is no test with the address “{slug}”. Tests: {known}.")
    return test
