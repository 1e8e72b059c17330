"""The plan of a study: what each number of ratings takes and gives, with the test's own variances once it has some."""

from dataclasses import dataclass

import numpy as np

from listening_tests.choices import OUTSIDE_OF_K, TestKind
from listening_tests.kinds import kind_of
from listening_tests.models import ListeningTest, Question
from listening_tests.sitting_plan import SittingPlan, whole_sitting_plan
from modeling import agreement
from modeling.planning import RELATE_BETWEEN, RELATE_WITHIN, USUAL_K, PlanRow, Study, plan_row
from modeling.targets import to_ten
from worker.selectors import counted_study_ratings

# With fewer the fitted variances say less than those of RELATE.
LEAST_PAIRS, LEAST_RATINGS = 20, 60


@dataclass(frozen=True)
class StudyPlan:
    """`rows` are one for each number of ratings, the test's own k among them. `is_fitted`: the variances are those of
    the test's `n_ratings` ratings, else RELATE's. `icc` is the reliability of a single rating.
    """

    rows: list[PlanRow]
    sitting: SittingPlan
    n_items: int
    icc: float
    is_fitted: bool
    n_ratings: int


def study_plan(
    *, test: ListeningTest, reward: float | None, fee: float, spare: float, question: Question | None = None
) -> StudyPlan:
    """`fee` and `spare` are shares from 0 on, `spare` below 1; `reward` is paid for a whole sitting."""
    leased = kind_of(test).leased
    n_items = leased.hearable(test).exclude(role__in=OUTSIDE_OF_K).count()
    sitting = whole_sitting_plan(test=test)
    n_in_sitting = min(test.pairs_per_session, n_items)
    study = Study(n_items, n_in_sitting, sitting.seconds, reward=reward, fee=fee, spare=spare)
    between, within, n_ratings = _variances(test, question)
    is_fitted = n_ratings > 0
    ks = sorted({*USUAL_K, test.ratings_per_pair})
    return StudyPlan(
        rows=[plan_row(study, k=k, between=between, within=within) for k in ks],
        sitting=sitting,
        n_items=n_items,
        icc=between / (between + within),
        is_fitted=is_fitted,
        n_ratings=n_ratings,
    )


def _variances(test: ListeningTest, question: Question | None) -> tuple[float, float, int]:
    """Between and within pairs on 0..10, and how many ratings they are fitted to: none where they are RELATE's."""
    usual = (RELATE_BETWEEN, RELATE_WITHIN, 0)
    if test.kind == TestKind.COMPARISON:
        return usual
    rows = counted_study_ratings(test=test, question=question)
    columns = rows.values_list("pair_id", "score", "scale_min", "scale_max").iterator(chunk_size=20_000)
    table = np.fromiter(columns, dtype=[("pair", np.int64), *((name, np.float64) for name in ("score", "low", "high"))])
    if len(table) < LEAST_RATINGS or len(np.unique(table["pair"])) < LEAST_PAIRS:
        return usual
    fitted = agreement.variances(table["pair"], to_ten(table["score"], table["low"], table["high"]))
    if fitted is None or fitted.between + fitted.within <= 0:
        return usual
    return (fitted.between, fitted.within, len(table))
