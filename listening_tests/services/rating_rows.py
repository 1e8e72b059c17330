"""The rows of a file of ratings: each cell checked, each row held against the others, every mistake told."""

import functools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast
from uuid import UUID

from listening_tests.answer_files.columns import BY_NAME
from listening_tests.answer_files.reading import CellRefused, typed
from listening_tests.choices import Choice, PairRole, Source, Split, TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import Question
from listening_tests.rating_layouts.layout import LaidOut, LaidOutRow
from listening_tests.services.imported_answers import (
    ImportedAnswer,
    ImportedAnswers,
    ImportedClip,
    ImportedExclusion,
    ImportedPair,
    ImportedQuestion,
    ImportedTrial,
    PairKey,
)

# So many mistakes are told; the rest is counted.
MOST_PROBLEMS = 50
DEFAULT_LANGUAGE = "en"
_LONGEST = {
    "caption": 20_000,
    "clip_name": 500,
    "system": 120,
    "source_id": 200,
    "language": 20,
    "question": 40,
    "prompt": 300,
    "min_label": 80,
    "max_label": 80,
    "rater": 500,
}
_WORDS: dict[str, list[str]] = {
    "test_kind": TestKind.values,
    "choice": Choice.values,
    "role": PairRole.values,
    "trial_role": PairRole.values,
    "own_split": Split.values,
}
_SHA256 = re.compile("[0-9a-f]{64}")
_SLUG = re.compile("[-a-zA-Z0-9_]+")
_LARGEST_PLACE = 32_767
_OTHER = "other_"
_T = TypeVar("_T")


class RatingsRefused(Refused):
    """Some rows cannot be used, so that nothing was imported. `problems` holds a sentence for each."""

    def __init__(self, problems: list[str], *, file: str) -> None:
        self.problems = problems
        count = len(problems)
        told = "1 mistake" if count == 1 else f"{count:,} mistakes"
        lines = [
            f"Nothing was imported, because {file} holds {told}. Mend what is named here.",
            *problems[:MOST_PROBLEMS],
        ]
        if count > MOST_PROBLEMS:
            lines.append(f"And {count - MOST_PROBLEMS:,} more.")
        super().__init__("\n".join(lines))


def rating_rows_read(*, laid_out: LaidOut, file: str) -> ImportedAnswers:
    """Raises RatingsRefused with every mistake of the rows, or Refused where the file as a whole cannot be used."""
    gathered = _Gathered(laid_out.called)
    for row in laid_out.rows:
        gathered.take(row)
    gathered.check_trials()
    if gathered.problems:
        raise RatingsRefused(gathered.problems, file=file)
    if not gathered.found.answers:
        raise Refused(f"{file} holds no answers.")
    return gathered.found


class _Cells:
    """One row: values by column, with the mistakes of its cells."""

    def __init__(self, row: LaidOutRow, called: Mapping[str, str]) -> None:
        self.place = row.place
        self.called = called
        self.problems = [f"{row.place}, {problem}" for problem in row.problems]
        self.values: dict[str, Any] = {}
        self._bad: set[str] = set()
        for name, cell in row.cells.items():
            self.values[name] = self._value(name, cell)

    def problem(self, column: str, reason: str) -> None:
        self._bad.add(column)
        self.problems.append(f"{self.place}, {self.called.get(column, column)}: {reason}")

    def text(self, name: str) -> str:
        return self.values.get(name) or ""

    def get(self, name: str) -> Any:
        return self.values.get(name)

    def needed(self, name: str) -> Any:
        value = self.values.get(name)
        if value is None and name not in self._bad:
            self.problem(name, "It is empty.")
        return value

    def _value(self, name: str, cell: object) -> Any:
        column = BY_NAME[name]
        if name == "rater" and cell is not None:
            # In another study's file it may be any text, or a number.
            column, cell = BY_NAME["caption"], str(cell).strip()
        try:
            value = typed(column, cell)
        except CellRefused as refused:
            self.problem(name, str(refused))
            return None
        return self._fit(name, value) if isinstance(value, str) else value

    def _fit(self, name: str, text: str) -> str | None:
        plain = name.removeprefix(_OTHER)
        limit = _LONGEST.get(plain)
        if limit and len(text) > limit:
            self.problem(name, f"It has {len(text):,} characters; the limit is {limit:,}. Shorten it.")
        elif plain in _WORDS and text not in _WORDS[plain]:
            self.problem(name, f"{text!r} is unknown. Write one of: {', '.join(_WORDS[plain])}.")
        elif plain == "clip_sha256" and not _SHA256.fullmatch(text):
            self.problem(name, f"{text!r} is no SHA-256, which has 64 digits and letters a to f.")
        else:
            return text or None
        return None


class _Gathered:
    """All rows so far. What a row says of its question, pairs or trial must be what earlier rows said."""

    def __init__(self, called: Mapping[str, str]) -> None:
        self.called = called
        self.found = ImportedAnswers()
        self.problems: list[str] = []
        self._kind: TestKind | None = None
        self._answered: dict[object, str] = {}
        self._pair_of_uuid: dict[UUID, PairKey] = {}
        self._question_places: dict[str, str] = {}

    def take(self, row: LaidOutRow) -> None:
        cells = _Cells(row, self.called)
        if row.cells:
            answer = self._answer(cells)
            if not cells.problems and answer is not None:
                self.found.answers.append(answer)
        self.problems += cells.problems

    def check_trials(self) -> None:
        for trial in self.found.trials.values():
            captions = {key[1:] for key in trial.pairs}
            if len(captions) > 1:
                self.problems.append(f"{trial.place}, trial_uuid: Its rows have more captions than one.")
            if self.found.kind == TestKind.COMPARISON and len(trial.pairs) != 2:
                self.problems.append(
                    f"{trial.place}, trial_uuid: A comparison is of two pairs; it has {len(trial.pairs)}."
                )

    def _answer(self, cells: _Cells) -> ImportedAnswer | None:
        kind = self._same_kind(cells)
        question = self._question(cells)
        pairs = [self._pair(cells, "")]
        if kind == TestKind.COMPARISON:
            pairs.append(self._pair(cells, _OTHER))
            if pairs[0] is not None and pairs[0] == pairs[1]:
                cells.problem("other_pair_uuid", "It is the first pair again. A comparison is of two pairs.")
        answer = ImportedAnswer(
            place=cells.place,
            uuid=cells.get("answer_uuid"),
            client_uuid=cells.get("client_uuid"),
            rater=cells.needed("rater") or "",
            question=question.name if question else "",
            trial=cells.get("trial_uuid"),
            place_in_trial=self._place(cells, kind),
            score=self._score(cells, kind, question),
            choice=(cells.needed("choice") or "") if kind == TestKind.COMPARISON else "",
            pairs=tuple(pair for pair in pairs if pair is not None),
            heard=tuple(self._heard(cells, prefix) for prefix in ("", _OTHER)[: len(pairs)]),
            shown_at=cells.get("shown_at"),
            submitted_at=cells.get("submitted_at"),
            late=cells.get("late") or False,
            too_soon=cells.get("too_soon") or False,
            exclusions=_exclusions(cells),
        )
        self._trial(cells, answer)
        self._once(cells, answer)
        self.found.is_simulated |= bool(cells.get("is_simulated")) or cells.get("source") == Source.SIMULATED
        if cells.get("test"):
            self.found.tests.add(cells.text("test"))
        return answer

    def _same_kind(self, cells: _Cells) -> TestKind:
        kind = TestKind(cells.needed("test_kind") or self.found.kind)
        if self._kind is None:
            self._kind = self.found.kind = kind
        if kind != self._kind:
            cells.problem(
                "test_kind", f"It is {kind}, and {self._kind} above. A file holds answers of one kind of test."
            )
        answer_kind = "comparison" if kind == TestKind.COMPARISON else "rating"
        if cells.get("answer_kind") not in (None, answer_kind):
            cells.problem(
                "answer_kind", f"It is {cells.get('answer_kind')}, but a test of this kind has a {answer_kind}."
            )
        return self._kind

    def _question(self, cells: _Cells) -> ImportedQuestion | None:
        name = cells.needed("question")
        low, high, step = (cells.needed(column) for column in ("scale_min", "scale_max", "scale_step"))
        labels = _labels(cells)
        if None in (name, low, high, step):
            return None
        if not _SLUG.fullmatch(name):
            cells.problem("question", f"{name!r} is no name. Use letters a to z, digits, - and _.")
        if low >= high or step < 0:
            cells.problem("scale_min", "The scale does not ascend from scale_min to scale_max in steps of 0 or more.")
        question = ImportedQuestion(
            name, cells.text("prompt"), low, high, step, cells.text("min_label"), cells.text("max_label"), labels
        )
        known = self.found.questions.setdefault(name, question)
        place = self._question_places.setdefault(name, cells.place)
        if known != question:
            cells.problem("question", f"{name} has another prompt, scale or label in {place}. Make them the same.")
        return question

    def _score(self, cells: _Cells, kind: TestKind, question: ImportedQuestion | None) -> float | None:
        if kind == TestKind.COMPARISON:
            if cells.get("score") is not None:
                cells.problem("score", "A comparison has none. Empty the cell.")
            return None
        score = cast(float | None, cells.needed("score"))
        if score is None:
            return None
        if question is not None and not _scale(question).holds(score):
            steps = f" in steps of {question.scale_step:g}" if question.scale_step else ""
            cells.problem(
                "score",
                f"{score:g} is not on the scale from {question.scale_min:g} to {question.scale_max:g}{steps}.",
            )
        return score

    def _place(self, cells: _Cells, kind: TestKind) -> int | None:
        place = cast(int | None, cells.get("place"))
        if kind != TestKind.RATING:
            cells.needed("trial_uuid")
        elif cells.get("trial_uuid") is not None:
            cells.problem("trial_uuid", "A test of single ratings has no trials. Empty the cell.")
        if kind == TestKind.SIDE_BY_SIDE:
            if place is None or not 1 <= place <= _LARGEST_PLACE:
                cells.problem("place", f"It is none from 1 to {_LARGEST_PLACE:,}.")
        elif place is not None:
            cells.problem("place", "Only clips side by side have one. Empty the cell.")
        return place

    def _pair(self, cells: _Cells, prefix: str) -> PairKey | None:
        name, caption = cells.needed(f"{prefix}clip_name"), cells.needed("caption")
        if name is None or caption is None:
            return None
        low, high = cells.get(f"{prefix}expected_min"), cells.get(f"{prefix}expected_max")
        if low is not None and high is not None and low > high:
            cells.problem(f"{prefix}expected_min", f"{low:g} lies above expected_max {high:g}. Swap them.")
        duration_s = cells.get(f"{prefix}duration_s")
        if duration_s is not None and duration_s <= 0:
            cells.problem(f"{prefix}duration_s", "A clip lasts longer than 0 seconds.")
        pair = ImportedPair(
            place=cells.place,
            clip=ImportedClip(cells.text(f"{prefix}clip_sha256"), name, duration_s),
            caption=caption,
            language=cells.text("language") or DEFAULT_LANGUAGE,
            system=cells.text(f"{prefix}system"),
            source_id=cells.text(f"{prefix}source_id"),
            role=cells.text(f"{prefix}role"),
            expected_min=low,
            expected_max=high,
            own_split=cells.get(f"{prefix}own_split"),
            uuid=cells.get(f"{prefix}pair_uuid"),
        )
        known = self.found.pairs.setdefault(pair.key, pair)
        self._same_pair(cells, prefix, known, pair)
        return pair.key

    def _same_pair(self, cells: _Cells, prefix: str, known: ImportedPair, pair: ImportedPair) -> None:
        for column in ("system", "source_id", "role", "expected_min", "expected_max"):
            if getattr(known, column) != getattr(pair, column):
                told = f"{getattr(known, column)!r} in {known.place}, and {getattr(pair, column)!r} here"
                cells.problem(prefix + column, f"The same clip and caption have {told}. Make them the same.")
        # Rows that were excluded may say no split of their pair.
        known.own_split = self._either(cells, f"{prefix}own_split", known.own_split, pair.own_split, known.place)
        known.uuid = self._either(cells, f"{prefix}pair_uuid", known.uuid, pair.uuid, known.place)
        if pair.uuid is not None and self._pair_of_uuid.setdefault(pair.uuid, pair.key) != pair.key:
            cells.problem(f"{prefix}pair_uuid", "It has another clip or caption in a row above.")

    def _either(self, cells: _Cells, column: str, one: _T | None, other: _T | None, place: str) -> _T | None:
        if one is not None and other is not None and one != other:
            cells.problem(
                column, f"The same clip and caption have {one} in {place}, and {other} here. Make them the same."
            )
        return other if one is None else one

    def _trial(self, cells: _Cells, answer: ImportedAnswer) -> None:
        if answer.trial is None:
            return
        role = cells.text("trial_role")
        trial = self.found.trials.setdefault(answer.trial, ImportedTrial(cells.place, role))
        if trial.role != role:
            cells.problem("trial_role", f"The trial is {trial.role!r} in {trial.place}, and {role!r} here.")
        trial.pairs.update(dict.fromkeys(answer.pairs))

    def _heard(self, cells: _Cells, prefix: str) -> tuple[int | None, float | None]:
        heard_s = cast(float | None, cells.get(f"{prefix}heard_s"))
        if heard_s is not None and heard_s < 0:
            cells.problem(f"{prefix}heard_s", "It is below 0.")
        return cells.get(f"{prefix}plays"), heard_s

    def _once(self, cells: _Cells, answer: ImportedAnswer) -> None:
        """An answer comes once: by its uuid or, where the file has none, by who rated what."""
        key = answer.uuid or (answer.rater, answer.question, answer.pairs)
        place = self._answered.setdefault(key, cells.place)
        if place != cells.place:
            told = "answer_uuid" if answer.uuid else "rater"
            what = "This answer" if answer.uuid else "A rating of this clip and caption by this rater"
            cells.problem(told, f"{what} is in {place} already. Remove one.")


@functools.lru_cache(maxsize=64)
def _scale(question: ImportedQuestion) -> Question:
    return Question(scale_min=question.scale_min, scale_max=question.scale_max, scale_step=question.scale_step)


def _labels(cells: _Cells) -> tuple[tuple[float, str], ...]:
    """Words in between, out of a list of [value, word]."""

    def label(entry: Any) -> tuple[float, str]:
        value, text = entry
        if isinstance(value, bool) or not isinstance(text, str) or len(text) > 80:
            raise ValueError
        return float(value), _storable(text)

    return tuple(_listed(cells, "scale_labels", label, "It is no list of [value, word]."))


def _exclusions(cells: _Cells) -> tuple[ImportedExclusion, ...]:
    def exclusion(entry: Any) -> ImportedExclusion:
        rule, version, reason = entry["rule"], entry["version"], entry["reason"]
        is_good = isinstance(rule, str) and _SLUG.fullmatch(rule) and len(rule) <= 60
        is_good = is_good and type(version) is int and 0 <= version < 2**31
        if not is_good or not isinstance(reason, str) or len(reason) > 300:
            raise ValueError
        return ImportedExclusion(rule, version, _storable(reason))

    found = _listed(cells, "exclusions", exclusion, "It is no list of {rule, version, reason}.")
    if len({(one.rule, one.version) for one in found}) < len(found):
        cells.problem("exclusions", "It names a rule and version twice. Remove one.")
    return tuple(found)


def _listed(cells: _Cells, column: str, entry: Callable[[Any], _T], reason: str) -> list[_T]:
    """The entries of a JSON list in a cell; none where the cell is empty."""
    text = cells.get(column)
    if text is None:
        return []
    try:
        listed = json.loads(text)
        if not isinstance(listed, list):
            raise ValueError
        return [entry(one) for one in listed]
    except (ValueError, TypeError, KeyError, RecursionError):
        cells.problem(column, reason)
        return []


def _storable(text: str) -> str:
    """Raises ValueError for a text that a database cannot hold."""
    if "\0" in text:
        raise ValueError("It holds a NUL character.")
    text.encode()
    return text
