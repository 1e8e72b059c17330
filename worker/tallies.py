"""What was answered in a test, counted in one pass: a million answers take a second, and five passes five.

Counted are the study answers to one question that no Exclusion leaves out. An anchor hidden among other sounds is none.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Exists, F, FloatField, OuterRef, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Floor, Least, TruncDate

from listening_tests.choices import PairRole, TestKind
from listening_tests.models import Comparison, Exclusion, ListeningTest, Question
from worker.selectors import counted_study_ratings, study_ratings

# A continuous scale is counted in so many bins of one width.
BINS = 20


@dataclass
class Tally:
    """Counted answers by what was given out (pairs, or trials), by rater, by day (UTC), and how many each flag has.

    `items` counts answers of raters: one for a trial, however many sounds were scored in it; `n_answers` counts rows.
    `scores` are those of a scale, on a continuous one the lower ends of its bins; `choices` are (first system, second
    system, choice) of comparisons.
    """

    n_answers: int = 0
    items: Counter[int] = field(default_factory=Counter)
    raters: Counter[int] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    scores: Counter[float] = field(default_factory=Counter)
    choices: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def tally_of(*, test: ListeningTest, question: Question | None) -> Tally:
    """An empty one where the test asks nothing."""
    if question is None:
        return Tally()
    if test.kind == TestKind.COMPARISON:
        return _tally_of_comparisons(test, question)
    return _tally_of_ratings(test, question)


def n_excluded(*, test: ListeningTest, question: Question | None) -> int:
    """Study answers that a rule leaves out."""
    if question is None:
        return 0
    if test.kind == TestKind.COMPARISON:
        return study_comparisons(test=test, question=question).filter(_is_left_out()).count()
    left_out = Exists(Exclusion.objects.filter(rating=OuterRef("pk")))
    return study_ratings(test=test, question=question).filter(left_out).count()


def study_comparisons(*, test: ListeningTest, question: Question) -> QuerySet[Comparison]:
    """All study comparisons under a question, excluded ones too."""
    return Comparison.objects.filter(test=test, question=question, trial__role=PairRole.STUDY).order_by()


def bins_of(question: Question) -> list[float]:
    """The lower ends of the bins in which a continuous scale is counted."""
    width = (question.scale_max - question.scale_min) / BINS
    return [question.scale_min + number * width for number in range(BINS)]


def _is_left_out() -> Exists:
    return Exists(Exclusion.objects.filter(comparison=OuterRef("pk")))


def _tally_of_ratings(test: ListeningTest, question: Question) -> Tally:
    item = "trial_id" if test.kind == TestKind.SIDE_BY_SIDE else "pair_id"
    rows = counted_study_ratings(test=test, question=question).values_list(
        item, "rater_id", TruncDate("submitted_at"), "late", "too_soon", _counted_score(question)
    )
    tally, counts = _counted_sets(rows, ("score",), several_rows_an_answer=test.kind == TestKind.SIDE_BY_SIDE)
    bins = bins_of(question)
    for (score,), n in counts.items():
        tally.scores[bins[int(score)] if question.is_continuous else score] += n
    return tally


def _counted_score(question: Question) -> Combinable:
    """The score, or on a continuous scale the number of its bin: there a million scores may all differ."""
    if not question.is_continuous:
        return F("score")
    width = (question.scale_max - question.scale_min) / BINS
    number = Floor((F("score") - Value(question.scale_min)) / Value(width))
    return Least(number, Value(BINS - 1.0), output_field=FloatField())


def _tally_of_comparisons(test: ListeningTest, question: Question) -> Tally:
    rows = study_comparisons(test=test, question=question).filter(~_is_left_out())
    columns = rows.values_list(
        *("trial_id", "rater_id", TruncDate("submitted_at"), "late", "too_soon"),
        *("first__system", "second__system", "choice"),
    )
    tally, counts = _counted_sets(columns, ("first", "second", "choice"))
    tally.choices.update(counts)
    return tally


def _counted_sets(
    rows: QuerySet[Any, Any], answer: Sequence[str], *, several_rows_an_answer: bool = False
) -> tuple[Tally, dict[tuple[Any, ...], int]]:
    """Counts rows of item, rater, day, late, too_soon and the columns of the `answer`; the latter as they are."""
    inner, parameters = rows.query.sql_with_params()
    columns = ", ".join(answer)
    by_item = "(item, rater)" if several_rows_an_answer else "(item)"
    # grouping() is 0 where a row of the result is counted by the column.
    statement = f"""
        SELECT CASE WHEN grouping(item) = 0 THEN 'item' WHEN grouping(rater) = 0 THEN 'rater'
                WHEN grouping(day) = 0 THEN 'day' WHEN grouping(late) = 0 THEN 'flags' ELSE 'answer' END AS by_what,
            item, rater, day, late, too_soon, {columns}, count(*) AS n
        FROM ({inner}) AS answers (item, rater, day, late, too_soon, {columns})
        GROUP BY GROUPING SETS ({by_item}, (rater), (day), (late, too_soon), ({columns}))
    """  # noqa: S608 -- Django's own statement, and names written here
    if several_rows_an_answer:
        nulls = ", ".join("NULL" for _ in answer)
        statement = f"""
            WITH counted AS MATERIALIZED ({statement})
            SELECT by_what, item, NULL, NULL, NULL, NULL, {nulls}, count(*)
                FROM counted WHERE by_what = 'item' GROUP BY by_what, item
            UNION ALL SELECT * FROM counted WHERE by_what <> 'item'
        """  # noqa: S608 -- the same
    tally, counts = Tally(), {}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        for by, item, rater, day, late, too_soon, *given, n in cursor:
            if by == "item":
                tally.items[item] = n
            elif by == "rater":
                tally.raters[rater] = n
            elif by == "day":
                tally.days[day] = n
            elif by == "flags":
                tally.n_answers += n
                tally.flags.update(late=late * n, too_soon=too_soon * n)
            else:
                counts[tuple(given)] = n
    return tally, counts
