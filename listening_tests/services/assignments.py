"""Which pairs or trials a sitting has in hand, and how long they are kept for it.

A sitting holds up to three leases: the one that is rated and the next two, whose sounds its page loads ahead. Least
rated first, ties at random, never the same one twice for a rater, and never more than k answers and open leases on
each. `load` is that sum; it changes only under the row's lock. Practice is outside of it: every rater gets it; and so
are hidden repeats (services/repeats.py).
"""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Random
from django.utils import timezone

from listening_tests.choices import OUTSIDE_OF_K, PairRole
from listening_tests.joined_rows import JoinedRows
from listening_tests.kinds import kind_of
from listening_tests.kinds.leased import PAIRS, TRIALS, LeasedRows
from listening_tests.models import Assignment, Caption, Clip, Pair, Session, Trial
from listening_tests.models.stimuli import new_shuffle_key
from listening_tests.services.draw import lease_draw, trial_present, with_pair
from listening_tests.services.patience import patiently
from listening_tests.services.repeats import repeat_lease, repeat_slots

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
    """What `session` has in hand, the one to show first, after leasing what there is room for.

    `held` are its unrated, unreleased assignments. What is in other raters' hands this moment is passed by. Runs inside
    a transaction that holds the session's row.
    """
    leases = sorted(held, key=lambda lease: lease.position)
    _renew(session, leases)
    if not session.saved_count and not _count_study(leases):
        leases += _lease_practice(session, room=MOST_LEASES - len(leases))
    given_out = session.saved_count + _count_study(leases)
    room = min(MOST_LEASES - len(leases), session.planned_count - given_out)
    return leases + _lease_study(session, room=room, given_out=given_out)


def leases_in_hand(*, session: Session, named: UUID) -> list[Assignment]:
    """The open leases of a sitting, and the assignment that is named, whatever has become of it; all of them held."""
    leased = kind_of(session.test).leased
    if not leased.has_places:
        return [with_pair(*row) for row in _IN_HAND.fetch({"session": session.pk, "named": named})]
    wanted = Q(uuid=named) | Q(rated_at__isnull=True, released_at__isnull=True)
    found = leased.leases().filter(wanted, session=session).order_by("pk")
    return list(found.select_for_update(of=("self",), no_key=True))


def leases_reopen(*, session: Session) -> list[Assignment]:
    """What a sitting that comes back has not rated: what is still kept for it, and what has room again.

    Runs inside a transaction that holds the session's row and no pair's or trial's.
    """
    leases = kind_of(session.test).leased.leases()
    unrated = leases.filter(session=session, rated_at__isnull=True, skipped_at__isnull=True)
    # Locked, since a lease may be cleared away this very moment: in the order of their keys, as where that is done; and
    # places are taken in the order of the keys of what is leased. So nobody ever waits for who waits for them.
    locked = list(unrated.order_by("pk").select_for_update(of=("self",), no_key=True))
    held = [lease for lease in locked if lease.released_at is None]
    for lease in sorted(locked, key=lambda lease: lease.leased_id):
        if lease.released_at is None or not _has_room_for(lease, session, held):
            continue
        if _take_place(lease.leased, session):
            lease.released_at = None
            lease.lease_expires_at = _expiry(session)
            lease.save(update_fields=["released_at", "lease_expires_at"])
            held.append(lease)
    return held


def candidates(*, session: Session) -> QuerySet[Pair] | QuerySet[Trial]:
    """The pairs or trials that may come next."""
    leased = kind_of(session.test).leased
    with_room = leased.hearable(session.test).filter(load__lt=session.test.ratings_per_pair)
    return with_room.exclude(role__in=OUTSIDE_OF_K).exclude(_assigned_to(session, leased))


def leases_release_expired(*, test_id: int) -> None:
    """Takes the leases whose time is over out of the loads of their pairs or trials.

    In transactions of its own: it locks several of these, which a lease, holding one, must never wait for.
    """
    while _release_some(test_id) == LEASES_RELEASED_AT_ONCE:
        pass


@patiently
@transaction.atomic
def _release_some(test_id: int) -> int:
    # Locks are waited for and not skipped: what is in somebody's hands is no reason to say that none is left. They are
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
        loads_reduce(leases=leases)


def loads_reduce(*, leases: Iterable[Assignment]) -> None:
    """Takes a place off the pair or trial of each lease, locked in the order of their keys; practice and repeats, which
    count none, are left alone.
    """
    of_pairs, of_trials = Counter[int](), Counter[int]()
    for lease in leases:
        (of_pairs if lease.trial_id is None else of_trials)[lease.leased_id] += 1
    for leased, counts in ((PAIRS, of_pairs), (TRIALS, of_trials)):
        if counts:
            _reduce(leased, counts)


def _reduce(leased: LeasedRows, counts: Counter[int]) -> None:
    counted = leased.model.objects.filter(pk__in=counts).exclude(role__in=OUTSIDE_OF_K)
    locked = counted.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True)
    by_number: dict[int, list[int]] = {}
    for pk in locked:
        by_number.setdefault(counts[pk], []).append(pk)
    for number, pks in by_number.items():
        leased.model.objects.filter(pk__in=pks).update(load=F("load") - number, shuffle_key=Random())


def _count_study(leases: list[Assignment]) -> int:
    return sum(lease.leased.role != PairRole.PRACTICE for lease in leases)


def _lease_study(session: Session, *, room: int, given_out: int) -> list[Assignment]:
    """What comes after the `given_out` sounds of this sitting: drawn, or a hidden repeat where one is planned."""
    drawn: list[Assignment] = []
    slots = repeat_slots(session=session)
    while len(drawn) < room:
        slot = given_out + len(drawn) + 1
        assignment = repeat_lease(session=session, slot=slot) if slot in slots else None
        assignment = assignment or lease_draw(session=session)
        if assignment is None:
            break
        drawn.append(assignment)
    return drawn


def _lease_practice(session: Session, *, room: int) -> list[Assignment]:
    """Practice from parts of the scale that this rater's practice has not touched."""
    leased = kind_of(session.test).leased
    practice = leased.hearable(session.test).filter(role=PairRole.PRACTICE).select_related("caption")
    parts = _parts_of_scale(list(practice if leased.has_places else practice.select_related("clip")))
    taken = set(practice.filter(_assigned_to(session, leased)).values_list("pk", flat=True))
    left = [part for part in parts if taken.isdisjoint(one.pk for one in part)]
    random.shuffle(left)
    return [_assign(session, random.choice(part), propensity=1 / (len(left) * len(part))) for part in left[:room]]  # noqa: S311 -- a draw among pairs, not a secret


def _parts_of_scale(practice: list[Pair | Trial]) -> list[list[Pair | Trial]]:
    """At most MOST_PRACTICE_PAIRS groups, from low to high by the scores that are expected of pairs."""
    ascending = sorted(practice, key=lambda one: (_expected(one), one.pk))
    n_parts = min(MOST_PRACTICE_PAIRS, len(ascending))
    return [
        ascending[len(ascending) * part // n_parts : len(ascending) * (part + 1) // n_parts] for part in range(n_parts)
    ]


def _expected(one: Pair | Trial) -> float:
    return (one.expected_min or 0) + (one.expected_max or 0) if isinstance(one, Pair) else 0


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
    return len(held) < MOST_LEASES and (is_planned or lease.leased.role == PairRole.PRACTICE)


def _assigned_to(session: Session, leased: LeasedRows) -> Exists:
    return Exists(Assignment.objects.filter(**{leased.column: OuterRef("pk")}, rater_id=session.rater_id))


def _take_place(one: Pair | Trial, session: Session) -> bool:
    if one.role in OUTSIDE_OF_K:
        return True
    room = type(one).objects.filter(pk=one.pk, load__lt=session.test.ratings_per_pair)
    return room.update(load=F("load") + 1, shuffle_key=new_shuffle_key()) == 1


def _assign(session: Session, one: Pair | Trial, *, propensity: float) -> Assignment:
    last = session.assignments.aggregate(last=Max("position"))["last"] or 0
    assignment = Assignment.objects.create(
        session=session,
        rater_id=session.rater_id,
        pair=one if isinstance(one, Pair) else None,
        trial=one if isinstance(one, Trial) else None,
        position=last + 1,
        propensity=propensity,
        leased_at=timezone.now(),
        lease_expires_at=_expiry(session),
    )
    return assignment if assignment.trial is None else trial_present(assignment=assignment)
