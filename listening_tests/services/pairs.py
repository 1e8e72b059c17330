"""Pairs that are taken out of a test again, before any rater has seen it."""

from django.db import transaction

from listening_tests.choices import TestStatus
from listening_tests.exceptions import Refused
from listening_tests.kinds import kind_of
from listening_tests.models import Pair


@transaction.atomic
def pair_delete(*, pair: Pair) -> None:
    """Takes a pair out of a draft, and out of its trials; a trial that is none any more without it goes too.

    Raises Refused where the test is no draft any more.
    """
    test = pair.test
    if test.status != TestStatus.DRAFT:
        raise Refused(f"The test {test.slug} is no draft any more, so its pairs stay: ratings may hang on them.")
    trials = list(pair.trials.all())
    pair.delete()
    for trial in trials:
        if not kind_of(test).groups(list(trial.pairs.all())):
            trial.delete()
