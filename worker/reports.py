"""What the commands study_report and train tell, in keys that scripts rely on."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from listening_tests.choices import PairRole
from listening_tests.models import ListeningTest, Pair, Rating
from modeling import agreement
from modeling.targets import to_ten
from worker.models import MetricName, TrainingRun
from worker.selectors import (
    UNMEASURED,
    MetricEstimate,
    counted_study_ratings,
    first_question,
    is_excluded,
    run_metrics,
    study_ratings,
)


@dataclass(frozen=True)
class StudyReport:
    """What a test's ratings are worth. A rating is counted unless a rule excludes it; None stands for undefined.

    `pairs`: the test's study pairs, rated or not. `rated_pairs`, `raters`, `ratings`: study pairs with a counted
    rating, who gave them, and how many they are. `anchor_ratings`: ratings of anchors, those of excluded raters too,
    since they are what a rater is judged by. `excluded_ratings`: study ratings that are not counted, so that
    `ratings + excluded_ratings` are all. `excluded_raters`: raters of study pairs of whose study ratings none is
    counted, so that `raters + excluded_raters` are all. `icc1`, `reliability`, `ceiling_srcc`, `one_vs_rest_srcc`:
    over the counted study ratings, as modeling.agreement defines them.
    """

    test: str
    pairs: int
    rated_pairs: int
    raters: int
    ratings: int
    anchor_ratings: int
    excluded_raters: int
    excluded_ratings: int
    icc1: float | None
    reliability: float | None
    ceiling_srcc: float | None
    one_vs_rest_srcc: float | None


def study_report(*, test: ListeningTest) -> StudyReport:
    """Reads every counted study rating of the test's first question once."""
    counted = counted_study_ratings(test=test)
    rows = counted.values_list("pair_id", "score", "scale_min", "scale_max").iterator(chunk_size=20_000)
    table = np.fromiter(rows, dtype=[("pair", np.int64), *((name, np.float64) for name in ("score", "low", "high"))])
    pair, score = table["pair"], to_ten(table["score"], table["low"], table["high"])
    anchors = Rating.objects.filter(test=test, pair__role=PairRole.ANCHOR, question=first_question(test=test))
    n_raters = counted.values("rater_id").distinct().count()
    return StudyReport(
        test=test.slug,
        pairs=Pair.objects.filter(test=test, role=PairRole.STUDY).count(),
        rated_pairs=len(np.unique(pair)),
        raters=n_raters,
        ratings=len(score),
        anchor_ratings=anchors.count(),
        excluded_raters=study_ratings(test=test).values("rater_id").distinct().count() - n_raters,
        excluded_ratings=study_ratings(test=test).filter(is_excluded()).count(),
        icc1=agreement.icc1(pair, score),
        reliability=agreement.reliability(pair, score),
        ceiling_srcc=agreement.ceiling_srcc(pair, score).value,
        one_vs_rest_srcc=agreement.one_vs_rest_srcc(pair, score).value,
    )


def run_report(*, run: TrainingRun) -> dict[str, Any]:
    """A run as `manage.py train --json` prints it: None where it has not got that far, or a number is undefined."""
    metrics = run_metrics(run=run)
    return {
        "run": str(run.uuid),
        "status": run.status,
        "n_heldout": run.n_heldout,
        "n_train": run.n_train,
        "n_dropped": run.n_dropped,
        "base": _estimates(metrics.base if metrics else {}),
        "tuned": _estimates(metrics.tuned if metrics else {}),
        "difference": _estimates(metrics.difference if metrics else {}),
    }


def _estimates(values: dict[str, MetricEstimate]) -> dict[str, dict[str, float | int | None]]:
    return {name: vars(values.get(name, UNMEASURED)) for name in MetricName.values}
