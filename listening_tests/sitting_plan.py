"""What a newcomer is told before starting: how many pairs, and how long they take."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Avg, Exists, OuterRef, Q
from django.utils import timezone

from listening_tests.choices import PairRole
from listening_tests.models import Assignment, ListeningTest, Pair
from listening_tests.services.assignments import MOST_PRACTICE_PAIRS

# Raters hear a clip about twice (46 % of RELATE's replayed three times or more), and take time to read and choose.
HEARINGS_PER_PAIR = 2
READING_AND_CHOOSING_S = 8
# What comes before the first pair and after the last.
SOUND_SET_UP_S = 45
CHECK_QUESTION_S = 15
QUESTIONNAIRE_S = 45
SURVEY_QUESTION_S = 15


@dataclass(frozen=True)
class SittingPlan:
    """`pairs` and `practice` are counts; `minutes` is rounded up."""

    pairs: int
    practice: int
    minutes: int


def sitting_plan(*, test: ListeningTest) -> SittingPlan:
    """The sitting that somebody who has rated nothing of this test would get now. No pairs: none is left."""
    of_test = Pair.objects.filter(test=test).exclude(clip__rendition="")
    is_practice = Q(role=PairRole.PRACTICE)
    pairs = of_test.exclude(is_practice).filter(_has_room(test))[: test.pairs_per_session].count()
    practice = of_test.filter(is_practice)[:MOST_PRACTICE_PAIRS].count()
    mean_duration_s = of_test.aggregate(mean=Avg("clip__duration_s"))["mean"] or 0
    each_s = pair_estimate_s(durations_s=[mean_duration_s])
    seconds = (pairs + practice) * each_s + _around_s(test)
    return SittingPlan(pairs=pairs, practice=practice, minutes=math.ceil(seconds / 60))


def _around_s(test: ListeningTest) -> float:
    """Seconds that the pages before the first pair and after the last take."""
    check_s = CHECK_QUESTION_S * test.check_questions.count()
    return SOUND_SET_UP_S + check_s + QUESTIONNAIRE_S + SURVEY_QUESTION_S * test.survey_questions.count()


def pair_estimate_s(*, durations_s: Sequence[float | None]) -> float:
    """Seconds that one pair takes on average, of pairs whose clips last so long."""
    heard_s = HEARINGS_PER_PAIR * sum(duration_s or 0 for duration_s in durations_s) / max(1, len(durations_s))
    return heard_s + READING_AND_CHOOSING_S


def _has_room(test: ListeningTest) -> Q:
    """Room for a rating; a lease whose time is over still counts in `load` until the next lease clears it away."""
    ended_leases = Assignment.objects.filter(
        pair=OuterRef("pk"), released_at__isnull=True, rated_at__isnull=True, lease_expires_at__lt=timezone.now()
    )
    return Q(load__lt=test.ratings_per_pair) | Q(Exists(ended_leases))
