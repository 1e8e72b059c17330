"""The look that beat takes every quarter of an hour: no check fails for long unseen."""

from worker.screening.computing import asked_compute
from worker.screening.selectors import tests_to_compute
from worker.screening.services import screening_mark


def look() -> int:
    """Computes what was asked for or is out of date. How many tests that were."""
    tests = tests_to_compute()
    for test in tests:
        screening_mark(test=test)
        asked_compute(test_id=test.pk)
    return len(tests)
