"""The answers of a test as screening reads them: to one question, practice and who has withdrawn left out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Case, Exists, F, FloatField, IntegerField, OuterRef, QuerySet, Value, When
from django.db.models.functions import Cast, Coalesce, Extract

from listening_tests.choices import CheckOutcome, Choice, PairRole, TestKind
from listening_tests.models import Comparison, ListeningTest, Pair, Question, Rating, Session, Withdrawal
from listening_tests.services.ratings import HEARD_SHARE
from modeling.agreement import Ints
from modeling.metrics import Floats
from modeling.screening.answers import FAILED, PASSED, ROLES, UNCHECKED, Answers
from modeling.targets import to_ten
from worker.screening.bulk import Array, columns_of

_OUTCOMES = {CheckOutcome.PASSED.value: PASSED, CheckOutcome.FAILED.value: FAILED}


@dataclass(frozen=True)
class RatersAnswers:
    """`answers` for the rules; `raters` are the keys of its raters, in the order in which they began. Of each answer
    the key, and when it came (seconds since 1970).
    """

    answers: Answers
    raters: Ints
    key: Ints
    came_at: Floats


def answers_of(*, test: ListeningTest, question: Question) -> RatersAnswers:
    """Every answer counts, whatever has been excluded: a screening must not change what the next one sees."""
    read = _comparisons if test.kind == TestKind.COMPARISON else _ratings
    columns = read(test, question)
    order = np.lexsort((columns["key"], columns["came_at"]))
    columns = {name: values[order] for name, values in columns.items()}
    keys, first, rater = np.unique(columns.pop("rater"), return_index=True, return_inverse=True)
    # By who began first.
    begun = np.argsort(first)
    place = np.empty_like(begun)
    place[begun] = np.arange(len(begun))
    raters = keys[begun].astype(np.int64)
    came_at, key = columns.pop("came_at"), columns.pop("key").astype(np.int64)
    answers = Answers(rater=place[rater], headphones=_headphones(test, raters), **columns)
    return RatersAnswers(answers, raters, key, came_at)


def _ratings(test: ListeningTest, question: Question) -> dict[str, Array]:
    rows = columns_of(
        _answered(
            Rating.objects.filter(test=test, question=question).exclude(pair__role=PairRole.PRACTICE)
        ).values_list(
            *("pk", "rater_id", "pair_id", "trial_id", "score", "scale_min", "scale_max"),
            *("heard_s", "plays", "submitted", "elapsed", "soon"),
        ),
        ("key", "rater", "pair", "trial", "score", "low", "high", "heard_s", "plays", "came_at", "elapsed_s", "soon"),
    )
    pairs = _Pairs(test)
    at = pairs.at(rows["pair"])
    needed = HEARD_SHARE * pairs.duration_s[at]
    low, high = pairs.expected(at, rows["low"], rows["high"])
    return {
        "key": rows["key"],
        "came_at": rows["came_at"],
        "rater": rows["rater"],
        "item": rows["pair"].astype(np.int64),
        "role": pairs.role[at],
        "score": to_ten(rows["score"], rows["low"], rows["high"]),
        "given": rows["score"],
        "expected_low": low,
        "expected_high": high,
        "elapsed_s": rows["elapsed_s"],
        "needed_s": _by_trial(rows["rater"], rows["trial"], needed),
        "too_soon": rows["soon"] > 0,
        "unheard_s": needed - rows["heard_s"],
        "plays": rows["plays"],
        "repeat_of": pairs.repeat_of[at],
    }


def _comparisons(test: ListeningTest, question: Question) -> dict[str, Array]:
    """The score is 10 where the pair with the lower key won, or, where one is an anchor, where the anchor did."""
    rows = columns_of(
        _answered(Comparison.objects.filter(test=test, question=question).exclude(trial__role=PairRole.PRACTICE))
        .annotate(place=Case(*(When(choice=choice, then=Value(n)) for choice, n in _PLACES), output_field=FloatField()))
        .values_list(
            *("pk", "rater_id", "trial_id", "first_id", "second_id", "place"),
            *("first_heard_s", "first_plays", "second_heard_s", "second_plays", "submitted", "elapsed", "soon"),
        ),
        (
            *("key", "rater", "trial", "first", "second", "place"),
            *("first_heard_s", "first_plays", "second_heard_s", "second_plays", "came_at", "elapsed_s", "soon"),
        ),
    )
    pairs = _Pairs(test)
    first, second = pairs.at(rows["first"]), pairs.at(rows["second"])
    anchor = ROLES[PairRole.ANCHOR.value]
    is_anchor = (pairs.role[first] == anchor) | (pairs.role[second] == anchor)
    by_first = np.where(is_anchor, pairs.role[first] == anchor, rows["first"] < rows["second"])
    needed = [HEARD_SHARE * pairs.duration_s[at] for at in (first, second)]
    unheard = np.maximum(needed[0] - rows["first_heard_s"], needed[1] - rows["second_heard_s"])
    unknown = np.full(len(first), np.nan)
    return {
        "key": rows["key"],
        "came_at": rows["came_at"],
        "rater": rows["rater"],
        "item": rows["trial"].astype(np.int64),
        # A trial with an anchor is one of anchors; of gold pairs no order is known to be right.
        "role": np.where(is_anchor, anchor, np.maximum(pairs.role[first], pairs.role[second])),
        "score": np.where(by_first, 10 - 5 * rows["place"], 5 * rows["place"]),
        "given": rows["place"],
        "expected_low": unknown,
        "expected_high": unknown,
        "elapsed_s": rows["elapsed_s"],
        "needed_s": needed[0] + needed[1],
        "too_soon": rows["soon"] > 0,
        "unheard_s": unheard,
        "plays": np.minimum(rows["first_plays"], rows["second_plays"]),
        "repeat_of": np.full(len(first), -1, dtype=np.int64),
    }


_PLACES = ((Choice.FIRST, 0.0), (Choice.NONE, 1.0), (Choice.SECOND, 2.0))


def _answered(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    withdrawn = Withdrawal.objects.filter(test=OuterRef("test"), rater=OuterRef("rater"))
    kept: QuerySet[Any, Any] = rows.filter(~Exists(withdrawn)).order_by()
    answered: QuerySet[Any, Any] = kept.annotate(
        submitted=Extract("submitted_at", "epoch"),
        elapsed=Extract(F("submitted_at") - F("shown_at"), "epoch"),
        soon=Cast("too_soon", IntegerField()),
    )
    return answered


class _Pairs:
    """What is known of a test's pairs, in the order of their keys. NaN: nothing."""

    def __init__(self, test: ListeningTest) -> None:
        roles = Case(*(When(role=name, then=Value(number)) for name, number in ROLES.items()), default=Value(-1))
        rows = columns_of(
            Pair.objects.filter(test=test)
            .order_by("pk")
            .annotate(role_number=roles, original=Coalesce("repeat_of_id", Value(-1)))
            .values_list("pk", "role_number", "clip__duration_s", "expected_min", "expected_max", "original"),
            ("key", "role", "duration_s", "low", "high", "repeat_of"),
        )
        self.key = rows["key"]
        self.role = rows["role"].astype(np.int64)
        self.duration_s: Floats = rows["duration_s"]
        self.low, self.high = rows["low"], rows["high"]
        self.repeat_of = rows["repeat_of"].astype(np.int64)

    def at(self, keys: Floats) -> Ints:
        return np.searchsorted(self.key, keys)

    def expected(self, at: Ints, scale_min: Floats, scale_max: Floats) -> tuple[Floats, Floats]:
        """On 0..10. An end that is not given is open, where the other one is."""
        low, high = to_ten(self.low[at], scale_min, scale_max), to_ten(self.high[at], scale_min, scale_max)
        is_open_below, is_open_above = np.isnan(low) & ~np.isnan(high), np.isnan(high) & ~np.isnan(low)
        return np.where(is_open_below, -np.inf, low), np.where(is_open_above, np.inf, high)


def _by_trial(rater: Floats, trial: Floats, needed: Floats) -> Floats:
    """Seconds that all clips of a rater's trial take, on each of its rows; those of the clip where it stood alone."""
    together = ~np.isnan(trial)
    if not together.any():
        return needed
    raters, trials = rater[together].astype(np.int64), trial[together].astype(np.int64)
    _, group = np.unique(raters * (trials.max() + 1) + trials, return_inverse=True)
    result = needed.copy()
    result[together] = np.bincount(group, needed[together])[group]
    return result


def _headphones(test: ListeningTest, raters: Ints) -> Ints:
    """Of each rater's last sitting whose check was done."""
    sittings = Session.objects.filter(test=test).exclude(headphones=CheckOutcome.UNCHECKED).order_by("started_at", "pk")
    told = dict(sittings.values_list("rater_id", "headphones").iterator())
    return np.array([_OUTCOMES.get(told.get(rater, ""), UNCHECKED) for rater in raters.tolist()], dtype=np.int64)
