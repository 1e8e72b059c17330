"""What a test has cost so far: the paid sittings, times the reward of each, before anything is looked at first."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q

from listening_tests.choices import FINISHED_SESSION_STATUSES, Outcome, SessionStatus
from listening_tests.models import ListeningTest, Session


@dataclass(frozen=True)
class Cost:
    """`n_paid` whole sittings at `reward` each, and `n_screened` that a check ended, where these are paid too.

    `amount` is without the recruiter's fee, and None where no reward is set.
    """

    n_paid: int
    n_screened: int
    reward: Decimal | None
    currency: str
    amount: Decimal | None


def cost_so_far(test: ListeningTest) -> Cost:
    """Paid are complete sittings, those that the platform cut short, and who withdrew after the end of theirs."""
    withdrew_after = Q(status=SessionStatus.WITHDRAWN, outcome__in=(Outcome.COMPLETE, Outcome.TECHNICAL_FAILURE))
    counts = Session.objects.filter(test=test).aggregate(
        paid=Count("pk", filter=Q(status__in=FINISHED_SESSION_STATUSES) | withdrew_after),
        screened=Count("pk", filter=Q(status=SessionStatus.SCREENED)),
    )
    n_screened = counts["screened"] if test.screened_out_reward else 0
    return Cost(
        n_paid=counts["paid"],
        n_screened=n_screened,
        reward=test.reward,
        currency=test.currency,
        amount=_amount(test, counts["paid"], n_screened),
    )


def _amount(test: ListeningTest, n_paid: int, n_screened: int) -> Decimal | None:
    if test.reward is None:
        return None
    return n_paid * test.reward + n_screened * (test.screened_out_reward or Decimal(0))
