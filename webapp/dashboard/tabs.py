"""The pages of one test, as the tabs above each of them."""

from dataclasses import dataclass

from django.urls import reverse

from listening_tests.models import ListeningTest
from listening_tests.roles import Account, Action, actions_of

# Name, address, and what an account must be allowed to find it there.
_TABS = (
    ("Overview", "test_page", Action.VIEW),
    ("Set up", "set_up", Action.SET_UP),
    ("Plan", "plan", Action.VIEW),
    ("Clips", "clip_list", Action.VIEW),
    ("Live", "live", Action.VIEW),
    ("Raters", "rater_list", Action.VIEW),
    ("Pairs", "pair_list", Action.VIEW),
    ("Screening", "screening_page", Action.VIEW),
    ("Results", "results_page", Action.VIEW),
    ("Report", "report_page", Action.VIEW),
    ("Models", "models_page", Action.VIEW),
    ("Scores", "scores_page", Action.VIEW),
    ("Export", "export_page", Action.EXPORT),
    ("Pay", "pay_page", Action.PAY),
)


@dataclass(frozen=True)
class Tab:
    name: str
    url: str
    is_current: bool


def tabs_of(*, test: ListeningTest, user: Account, current: str) -> list[Tab]:
    """`current` is the name of the address in urls.py."""
    allowed = actions_of(user, test)
    return [
        Tab(name, reverse(f"dashboard:{address}", args=[test.slug]), address == current)
        for name, address, action in _TABS
        if action in allowed
    ]
