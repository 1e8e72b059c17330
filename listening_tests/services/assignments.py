"""Which pairs a sitting has in hand, and how long they are kept for it.

A sitting holds up to three leases: the pair that is rated and the next two, whose sounds its page loads ahead. Least
rated first, ties at random, never the same pair twice for a rater, and never more than k ratings and open leases on a
pair. `Pair.load` is that sum; it changes only under the pair's row lock. Practice pairs are outside of it: every rater
gets them.
"""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, QuerySet
from django.db.models.functions import Random
from django.utils import timezone

from listening_tests.choices import PairRole
from listening_tests.joined_rows import JoinedRows
from listening_tests.models import Assignment, Caption, Clip, Pair, Session
from listening_tests.models.stimuli import new_shuffle_key
from listening_tests.services.draw import pair_draw, with_pair
from listening_tests.services.patience import patiently

MOST_LEASES = 3
# ITU-T P.808 practice: about five clips before those that count.
MOST_PRACTICE_PAIRS = 5
LEASES_RELEASED_AT_ONCE = 200
_IN_HAND = JoinedRows(
    (Assignment, Pair, Clip, Caption),
    """
    SELECT {columns}
    FROM listening_tests_assignment assignment
    JOIN listening_tests_pair pair ON pair.id = assignment.pair_id
    JOIN listening_tests_clip clip ON clip.id = pair.clip_id
    JOIN listening_tests_caption caption ON caption.id = pair.caption_id
    WHERE assignment.session_id = %(session)s
        AND (assignment.uuid = %(named)s OR assignment.rated_at IS NULL AND assignment.released_at IS NULL)
    ORDER BY assignment.id
    FOR NO KEY UPDATE OF assignment
    """,
)


def leases_top_up(*, session: Session, held: Iterable[Assignment]) -> list[Assignment]:
    """The pairs that `session` has in hand, the one to show first, after leasing what there is room for.

    `held` are its unrated, unreleased assignments. Pairs in other raters' hands this moment are passed by. Runs inside
    a transaction that holds the session's row.
    """
    leases = sorted(held, key=lambda lease: lease.position)
    _renew(session, leases)
    if not session.saved_count and not _count_study(leases):
        leases += _lease_practice(session, room=MOST_LEASES - len(leases))
    to_come = session.planned_count - session.saved_count - _count_study(leases)
    room = min(MOST_LEASES - len(leases), to_come)
    return leases + _lease_study(session, room=room)


def leases_with_pairs() -> QuerySet[Assignment]:
    """Assignments with all that a page shows of them."""
    return Assignment.objects.select_related("pair__clip", "pair__caption")


def leases_in_hand(*, session: Session, named: UUID) -> list[Assignment]:
    """The open leases of a sitting, and the assignment that is named, whatever has become of it; all of them held."""
    return [with_pair(*row) for row in _IN_HAND.fetch({"session": session.pk, "named": named})]


def leases_reopen(*, session: Session) -> list[Assignment]:
    """The unrated pairs of a sitting that comes back: those still kept for it, and those that have room again.

    Runs inside a transaction that holds the session's row and no pair's.
    """
    unrated = leases_with_pairs().filter(session=session, rated_at__isnull=True, skipped_at__isnull=True)
    # Locked, since a lease may be cleared away this very moment: in the order of their keys, as where that is done; and
    # places are taken in the order of the pairs' keys. So nobody ever waits for who waits for them.
    locked = list(unrated.order_by("pk").select_for_update(of=("self",), no_key=True))
    held = [lease for lease in locked if lease.released_at is None]
    for lease in sorted(locked, key=lambda lease: lease.pair_id):
        if lease.released_at is None or not _has_room_for(lease, session, held):
            continue
        if _take_place(lease.pair, session):
            lease.released_at = None
            lease.lease_expires_at = _expiry(session)
            lease.save(update_fields=["released_at", "lease_expires_at"])
            held.append(lease)
    return held


def candidate_pairs(*, session: Session) -> QuerySet[Pair]:
    """The pairs that may come next."""
    return (
        Pair.objects.filter(test_id=session.test_id, load__lt=session.test.ratings_per_pair)
        .exclude(role=PairRole.PRACTICE)
        .exclude(_assigned_to(session))
        # Ratings can be imported without audio; such a pair cannot be heard here.
        .exclude(clip__rendition="")
    )


def leases_release_expired(*, test_id: int) -> None:
    """Takes the leases whose time is over out of their pairs' loads.

    In transactions of its own: it locks several pairs, which a lease, holding one, must never wait for.
    """
    while _release_some(test_id) == LEASES_RELEASED_AT_ONCE:
        pass


@patiently
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
    leases_release(leases=leases)
    return len(leases)


def leases_release(*, leases: list[Assignment]) -> None:
    """Gives open leases, whose rows are held, back to others."""
    if leases:
        Assignment.objects.filter(pk__in=[lease.pk for lease in leases]).update(released_at=timezone.now())
        loads_reduce(n_by_pair=Counter(lease.pair_id for lease in leases))


def loads_reduce(*, n_by_pair: Counter[int]) -> None:
    """Takes places off pairs, locked in the order of their keys; practice pairs, which count none, are left alone."""
    pairs = Pair.objects.filter(pk__in=n_by_pair).exclude(role=PairRole.PRACTICE)
    locked = pairs.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True)
    by_number: dict[int, list[int]] = {}
    for pk in locked:
        by_number.setdefault(n_by_pair[pk], []).append(pk)
    for number, pks in by_number.items():
        Pair.objects.filter(pk__in=pks).update(load=F("load") - number, shuffle_key=Random())


def _count_study(leases: list[Assignment]) -> int:
    return sum(lease.pair.role != PairRole.PRACTICE for lease in leases)


def _lease_study(session: Session, *, room: int) -> list[Assignment]:
    drawn: list[Assignment] = []
    while len(drawn) < room:
        assignment = pair_draw(session=session)
        if assignment is None:
            break
        drawn.append(assignment)
    return drawn


def _lease_practice(session: Session, *, room: int) -> list[Assignment]:
    """Practice pairs from parts of the scale that this rater's practice has not touched."""
    pairs = Pair.objects.filter(test_id=session.test_id, role=PairRole.PRACTICE).exclude(clip__rendition="")
    parts = _parts_of_scale(list(pairs.select_related("clip", "caption")))
    taken = set(pairs.filter(_assigned_to(session)).values_list("pk", flat=True))
    left = [part for part in parts if taken.isdisjoint(pair.pk for pair in part)]
    random.shuffle(left)
    return [_assign(session, random.choice(part), propensity=1 / (len(left) * len(part))) for part in left[:room]]  # noqa: S311 -- a draw among pairs, not a secret


def _parts_of_scale(practice: list[Pair]) -> list[list[Pair]]:
    """At most MOST_PRACTICE_PAIRS groups of practice pairs, from low to high by the scores that are expected."""
    ascending = sorted(practice, key=lambda pair: ((pair.expected_min or 0) + (pair.expected_max or 0), pair.pk))
    n_parts = min(MOST_PRACTICE_PAIRS, len(ascending))
    return [
        ascending[len(ascending) * part // n_parts : len(ascending) * (part + 1) // n_parts] for part in range(n_parts)
    ]


def _renew(session: Session, leases: list[Assignment]) -> None:
    """Who rates keeps what is in hand: leases past the half of their time start anew."""
    half = timedelta(minutes=session.test.lease_minutes) / 2
    old = [lease for lease in leases if lease.lease_expires_at < timezone.now() + half]
    if not old:
        return
    Assignment.objects.filter(pk__in=[lease.pk for lease in old]).update(lease_expires_at=_expiry(session))
    for lease in old:
        lease.lease_expires_at = _expiry(session)


def _expiry(session: Session) -> datetime:
    return timezone.now() + timedelta(minutes=session.test.lease_minutes)


def _has_room_for(lease: Assignment, session: Session, held: list[Assignment]) -> bool:
    """Never more leases than a sitting holds, nor more than it plans."""
    is_planned = session.saved_count + _count_study(held) < session.planned_count
    return len(held) < MOST_LEASES and (is_planned or lease.pair.role == PairRole.PRACTICE)


def _assigned_to(session: Session) -> Exists:
    return Exists(Assignment.objects.filter(rater_id=session.rater_id, pair_id=OuterRef("pk")))


def _take_place(pair: Pair, session: Session) -> bool:
    if pair.role == PairRole.PRACTICE:
        return True
    room = Pair.objects.filter(pk=pair.pk, load__lt=session.test.ratings_per_pair)
    return room.update(load=F("load") + 1, shuffle_key=new_shuffle_key()) == 1


def _assign(session: Session, pair: Pair, *, propensity: float) -> Assignment:
    last = session.assignments.aggregate(last=Max("position"))["last"] or 0
    return Assignment.objects.create(
        session=session,
        rater_id=session.rater_id,
        pair=pair,
        position=last + 1,
        propensity=propensity,
        leased_at=timezone.now(),
        lease_expires_at=_expiry(session),
    )
