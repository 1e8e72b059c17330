"""What the commands study_report and train tell, in keys that scripts rely on."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db.models import QuerySet

from listening_tests.choices import PairRole, TestKind
from listening_tests.models import Comparison, ListeningTest, Pair, Question, Rating
from modeling import agreement, bradley_terry
from modeling.comparisons import WON
from modeling.targets import to_ten
from worker.models import MetricName, TrainingRun
from worker.selectors import (
    UNMEASURED,
    MetricEstimate,
    counted_study_comparisons,
    counted_study_ratings,
    is_excluded,
    question_named,
    run_metrics,
    study_comparisons,
    study_ratings,
)


@dataclass(frozen=True)
class QuestionReport:
    """What the answers to one question are worth. An answer is counted unless a rule excludes it; None: undefined.

    `rated_pairs`, `raters`, `ratings`: study pairs with a counted answer, who gave them, and how many answers they are:
    ratings, or in a comparison choices between two study pairs. `anchor_ratings`: answers about anchors, those of
    excluded raters too, since they are what a rater is judged by. `excluded_ratings`: study answers that are not
    counted, so that `ratings + excluded_ratings` are all. `excluded_raters`: raters of study pairs of whose study
    answers none is counted, so that `raters + excluded_raters` are all. `icc1`, `reliability`, `ceiling_srcc`,
    `one_vs_rest_srcc`: over the counted study ratings, as modeling.agreement defines them; choices have none.
    """

    rated_pairs: int
    raters: int
    ratings: int
    anchor_ratings: int
    excluded_raters: int
    excluded_ratings: int
    icc1: float | None = None
    reliability: float | None = None
    ceiling_srcc: float | None = None
    one_vs_rest_srcc: float | None = None


@dataclass(frozen=True)
class StudyReport:
    """`pairs`: the test's study pairs, rated or not. `of_first`: of the test's first question; `of_each`: of all."""

    test: str
    pairs: int
    of_first: QuestionReport
    of_each: dict[str, QuestionReport]
    systems: dict[str, list[dict[str, Any]]]

    def as_dict(self) -> dict[str, Any]:
        """As `study_report --json` prints it: the first question's numbers, and `questions` with those of each where a
        test asks several. A comparison has `systems` for each question as well.
        """
        told = {"test": self.test, "pairs": self.pairs, **asdict(self.of_first)}
        if len(self.of_each) > 1 or self.systems:
            told["questions"] = {
                name: asdict(report) | ({"systems": self.systems[name]} if name in self.systems else {})
                for name, report in self.of_each.items()
            }
        return told


def study_report(*, test: ListeningTest, question: str = "") -> StudyReport:
    """Reads every counted study answer once. `question` names the one that comes first in place of the test's first.

    Raises Refused where the test asks no question, or none of this name.
    """
    first = question_named(test=test, name=question)
    is_compared = test.kind == TestKind.COMPARISON
    report = _comparisons_report if is_compared else _ratings_report
    asked = list(test.questions.order_by("id"))
    of_each = {each.name: report(test, each) for each in asked}
    return StudyReport(
        test=test.slug,
        pairs=Pair.objects.filter(test=test, role=PairRole.STUDY).count(),
        of_first=of_each[first.name],
        of_each=of_each,
        systems={each.name: _preferred_systems(test, each) for each in asked} if is_compared else {},
    )


def _ratings_report(test: ListeningTest, question: Question) -> QuestionReport:
    counted = counted_study_ratings(test=test, question=question)
    rows = counted.values_list("pair_id", "score", "scale_min", "scale_max").iterator(chunk_size=20_000)
    table = np.fromiter(rows, dtype=[("pair", np.int64), *((name, np.float64) for name in ("score", "low", "high"))])
    pair, score = table["pair"], to_ten(table["score"], table["low"], table["high"])
    anchors = Rating.objects.filter(test=test, pair__role=PairRole.ANCHOR, question=question)
    every = study_ratings(test=test, question=question)
    return QuestionReport(
        rated_pairs=len(np.unique(pair)),
        ratings=len(score),
        anchor_ratings=anchors.count(),
        excluded_ratings=every.filter(is_excluded()).count(),
        **_raters(every, counted),
        icc1=agreement.icc1(pair, score),
        reliability=agreement.reliability(pair, score),
        ceiling_srcc=agreement.ceiling_srcc(pair, score).value,
        one_vs_rest_srcc=agreement.one_vs_rest_srcc(pair, score).value,
    )


def _comparisons_report(test: ListeningTest, question: Question) -> QuestionReport:
    counted = counted_study_comparisons(test=test, question=question)
    every = study_comparisons(test=test, question=question)
    anchors = Comparison.objects.filter(test=test, trial__role=PairRole.ANCHOR, question=question)
    n_counted = counted.count()
    return QuestionReport(
        rated_pairs=len({key for places in counted.values_list("first", "second") for key in places}),
        ratings=n_counted,
        anchor_ratings=anchors.count(),
        excluded_ratings=every.count() - n_counted,
        **_raters(every, counted),
    )


def _raters(every: QuerySet[Any], counted: QuerySet[Any]) -> dict[str, int]:
    n_raters = counted.values("rater_id").distinct().count()
    return {"raters": n_raters, "excluded_raters": every.values("rater_id").distinct().count() - n_raters}


def _preferred_systems(test: ListeningTest, question: Question) -> list[dict[str, Any]]:
    """The systems, the most preferred first: Bradley-Terry `strength` in logits against an average system, and `score`,
    ten times the probability of being preferred to it, each with its interval and its number of comparisons.
    """
    columns = ("first__system", "second__system", "choice", "trial__caption_id")
    # By the captions' texts, so that an export that is imported again gives the same intervals.
    counted = counted_study_comparisons(test=test, question=question).order_by("trial__caption__text", "id")
    rows = list(counted.values_list(*columns))
    if not rows:
        return []
    first, second, choices, captions = zip(*rows, strict=True)
    won = [WON[choice] for choice in choices]
    return [
        {"system": found.system, "strength": found.strength.as_dict(), "score": found.score.as_dict()}
        for found in bradley_terry.system_strengths(first, second, won, captions)
    ]


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
    """Agreement with choices is there only where raters compared."""
    names = [name for name in MetricName.values if name != MetricName.AGREEMENT or name in values]
    return {name: vars(values.get(name, UNMEASURED)) for name in names}
