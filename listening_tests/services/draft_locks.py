"""What is only done to drafts: sounds that raters have heard stay where they are."""

import hashlib

from listening_tests.choices import TestStatus
from listening_tests.exceptions import Refused
from listening_tests.models import ListeningTest


def draft_lock(*, test: ListeningTest) -> ListeningTest:
    """The test with its row held until the transaction ends. Raises Refused where it is no draft any more."""
    locked = ListeningTest.objects.select_for_update(no_key=True).filter(pk=test.pk).first()
    if locked is None:
        raise Refused(f"The test {test.slug} was deleted meanwhile. Go back to the list of tests.")
    if locked.status != TestStatus.DRAFT:
        raise Refused(
            f"The test {test.slug} is no draft any more, so what it gives out stays: raters have had some of it. "
            "Clone it to set up another one."
        )
    return locked


def drawn(*, test: ListeningTest, what: str, key: int) -> bytes:
    """Puts rows in an order at random that is the same whenever it is asked: what is shown first is what is made."""
    return hashlib.sha256(f"{test.uuid}:{what}:{key}".encode()).digest()
