"""A question's answers as arrays: a million of them in a second or two, for arithmetic over all.

PostgreSQL writes the columns in its binary form, each row of the same width, which numpy reads as it stands.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast

from listening_tests.choices import Choice, PairRole, TestKind
from listening_tests.models import Comparison, Exclusion, ListeningTest, Question, Rating
from modeling.agreement import Ints
from modeling.metrics import Floats
from modeling.rater_agreement import Bools

_COLUMNS = ("rater", "item", "score", "study", "practice", "left_out", "too_soon", "late")
_HEADER_BYTES, _TRAILER_BYTES = 19, 2
# Of each row the number of its columns, and before each column its length in bytes.
_ROW = np.dtype(
    [("n", ">i2")]
    + [
        field
        for name, kind in zip(_COLUMNS, (">i8", ">i8", ">f8", *["?"] * 5), strict=True)
        for field in ((f"{name}_bytes", ">i4"), (name, kind))
    ]
)


@dataclass(frozen=True)
class AnswerArrays:
    """One entry per answer to one question.

    `item` is a pair, in a comparison a trial; `score` then is 1 where the trial's pair of the lower key is preferred,
    -1 where the other is, 0 for neither.
    """

    rater: Ints
    item: Ints
    score: Floats
    study: Bools
    practice: Bools
    left_out: Bools
    too_soon: Bools
    late: Bools

    def chosen(self, which: Bools) -> "AnswerArrays":
        return AnswerArrays(**{name: getattr(self, name)[which] for name in _COLUMNS})

    def __len__(self) -> int:
        return len(self.rater)


def read_answers(*, test: ListeningTest, question: Question, of_rater: int | None = None) -> AnswerArrays:
    """All answers to the question, of every role, left out by a rule or not. `of_rater` asks for those about what this
    rater answered, by whomever.
    """
    rows = _comparisons(test, question) if test.kind == TestKind.COMPARISON else _ratings(test, question)
    if of_rater is not None:
        item = "trial" if test.kind == TestKind.COMPARISON else "pair"
        rows = rows.filter(**{f"{item}__in": rows.model.objects.filter(rater=of_rater, question=question).values(item)})
    table = _read(_as_columns(rows))
    return AnswerArrays(**{name: table[name].astype(table[name].dtype.newbyteorder("=")) for name in _COLUMNS})


def _ratings(test: ListeningTest, question: Question) -> QuerySet[Any]:
    left_out = Exists(Exclusion.objects.filter(rating=OuterRef("pk")))
    rows = Rating.objects.filter(test=test, question=question)
    return rows.annotate(c_item=F("pair_id"), c_score=F("score"), c_role=F("pair__role"), c_left_out=left_out)


def _comparisons(test: ListeningTest, question: Question) -> QuerySet[Any]:
    left_out = Exists(Exclusion.objects.filter(comparison=OuterRef("pk")))
    lower_is_first = Q(first__lt=F("second"))
    is_lower = Q(choice=Choice.FIRST) & lower_is_first | Q(choice=Choice.SECOND) & ~lower_is_first
    score = Case(
        When(choice=Choice.NONE, then=Value(0.0)), When(is_lower, then=Value(1.0)), default=Value(-1.0),
        output_field=FloatField(),
    )  # fmt: skip
    rows = Comparison.objects.filter(test=test, question=question)
    return rows.annotate(c_item=F("trial_id"), c_score=score, c_role=F("trial__role"), c_left_out=left_out)


def _as_columns(rows: QuerySet[Any]) -> QuerySet[Any, tuple[Any, ...]]:
    return rows.order_by().values_list(
        Cast("rater_id", BigIntegerField()),
        Cast("c_item", BigIntegerField()),
        Cast("c_score", FloatField()),
        ExpressionWrapper(Q(c_role=PairRole.STUDY), BooleanField()),
        ExpressionWrapper(Q(c_role=PairRole.PRACTICE), BooleanField()),
        "c_left_out",
        "too_soon",
        "late",
    )


def _read(rows: QuerySet[Any, tuple[Any, ...]]) -> np.ndarray[Any, Any]:
    statement, parameters = rows.query.sql_with_params()
    copy = f"COPY ({statement}) TO STDOUT (FORMAT BINARY)"
    # Past Django's own cursor, which takes no parameters here where it keeps count of queries.
    with connection.cursor() as wrapper, wrapper.cursor.copy(copy, parameters) as out:
        data = bytearray()
        for row in out:
            data += row
    n_rows = (len(data) - _HEADER_BYTES - _TRAILER_BYTES) // _ROW.itemsize
    return np.frombuffer(data, dtype=_ROW, count=n_rows, offset=_HEADER_BYTES)
