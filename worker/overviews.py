"""A test at a glance, and all tests in a list: counts that are ready to be shown, for every kind of test.

An answer is a rating or a comparison; a study answer is counted unless an Exclusion leaves it out.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from listening_tests.choices import (
    FINISHED_SESSION_STATUSES,
    Choice,
    PairRole,
    SessionStatus,
    TestKind,
    WithdrawnRatings,
)
from listening_tests.kinds import kind_of
from listening_tests.models import (
    Comparison,
    Exclusion,
    ListeningTest,
    Pair,
    Question,
    Rating,
    Session,
    Trial,
    TrialPair,
    Withdrawal,
)
from listening_tests.reported_problems import n_problems_by_test
from worker.models import RunStatus, TrainingPlan, TrainingRun
from worker.selectors import is_excluded, n_new_ratings, next_look, run_active, run_list, training_plan
from worker.tallies import BINS, bins_of, n_excluded, tally_of

DAYS_SHOWN = 60


@dataclass(frozen=True)
class DayCount:
    day: date
    n_answers: int


@dataclass(frozen=True)
class ItemsByAnswers:
    """How many study items have this number of answers."""

    n_answers: int
    n_items: int


@dataclass(frozen=True)
class ScoreCount:
    """How often a score was given, or, on a continuous scale, one of `score` or more up to `upto`."""

    score: float
    n_answers: int
    upto: float | None = None


@dataclass(frozen=True)
class ChoiceCount:
    """How often the first sound, the second, or neither was chosen."""

    choice: Choice
    n_answers: int


@dataclass(frozen=True)
class SystemCount:
    """How often a system was preferred, and neither, in the `n_compared` comparisons that it stood in."""

    system: str
    n_preferred: int
    n_neither: int
    n_compared: int


@dataclass(frozen=True)
class TestOverview:
    """A test at a glance, by one of its questions. Series are without gaps: what did not occur is there with 0.

    Items are what is given out: pairs, or trials. `n_answers` are ratings or comparisons; side by side each sound of an
    answered trial has a rating. `score_histogram` is empty in a comparison, and `choices` and `systems`, those most
    often preferred first, everywhere else.

    `answers_per_day` spans at most DAYS_SHOWN days up to the last answer's. `n_new_ratings` and `n_until_retrain` count
    from the last run; `n_until_retrain` is None where retraining by itself is off, 0 where the next starts one.

    `n_late` and `n_too_soon` are counted answers that are flagged so. `n_deleted_ratings` and `n_kept_ratings` are
    those of the `n_withdrawals` raters who withdrew, deleted or excluded. `newest_model` is the last run that is done,
    as `run_list` gives it.
    """

    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    question: Question | None
    n_items: int
    n_answered_items: int
    n_answers: int
    n_excluded: int
    n_raters: int
    n_late: int
    n_too_soon: int
    n_sessions_active: int
    n_sessions_finished: int
    n_sessions_screened: int
    n_sessions_withdrawn: int
    n_withdrawals: int
    n_deleted_ratings: int
    n_kept_ratings: int
    answers_per_day: list[DayCount]
    items_by_answers: list[ItemsByAnswers]
    score_histogram: list[ScoreCount]
    choices: list[ChoiceCount]
    systems: list[SystemCount]
    n_new_ratings: int
    n_until_retrain: int | None
    plan: TrainingPlan
    next_look: datetime
    run_active: TrainingRun | None
    newest_model: TrainingRun | None


@dataclass(frozen=True)
class TestLine:
    """A test among all tests. `n_answers` are to its first question. `n_wanted` is k answers for each study pair or
    trial, side by side for each study sound of a trial; `last_run` comes out of `run_list`.

    `n_problems` are reports of raters.
    """

    __test__ = False  # Not a test case, whatever pytest thinks of its name.

    test: ListeningTest
    n_answers: int
    n_wanted: int
    n_problems: int
    last_run: TrainingRun | None


def overview_of_test(*, test: ListeningTest, question: Question | None = None) -> TestOverview:
    """What a test's page shows beside its runs and what raters reported; by default of its first question."""
    question = question or test.questions.order_by("id").first()
    tally = tally_of(test=test, question=question)
    n_items = kind_of(test).leased.model.objects.filter(test=test, role=PairRole.STUDY).count()
    plan = training_plan(test=test)
    n_new = n_new_ratings(test=test)
    return TestOverview(
        question=question,
        n_items=n_items,
        n_answered_items=len(tally.items),
        n_answers=tally.n_answers,
        n_excluded=n_excluded(test=test, question=question),
        n_raters=len(tally.raters),
        n_late=tally.flags["late"],
        n_too_soon=tally.flags["too_soon"],
        **_sessions(test),
        **_withdrawals(test),
        answers_per_day=_answers_per_day(tally.days),
        items_by_answers=_items_by_answers(tally.items, n_items=n_items),
        score_histogram=_score_histogram(tally.scores, question),
        choices=_choices(tally.choices) if test.kind == TestKind.COMPARISON else [],
        systems=_systems(tally.choices),
        n_new_ratings=n_new,
        n_until_retrain=max(0, plan.retrain_after - n_new) if plan.retrain_after else None,
        plan=plan,
        next_look=next_look(),
        run_active=run_active(test=test),
        newest_model=run_list(test=test).filter(status=RunStatus.DONE).first(),
    )


def _sessions(test: ListeningTest) -> dict[str, int]:
    return Session.objects.filter(test=test).aggregate(
        n_sessions_active=Count("pk", filter=Q(status=SessionStatus.ACTIVE)),
        n_sessions_finished=Count("pk", filter=Q(status__in=FINISHED_SESSION_STATUSES)),
        n_sessions_screened=Count("pk", filter=Q(status=SessionStatus.SCREENED)),
        n_sessions_withdrawn=Count("pk", filter=Q(status=SessionStatus.WITHDRAWN)),
    )


def _withdrawals(test: ListeningTest) -> dict[str, int]:
    def n_ratings(treatment: WithdrawnRatings) -> Sum:
        return Sum("n_ratings", filter=Q(treatment=treatment), default=0)

    return Withdrawal.objects.filter(test=test).aggregate(
        n_withdrawals=Count("pk"),
        n_deleted_ratings=n_ratings(WithdrawnRatings.DELETE),
        n_kept_ratings=n_ratings(WithdrawnRatings.EXCLUDE),
    )


def lines_of_tests(*, tests: QuerySet[ListeningTest] | None = None) -> list[TestLine]:
    """These tests, or every one, but no pilots, newest first, in as many queries whatever their number."""
    if tests is None:
        tests = ListeningTest.objects.all()
    n_answers, n_wanted = _n_answers_by_test(), _n_wanted_by_test()
    n_problems = n_problems_by_test()
    newest = (
        TrainingRun.objects.filter(test__in=tests.order_by())
        .order_by("test_id", "-created_at", "-id")
        .distinct("test_id")
    )
    last_runs = {run.test_id: run for run in run_list().filter(pk__in=newest.values("pk"))}
    return [
        TestLine(
            test=test,
            n_answers=n_answers.get(test.pk, 0),
            n_wanted=n_wanted.get(test.pk, 0) * test.ratings_per_pair,
            n_problems=n_problems.get(test.pk, 0),
            last_run=last_runs.get(test.pk),
        )
        for test in tests.filter(pilot_of=None)
    ]


def _n_answers_by_test() -> dict[int, int]:
    """Ratings and comparisons: a test has the one or the other."""
    ratings = Rating.objects.filter(~is_excluded(), _is_of_first_question(), pair__role=PairRole.STUDY)
    left_out = Exists(Exclusion.objects.filter(comparison=OuterRef("pk")))
    comparisons = Comparison.objects.filter(~left_out, _is_of_first_question(), trial__role=PairRole.STUDY)
    return _count_by_test(comparisons) | _count_by_test(ratings)


def _n_wanted_by_test() -> dict[int, int]:
    """How many answers a test wants of one rater to each of its items."""
    pairs = Pair.objects.filter(test__kind=TestKind.RATING, role=PairRole.STUDY)
    trials = Trial.objects.filter(test__kind=TestKind.COMPARISON, role=PairRole.STUDY)
    sounds = TrialPair.objects.filter(
        trial__test__kind=TestKind.SIDE_BY_SIDE, trial__role=PairRole.STUDY, pair__role=PairRole.STUDY
    )
    return _count_by_test(pairs) | _count_by_test(trials) | _count_by_test(sounds, "trial__test")


def _is_of_first_question() -> Q:
    earlier = Question.objects.filter(test=OuterRef("test"), pk__lt=OuterRef("question"))
    return ~Q(Exists(earlier))


def _count_by_test(rows: QuerySet[Any], test: str = "test") -> dict[int, int]:
    return dict(rows.order_by().values_list(test).annotate(n=Count("pk")))


def _answers_per_day(counts: Counter[date]) -> list[DayCount]:
    if not counts:
        return []
    last = max(counts)
    first = max(min(counts), last - timedelta(days=DAYS_SHOWN - 1))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [DayCount(day=day, n_answers=counts[day]) for day in days]


def _items_by_answers(counts: Counter[int], *, n_items: int) -> list[ItemsByAnswers]:
    by_number = Counter(counts.values())
    by_number[0] = n_items - len(counts)
    return [ItemsByAnswers(n_answers=n, n_items=by_number[n]) for n in range(max(by_number) + 1)]


def _score_histogram(counts: Counter[float], question: Question | None) -> list[ScoreCount]:
    """Empty where nothing is asked on a scale."""
    if question is None or question.test.kind == TestKind.COMPARISON:
        return []
    if question.is_continuous:
        width = (question.scale_max - question.scale_min) / BINS
        return [ScoreCount(low, counts[low], upto=low + width) for low in bins_of(question)]
    return [ScoreCount(value, counts[value]) for value in sorted({*question.values(), *counts})]


def _choices(counts: Counter[tuple[str, str, str]]) -> list[ChoiceCount]:
    """In the order of their places, neither in the middle."""
    by_choice: Counter[str] = Counter()
    for (_, _, choice), n in counts.items():
        by_choice[choice] += n
    return [ChoiceCount(choice, by_choice[choice]) for choice in (Choice.FIRST, Choice.NONE, Choice.SECOND)]


def _systems(counts: Counter[tuple[str, str, str]]) -> list[SystemCount]:
    preferred: Counter[str] = Counter()
    neither: Counter[str] = Counter()
    compared: Counter[str] = Counter()
    for (first, second, choice), n in counts.items():
        # Two clips of one system are one comparison of it.
        for system in {first, second}:
            compared[system] += n
            neither[system] += n if choice == Choice.NONE else 0
        if choice != Choice.NONE:
            preferred[first if choice == Choice.FIRST else second] += n
    found = [SystemCount(system, preferred[system], neither[system], n) for system, n in compared.items()]
    return sorted(found, key=lambda one: (-one.n_preferred / one.n_compared, one.system))
