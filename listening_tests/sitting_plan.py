"""What a newcomer is told before starting: how many pairs, and how long they take."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from listening_tests.choices import OUTSIDE_OF_K, HeadphoneCheck, PairRole
from listening_tests.kinds import kind_of
from listening_tests.kinds.leased import LeasedRows
from listening_tests.models import Assignment, ListeningTest
from listening_tests.services.assignments import MOST_PRACTICE_PAIRS
from listening_tests.services.repeats import n_repeats

# Raters hear a clip about twice (46 % of RELATE's replayed three times or more), and take time to read and choose.
HEARINGS_PER_PAIR = 2
READING_AND_CHOOSING_S = 8
# What comes before the first pair and after the last.
SOUND_SET_UP_S = 45
CHECK_QUESTION_S = 15
# Six trials of about 5 s of sound, heard once or twice and answered; and what to do, read.
HEADPHONE_CHECK_S = 90
QUESTIONNAIRE_S = 45
# So many say how long the clips of a test are; to read them all would keep newcomers waiting at a large one.
PAIRS_MEASURED = 1_000
SURVEY_QUESTION_S = 15


@dataclass(frozen=True)
class SittingPlan:
    """`pairs` (hidden repeats among them) and `practice` are counts; `minutes` is rounded up, `seconds` is not."""

    pairs: int
    practice: int
    minutes: int
    seconds: float = 0


def sitting_plan(*, test: ListeningTest) -> SittingPlan:
    """The sitting that somebody who has rated nothing of this test would get now. No pairs: none is left."""
    leased = kind_of(test).leased
    of_test = leased.hearable(test)
    with_room = of_test.exclude(role__in=OUTSIDE_OF_K).filter(_has_room(test, leased))
    pairs = with_room[: test.pairs_per_session].count()
    return _plan(test, leased, pairs)


def whole_sitting_plan(*, test: ListeningTest) -> SittingPlan:
    """The sitting of a rater who comes while enough is left to rate, whatever has been rated by now."""
    leased = kind_of(test).leased
    return _plan(test, leased, leased.hearable(test).exclude(role__in=OUTSIDE_OF_K)[: test.pairs_per_session].count())


def _plan(test: ListeningTest, leased: LeasedRows, n_others: int) -> SittingPlan:
    pairs = n_others + n_repeats(test=test, n_others=n_others)
    practice = leased.hearable(test).filter(role=PairRole.PRACTICE)[:MOST_PRACTICE_PAIRS].count()
    each_s = pair_estimate_s(durations_s=[_mean_seconds(leased, test)])
    seconds = (pairs + practice) * each_s + _around_s(test)
    return SittingPlan(pairs=pairs, practice=practice, minutes=math.ceil(seconds / 60), seconds=seconds)


def _around_s(test: ListeningTest) -> float:
    """Seconds that the pages before the first pair and after the last take."""
    check_s = CHECK_QUESTION_S * test.check_questions.count()
    if test.headphone_check != HeadphoneCheck.NONE:
        check_s += HEADPHONE_CHECK_S
    return SOUND_SET_UP_S + check_s + QUESTIONNAIRE_S + SURVEY_QUESTION_S * test.survey_questions.count()


def pair_estimate_s(*, durations_s: Sequence[float | None]) -> float:
    """Seconds that one pair takes on average, of pairs whose clips last so long."""
    heard_s = HEARINGS_PER_PAIR * sum(duration_s or 0 for duration_s in durations_s) / max(1, len(durations_s))
    return heard_s + READING_AND_CHOOSING_S


def _mean_seconds(leased: LeasedRows, test: ListeningTest) -> float:
    """Of the clips of a pair, or of all the clips of a trial."""
    some = leased.with_seconds(leased.hearable(test)).order_by("pk").values_list("seconds", flat=True)[:PAIRS_MEASURED]
    seconds = [each or 0.0 for each in some]
    return sum(seconds) / max(1, len(seconds))


def _has_room(test: ListeningTest, leased: LeasedRows) -> Q:
    """Room for an answer; a lease whose time is over still counts in `load` until the next lease clears it away."""
    ended_leases = Assignment.objects.filter(
        **{leased.column: OuterRef("pk")},
        released_at__isnull=True,
        rated_at__isnull=True,
        lease_expires_at__lt=timezone.now(),
    )
    return Q(load__lt=test.ratings_per_pair) | Q(Exists(ended_leases))
