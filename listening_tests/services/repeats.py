"""Hidden repeats: some sounds of a sitting come a second time, later in it and unmarked, to tell how steady a rater is.

They are planned when the sitting begins and leased at their places, as practice is. So every rater gets as many, of
sounds of their own, the draw stays as it is, and no rating waits for another query. A repeat has a pair of its own
(role repeat, `repeat_of` the first one), made when it is needed first. It is outside of k.
"""

import random
from datetime import timedelta

from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from listening_tests.choices import PairRole, TestKind
from listening_tests.models import Assignment, ListeningTest, Pair, Session

# So many other sounds lie between a sound and its repeat at least: more than a sitting has in hand.
LEAST_BETWEEN = 4
# Of so many sounds one is repeated at most: more would be noticed.
SOUNDS_FOR_A_REPEAT = 4


def n_repeats(*, test: ListeningTest, n_others: int) -> int:
    """How many sounds are repeated in a sitting of `n_others` that are no repeats."""
    if test.kind != TestKind.RATING or n_others < LEAST_BETWEEN + 2:
        return 0
    return min(test.repeats_per_session, n_others // SOUNDS_FOR_A_REPEAT)


def repeat_slots(*, session: Session) -> frozenset[int]:
    """Which sounds of a sitting are repeats, counted from 1 and practice apart: in its second half, at random, and the
    same ones whenever it is asked.
    """
    if not session.planned_repeats:
        return frozenset()
    first = max((session.planned_count + 1) // 2, LEAST_BETWEEN + 2)
    drawn = random.Random(session.uuid.int)  # noqa: S311 -- a draw among places, not a secret
    slots = range(first, session.planned_count + 1)
    return frozenset(drawn.sample(slots, min(session.planned_repeats, len(slots))))


def repeat_lease(*, session: Session, slot: int) -> Assignment | None:
    """Leases the repeat of a sound that this rater has rated; None where none is far enough back, or where those that
    are planned up to this place have come already. Runs inside a transaction that holds the session's row.
    """
    own = Assignment.objects.filter(session=session)
    n_come = own.filter(pair__role=PairRole.REPEAT, skipped_at__isnull=True).count()
    if n_come >= sum(planned <= slot for planned in repeat_slots(session=session)):
        return None
    position = 1 + (own.aggregate(last=Max("position"))["last"] or 0)
    had = Assignment.objects.filter(rater_id=session.rater_id, pair__repeat_of=OuterRef("pair"))
    rated = own.filter(
        ~Exists(had), rated_at__isnull=False, pair__role=PairRole.STUDY, position__lt=position - LEAST_BETWEEN
    )
    first = list(rated.select_related("pair__clip", "pair__caption").order_by("pk"))
    if not first:
        return None
    original = random.choice(first).pair  # noqa: S311 -- a draw among pairs, not a secret
    now = timezone.now()
    return Assignment.objects.create(
        session=session,
        rater_id=session.rater_id,
        pair=_repeat_of(original) if original else None,
        position=position,
        propensity=1 / len(first),
        leased_at=now,
        lease_expires_at=now + timedelta(minutes=session.test.lease_minutes),
    )


def _repeat_of(original: Pair) -> Pair:
    same = {name: getattr(original, name) for name in ("test_id", "clip_id", "caption_id", "system", "source_id")}
    repeat, _ = Pair.objects.get_or_create(repeat_of=original, defaults=same | {"role": PairRole.REPEAT})
    repeat.clip, repeat.caption = original.clip, original.caption
    return repeat
