"""Which pair a rater gets next, and how long it is kept for them.

Least rated first, ties at random, never the same pair twice for a rater, and never more than k ratings and open leases
on a pair. `Pair.load` is that sum; it changes only under the pair's row lock. Practice pairs are outside of it: every
rater gets them.
"""

from collections import Counter
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, QuerySet
from django.db.models.functions import Random
from django.utils import timezone

from listening_tests.choices import PairRole
from listening_tests.models import Assignment, Pair, Session
from listening_tests.models.stimuli import new_shuffle_key

# ITU-T P.808 practice: about five clips before those that count.
MOST_PRACTICE_PAIRS = 5
LEASES_RELEASED_AT_ONCE = 200
TIES_COUNTED = 500


def assignment_lease(*, session: Session) -> Assignment | None:
    """The next pair of this session, kept for its rater: one still theirs, else a practice pair, else a new one.

    None where no pair is left for this rater. Runs inside a transaction that holds the session's row.
    """
    return _reopen_own(session) or _lease_practice(session) or _lease_least_rated(session)


def candidate_pairs(*, session: Session) -> QuerySet[Pair]:
    """The pairs that may come next, the next one first."""
    return (
        Pair.objects.filter(test_id=session.test_id, load__lt=session.test.ratings_per_pair)
        .exclude(role=PairRole.PRACTICE)
        .exclude(_assigned_to(session))
        # Ratings can be imported without audio; such a pair cannot be heard here.
        .exclude(clip__rendition="")
        .select_related("clip", "caption")
        .order_by("load", "shuffle_key")
    )


def leases_release_expired(*, test_id: int) -> None:
    """Takes the leases whose time is over out of their pairs' loads.

    In transactions of its own: it locks several pairs, which a lease, holding one, must never wait for.
    """
    while _release_some(test_id) == LEASES_RELEASED_AT_ONCE:
        pass


@transaction.atomic
def _release_some(test_id: int) -> int:
    # Locks are waited for and not skipped: a pair in somebody's hands is no reason to say that none is left. They are
    # always taken in the order of the keys, so that two who release at once never wait for each other.
    ended = Assignment.objects.filter(
        session__test_id=test_id,
        released_at__isnull=True,
        rated_at__isnull=True,
        lease_expires_at__lt=timezone.now(),
    ).order_by("pk")
    leases = list(ended.select_for_update(of=("self",), no_key=True)[:LEASES_RELEASED_AT_ONCE])
    if leases:
        Assignment.objects.filter(pk__in=[lease.pk for lease in leases]).update(released_at=timezone.now())
        _take_from_loads(Counter(lease.pair_id for lease in leases))
    return len(leases)


def _take_from_loads(n_leases_by_pair: Counter[int]) -> None:
    pairs = Pair.objects.filter(pk__in=n_leases_by_pair).exclude(role=PairRole.PRACTICE)
    locked = pairs.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True)
    by_number: dict[int, list[int]] = {}
    for pk in locked:
        by_number.setdefault(n_leases_by_pair[pk], []).append(pk)
    for number, pks in by_number.items():
        Pair.objects.filter(pk__in=pks).update(load=F("load") - number, shuffle_key=Random())


def _assigned_to(session: Session) -> Exists:
    return Exists(Assignment.objects.filter(rater_id=session.rater_id, pair_id=OuterRef("pk")))


def _reopen_own(session: Session) -> Assignment | None:
    """An unrated pair of this session whose lease had ended, where it still has room."""
    unrated = session.assignments.filter(rated_at__isnull=True).select_related("pair").order_by("pk")
    # Locked, since its lease may be cleared away this very moment.
    for assignment in unrated.select_for_update(of=("self",), no_key=True):
        if assignment.released_at is None or _take_place(assignment.pair, session):
            assignment.released_at = None
            assignment.lease_expires_at = timezone.now() + timedelta(minutes=session.test.lease_minutes)
            assignment.save(update_fields=["released_at", "lease_expires_at"])
            return assignment
    return None


def _take_place(pair: Pair, session: Session) -> bool:
    if pair.role == PairRole.PRACTICE:
        return True
    room = Pair.objects.filter(pk=pair.pk, load__lt=session.test.ratings_per_pair)
    return room.update(load=F("load") + 1, shuffle_key=new_shuffle_key()) == 1


def _lease_practice(session: Session) -> Assignment | None:
    practice = Pair.objects.filter(test_id=session.test_id, role=PairRole.PRACTICE)
    pairs = practice.exclude(clip__rendition="").select_related("clip", "caption")
    taken = pairs.filter(_assigned_to(session)).count()
    left = list(pairs.exclude(_assigned_to(session)).order_by("?")[: max(0, MOST_PRACTICE_PAIRS - taken)])
    return _assign(session, left[0], propensity=1 / len(left)) if left else None


def _lease_least_rated(session: Session) -> Assignment | None:
    candidates = candidate_pairs(session=session)
    pair = candidates.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
    if pair is None:
        # Every pair with room may be in another rater's hands this moment: wait for it before saying that none is left.
        # In the order of the keys, since a pair that was waited for in vain stays locked: two who waited in the order
        # of loads, which changes under them, could wait for each other.
        pair = candidates.order_by("pk").select_for_update(of=("self",), no_key=True).first()
    if pair is None:
        return None
    propensity = 1 / max(1, _count_ties(session, pair))
    Pair.objects.filter(pk=pair.pk).update(load=F("load") + 1, shuffle_key=new_shuffle_key())
    return _assign(session, pair, propensity=propensity)


def _count_ties(session: Session, pair: Pair) -> float:
    """How many pairs could have come instead of this one: as little rated, and new to the rater.

    Up to TIES_COUNTED they are counted. Above that the number is estimated, since counting would grow with the test:
    keys are drawn uniformly and used up from the lowest, so those left lie evenly between the lowest and 1.
    """
    ties = Pair.objects.filter(test_id=session.test_id, load=pair.load).exclude(role=PairRole.PRACTICE)
    first = ties.order_by("shuffle_key")[:TIES_COUNTED].aggregate(
        n=Count("pk"), low=Min("shuffle_key"), high=Max("shuffle_key")
    )
    counted, low, high = int(first["n"]), float(first["low"]), float(first["high"])
    if counted < TIES_COUNTED or low == high:
        return counted - ties.filter(assignments__rater_id=session.rater_id).count()
    return (counted - 1) * (1 - low) / (high - low)


def _assign(session: Session, pair: Pair, *, propensity: float) -> Assignment:
    now = timezone.now()
    last = session.assignments.aggregate(last=Max("position"))["last"] or 0
    return Assignment.objects.create(
        session=session,
        rater_id=session.rater_id,
        pair=pair,
        position=last + 1,
        propensity=propensity,
        leased_at=now,
        lease_expires_at=now + timedelta(minutes=session.test.lease_minutes),
    )
