"""The one door through which rules say of a rater that pay should be looked at first."""

from listening_tests.models import ListeningTest
from listening_tests.screening import pay_failures


def pay_flags(test: ListeningTest) -> dict[int, str]:
    """By the rater's key, in a sentence, why somebody should look before paying them.

    Never a refusal: a recruiter's site asks a person to reject work, and what could not be checked is no reason. They
    are what the screening rules that count for pay found; that ratings are not used is none.
    """
    return pay_failures(test=test)
