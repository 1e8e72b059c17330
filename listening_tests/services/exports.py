"""Exports: every answer of a test with all that is known of it, streamed into a file that is complete or not there."""

import io
import itertools
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.contrib.postgres.aggregates import JSONBAgg
from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery, TextField, Value
from django.db.models.expressions import Expression
from django.db.models.functions import Coalesce, JSONObject, NullIf

from listening_tests.answer_files.columns import CHECKS, COLUMNS, NAMES, Column, Type
from listening_tests.answer_files.writing import WRITERS, Row
from listening_tests.exceptions import Refused
from listening_tests.kinds.kind import AnswerRow
from listening_tests.models import Comparison, Exclusion, ListeningTest, Question, RuleOutcome
from listening_tests.wanted_answers import EVERY_ANSWER, WantedAnswers, answers_wanted

FORMATS: tuple[str, ...] = tuple(WRITERS)
_RULES = list(CHECKS.values())
_NO_CHECKS = (None,) * len(_RULES)
# Rows that are in memory at once.
_CHUNK = 1_000
_PIECE_BYTES = 256 * 1024
# Told what is being done, how many answers are written, and how many there are.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ExportSummary:
    test: ListeningTest
    answers: int
    path: Path

    def __str__(self) -> str:
        noun = "answer" if self.answers == 1 else "answers"
        return f"Wrote {self.answers:,} {noun} of the test {self.test.slug} to {self.path}."


def answers_export(
    *,
    test: ListeningTest,
    file_format: str,
    path: Path,
    wanted: WantedAnswers = EVERY_ANSWER,
    on_progress: Progress | None = None,
) -> ExportSummary:
    """Writes the wanted answers of a test, by default every one, in the order in which they arrived, to `path`.

    The file is written beside its place and then moved there, over what was there before. Memory does not grow with the
    number of answers. Raises Refused where the file cannot be written; then nothing has changed.
    """
    _refuse_unknown(file_format)
    answers = answers_wanted(test=test, wanted=wanted)
    total = answers.count()
    with _complete_or_not_there(path) as file:
        written = 0
        writer = WRITERS[file_format](file)
        # In a transaction the cursor stays on the server, which sends a chunk at a time.
        with transaction.atomic():
            for rows in _chunks(answer_rows(answers=answers)):
                writer.write(rows)
                written += len(rows)
                if on_progress:
                    on_progress("Writing answers", written, total)
        writer.close()
    return ExportSummary(test, written, path)


def answers_stream(*, answers: QuerySet[Any], file_format: str) -> Iterator[bytes]:
    """The same file as `answers_export` writes, piece by piece, for whoever downloads it.

    CSV and JSONL come as they are read. Parquet, which begins with where everything lies, is written to a file that
    nobody else sees, and comes when it is complete. Raises Refused for a format that there is not, at once.
    """
    _refuse_unknown(file_format)
    return _file_pieces(answers) if file_format == "parquet" else _pieces(answers, file_format)


def _pieces(answers: QuerySet[Any], file_format: str) -> Iterator[bytes]:
    buffer = io.BytesIO()
    writer = WRITERS[file_format](buffer)
    with transaction.atomic():
        for rows in _chunks(answer_rows(answers=answers)):
            writer.write(rows)
            writer.flush()
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    writer.close()
    yield buffer.getvalue()


def _file_pieces(answers: QuerySet[Any]) -> Iterator[bytes]:
    with tempfile.TemporaryFile(prefix="earmark-export-") as file:
        writer = WRITERS["parquet"](file)
        with transaction.atomic():
            for rows in _chunks(answer_rows(answers=answers)):
                writer.write(rows)
        writer.close()
        file.seek(0)
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _refuse_unknown(file_format: str) -> None:
    if file_format not in WRITERS:
        raise Refused(f"There is no format {file_format}. Choose from: {', '.join(FORMATS)}.")


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(itertools.islice(rows, _CHUNK)):
        yield chunk


def answer_rows(*, answers: QuerySet[Any]) -> Iterator[Row]:
    """Ratings, or comparisons, in the order of COLUMNS and of their arrival, read as they are asked for. To be used in
    a transaction.
    """
    model = answers.model
    labels_at, exclusions_at = NAMES.index("scale_labels"), NAMES.index("exclusions")
    labels, checks = _labels(answers), _checks(answers)
    told = [_value(column, model) for column in COLUMNS if column not in CHECKS]
    values = answers.order_by("submitted_at", "pk").values_list(*told, "test_id", "rater_id")
    for found in values.iterator(chunk_size=_CHUNK):
        *row, test_id, rater_id = found
        row[labels_at] = labels.get(row[labels_at])
        if row[exclusions_at] is not None:
            row[exclusions_at] = json.dumps(list(map(_in_order, row[exclusions_at])), ensure_ascii=False)
        yield [*row, *checks.get((test_id, rater_id), _NO_CHECKS)]


def _in_order(told: dict[str, str | int]) -> dict[str, str | int]:
    """The database keeps no order within an object."""
    return {name: told[name] for name in ("rule", "version", "reason")}


def _value(column: Column, model: type[AnswerRow]) -> Expression | F | Subquery:
    """What stands in a column. An empty text is a missing value, in each of the formats alike."""
    path = column.comparison if model is Comparison else column.rating
    if not path:
        return Value(None, output_field=TextField())
    if "@" in path:
        return _no_field(path, model)
    return NullIf(F(path), Value(""), output_field=TextField()) if column.type == Type.TEXT else F(path)


def _no_field(path: str, model: type[AnswerRow]) -> Expression | F | Subquery:
    before, _, name = path.rpartition("@")
    if name == "known_sha256":
        return NullIf(Coalesce(F(f"{before}sha256"), F(f"{before}named_sha256")), Value(""))
    told: dict[str, Expression | F | Subquery] = {
        "answer_kind": Value("comparison" if model is Comparison else "rating"),
        # Made into words by the keys of the questions.
        "scale_labels": F("question_id"),
        "exclusions": _exclusions(model),
    }
    return told[name]


def _exclusions(model: type[AnswerRow]) -> Subquery:
    answer = "comparison" if model is Comparison else "rating"
    told = JSONObject(rule="rule", version="version", reason="reason")
    of_answer = Exclusion.objects.filter(**{answer: OuterRef("pk")}).order_by().values(answer)
    return Subquery(of_answer.annotate(told=JSONBAgg(told, order_by=("rule", "version"))).values("told"))


def _labels(answers: QuerySet[Any]) -> dict[int, str]:
    """By the keys of questions, the words in between as a JSON text; nothing where there are none."""
    tests = answers.order_by().values("test")
    questions = Question.objects.filter(test__in=tests, labels__isnull=False).distinct().prefetch_related("labels")
    told = {question.pk: [[label.value, label.text] for label in question.labels.all()] for question in questions}
    return {pk: json.dumps(labels, ensure_ascii=False) for pk, labels in told.items() if labels}


def _checks(answers: QuerySet[Any]) -> dict[tuple[int, int], tuple[str | None, ...]]:
    """By the keys of test and rater, the outcome by each rule. Raters with the same outcomes share one tuple."""
    outcomes: dict[tuple[int, int], dict[str, str]] = defaultdict(dict)
    rows = RuleOutcome.objects.filter(test__in=answers.order_by().values("test")).order_by()
    for test, rater, rule, outcome in rows.values_list("test_id", "rater_id", "rule", "outcome").iterator(
        chunk_size=5_000
    ):
        outcomes[test, rater][sys.intern(rule)] = sys.intern(outcome)
    shared: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}
    told = {key: tuple(map(by_rule.get, _RULES)) for key, by_rule in outcomes.items()}
    return {key: shared.setdefault(row, row) for key, row in told.items()}


@contextmanager
def _complete_or_not_there(path: Path) -> Iterator[BinaryIO]:
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.is_dir():
            raise Refused(f"{path} is a folder. Give the path of a file.")
        try:
            with beside.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise Refused(f"{path} cannot be written ({error.strerror}). Choose a folder that is there.") from error
    finally:
        beside.unlink(missing_ok=True)
