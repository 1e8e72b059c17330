"""A walk through a preview: which sounds it has, and a sitting that is in no database.

Everything follows from the test and the walk's uuid, so that no request of a walk needs what another one left.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from django.http import HttpRequest
from django.urls import reverse

from listening_tests.choices import PairRole, SessionStatus
from listening_tests.kinds import kind_of
from listening_tests.models import Caption, ListeningTest, Pair, Rater, Session, Trial
from listening_tests.services.assignments import MOST_LEASES
from listening_tests.sitting_plan import pair_estimate_s

# So many of each are walked through; practice first, as in a sitting.
SHOWN = ((PairRole.PRACTICE, 2), (PairRole.STUDY, 3), (PairRole.ANCHOR, 1), (PairRole.GOLD, 1))
# Instead of the code that is worth money.
CODE = "PREVIEW"


@dataclass(frozen=True)
class PreviewLease:
    """What stands for an assignment: `number` counts from 0 in the walk."""

    uuid: UUID
    number: int
    position: int
    leased: Pair | Trial
    pairs: list[Pair]

    @property
    def caption(self) -> Caption:
        return self.leased.caption

    @property
    def is_practice(self) -> bool:
        return self.leased.role == PairRole.PRACTICE


def walk_of_account(request: HttpRequest, test: ListeningTest) -> UUID:
    """For the pages around rating: the same one for an account, so that what a page asks is known when it is sent."""
    return uuid5(test.uuid, f"preview by {request.user.pk}")


def session_of_walk(test: ListeningTest, walk: UUID, leases: Iterable[PreviewLease] = (), *, saved: int = 0) -> Session:
    """A sitting that is not stored; `saved` of what it plans is rated."""
    given_out = list(leases)
    durations_s = [sum(pair.clip.duration_s or 0 for pair in lease.pairs) for lease in given_out]
    return Session(
        uuid=walk,
        test=test,
        rater=Rater(uuid=walk),
        status=SessionStatus.ACTIVE,
        planned_count=sum(not lease.is_practice for lease in given_out),
        saved_count=saved,
        pair_estimate_s=pair_estimate_s(durations_s=durations_s),
        headphone_check=test.headphone_check,
    )


def leases_of_walk(test: ListeningTest, walk: UUID) -> list[PreviewLease]:
    """A few of the test's pairs or trials, chosen by the walk; empty where it has none that can be heard."""
    drawn = random.Random(walk.int)  # noqa: S311 -- a draw among pairs, not a secret
    leased = kind_of(test).leased
    rows: list[Pair | Trial] = []
    for role, number in SHOWN:
        keys = list(leased.hearable(test).filter(role=role).order_by("pk").values_list("pk", flat=True)[:1_000])
        rows += _rows(leased.model, drawn.sample(keys, min(number, len(keys))))
    practice = [row for row in rows if row.role == PairRole.PRACTICE]
    others = [row for row in rows if row.role != PairRole.PRACTICE]
    ordered = practice + drawn.sample(others, len(others))
    return [
        PreviewLease(uuid5(walk, str(number)), number, number + 1, row, _in_places(row, drawn))
        for number, row in enumerate(ordered)
    ]


def in_hand(leases: list[PreviewLease], *, first: int) -> list[PreviewLease]:
    """What the page holds once the leases before number `first` are answered."""
    return leases[first : first + MOST_LEASES]


def audio_url(session: Session, lease: Any, place: int) -> str:
    return reverse("preview:walk_audio", args=[session.test.slug, session.uuid, lease.number, place])


def _rows(model: type[Pair] | type[Trial], keys: list[int]) -> list[Any]:
    found: dict[int, Pair | Trial] = {}
    if model is Pair:
        found |= {pair.pk: pair for pair in Pair.objects.filter(pk__in=keys).select_related("caption", "clip")}
    else:
        trials = Trial.objects.filter(pk__in=keys).select_related("caption").prefetch_related("pairs__clip")
        found |= {trial.pk: trial for trial in trials}
    return [found[key] for key in keys]


def _in_places(row: Pair | Trial, drawn: random.Random) -> list[Pair]:
    if isinstance(row, Pair):
        return [row]
    pairs = sorted(row.pairs.all(), key=lambda pair: pair.pk)
    return drawn.sample(pairs, len(pairs))
