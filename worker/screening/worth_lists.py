"""What pages read of the worth of screening rules: stored rows only."""

from django.db.models import QuerySet

from listening_tests.models import ListeningTest
from worker.models import RuleWorth, ScreeningWorth


def worths_of(*, test: ListeningTest) -> QuerySet[ScreeningWorth]:
    """Jobs, newest first."""
    return ScreeningWorth.objects.filter(test=test).select_related("heldout_set", "requested_by")


def worth_rows(*, worth: ScreeningWorth) -> list[RuleWorth]:
    """What was measured of it so far, rule by rule, all rules for use together last."""
    return list(worth.rules.all())
