"""Screening from answers to outcomes, preview, exclusions and back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from listening_tests.choices import PairRole, ScreeningRuleName, TestKind
from listening_tests.exceptions import Refused
from listening_tests.models import (
    Comparison,
    Exclusion,
    ListeningTest,
    Question,
    Rater,
    Rating,
    RuleOutcome,
    Screening,
    ScreeningRule,
    Session,
)
from listening_tests.pay import PayVerdict, pay_list
from listening_tests.screening import outcomes_of, pay_failures
from listening_tests.services.screening import CHANGED, NOBODY
from listening_tests.services.withdrawals import rater_withdraw
from modeling.screening.rules import RULES
from tests.collection.trials import begin, make_test_of, submit
from tests.factories import make_pair, make_test
from tests.screened import add_raters, make_screened_test
from tests.webapp.factories import make_rating
from worker.models import FigureName, ScreeningAlarm, ScreeningFigure, ScreeningState
from worker.screening.computing import asked_compute
from worker.screening.rules import default_rule, rules_of
from worker.screening.schedule import look
from worker.screening.selectors import is_out_of_date, screening_alarms
from worker.screening.services import (
    screening_apply,
    screening_ask,
    screening_rules_save,
    screening_undo,
)

NOBODY_CHECKED = {"gold", "repeats", "headphones"}

pytestmark = pytest.mark.django_db


def careless_raters(test: ListeningTest) -> set[int]:
    return set(Rating.objects.filter(test=test, pair__role=PairRole.ANCHOR, score=9).values_list("rater_id", flat=True))


def outcome(test: ListeningTest, rater: int) -> dict[str, str]:
    return outcomes_of(test=test)[rater]


def answers() -> list[Any]:
    return list(Rating.objects.order_by("pk").values())


def compute(test: ListeningTest) -> ScreeningState:
    """As the queue does it: what was asked for is there, and nothing waits."""
    screening_ask(test=test)
    asked_compute(test_id=test.pk)
    return ScreeningState.objects.get(test=test)


def test_it_works() -> None:
    test = make_screened_test()
    careless = careless_raters(test)
    before = answers()

    state = compute(test)

    assert (state.n_raters, state.n_answers, state.n_failing, state.n_failing_answers) == (10, 170, 2, 34)
    careful = next(iter(set(outcomes_of(test=test)) - careless))
    # One gold pair is too few to tell; there are no repeats and no headphone check. A rule without anybody has no rows.
    assert outcome(test, careful) == dict.fromkeys(set(ScreeningRuleName.values) - NOBODY_CHECKED, "passed")
    one = outcome(test, min(careless))
    assert {rule for rule, found in one.items() if found == "failed"} == {
        *("anchors", "trap", "straight-lining", "low-variance", "too-fast"),
    }
    assert one["agreement"] == "unchecked"  # Who always says the same correlates with nothing.
    figures = {(row.name, row.system): (row.now, row.then) for row in ScreeningFigure.objects.all()}
    assert figures[FigureName.RATERS, ""] == (10, 8)
    assert figures[FigureName.ANSWERS, ""] == (120, 96)
    now, then = figures[FigureName.ICC1, ""]
    assert then > now + 0.1
    assert figures[FigureName.MEAN, "system 0"][1] < figures[FigureName.MEAN, "system 0"][0]

    screening = screening_apply(test=test, user=None, digest=state.digest)

    assert (screening.n_raters, screening.n_answers) == (2, 34)
    assert "Anchors (version 1): 3 mismatched anchors get more than 5 points together; on 3 or more." in screening.rules
    assert set(Exclusion.objects.values_list("rating__rater", flat=True)) == careless
    assert set(Exclusion.objects.values_list("rule", flat=True)) == {
        "anchors",
        "trap",
        "straight-lining",
        "low-variance",
    }
    assert Exclusion.objects.count() == 34 * 4
    assert answers() == before

    screening, was_undone = screening_undo(screening=screening, user=None)

    assert was_undone and screening.undone_at is not None
    assert not Exclusion.objects.exists()
    assert answers() == before
    assert screening_undo(screening=screening, user=None)[1] is False


def test_the_rules_are_the_same_in_both_rooms() -> None:
    assert list(RULES) == ScreeningRuleName.values


def test_a_second_press_finds_the_first_ones_screening_and_what_came_since() -> None:
    test = make_screened_test()
    digest = compute(test).digest
    first = screening_apply(test=test, user=None, digest=digest)
    assert screening_apply(test=test, user=None, digest=digest) == first

    asked_compute(test_id=test.pk)
    careless = Rater.objects.get(pk=min(careless_raters(test)))
    late = make_rating(make_pair(test), 9, session=Session.objects.get(rater=careless))
    assert screening_apply(test=test, user=None, digest=digest) == first

    assert Exclusion.objects.filter(rating=late).count() == 4
    assert Screening.objects.get().n_answers == 35


def test_another_screening_takes_the_place_of_the_first() -> None:
    test = make_screened_test()
    first = screening_apply(test=test, user=None, digest=compute(test).digest)
    rules = {rule.rule: rule for rule in rules_of(test=test)}
    for rule in rules.values():
        rule.for_use = rule.rule == "too-fast"
    screening_rules_save(test=test, rules=list(rules.values()))
    with pytest.raises(Refused, match="are being computed"):
        screening_apply(test=test, user=None, digest=first.digest + "other")
    asked_compute(test_id=test.pk)

    second = screening_apply(test=test, user=None, digest=ScreeningState.objects.get().digest)

    first.refresh_from_db()
    assert first.undone_at is not None and second.undone_at is None
    assert set(Exclusion.objects.values_list("rule", "screening")) == {("too-fast", second.pk)}


def test_what_is_excluded_otherwise_stays_so() -> None:
    test = make_screened_test()
    mine = Rating.objects.filter(rater__in=careless_raters(test)).earliest("pk")
    by_hand = [
        Exclusion.objects.create(rating=mine, rule=rule, reason="A door slammed.") for rule in ("by-hand", "anchors")
    ]
    state = compute(test)
    screening = screening_apply(test=test, user=None, digest=state.digest)
    assert Exclusion.objects.filter(rating=mine).count() == 2 + 3

    screening_undo(screening=screening, user=None)

    assert list(Exclusion.objects.order_by("pk")) == by_hand


def test_what_is_in_force_changes_no_outcome_and_no_figure_of_then() -> None:
    test = make_screened_test()
    state = compute(test)
    screening_apply(test=test, user=None, digest=state.digest)
    asked_compute(test_id=test.pk)

    again = ScreeningState.objects.get()

    assert again.digest == state.digest
    icc = ScreeningFigure.objects.get(name=FigureName.ICC1)
    assert icc.now == icc.then


def test_who_looked_at_something_else_is_refused_and_nothing_changes() -> None:
    test = make_screened_test()
    with pytest.raises(Refused, match="have not been looked at yet"):
        screening_apply(test=test, user=None, digest="")
    digest = compute(test).digest
    add_raters(test, 1, careless=True)
    compute(test)

    with pytest.raises(Refused) as refusal:
        screening_apply(test=test, user=None, digest=digest)

    assert str(refusal.value) == CHANGED
    assert not Screening.objects.exists() and not Exclusion.objects.exists()


def test_where_nobody_fails_there_is_nothing_to_apply() -> None:
    test = make_screened_test(n_careless=0)
    digest = compute(test).digest

    with pytest.raises(Refused) as refusal:
        screening_apply(test=test, user=None, digest=digest)

    assert str(refusal.value) == NOBODY
    assert not Screening.objects.exists()


def test_bad_thresholds_are_refused_all_at_once() -> None:
    test = make_test()
    anchors, gold, fast = (default_rule(test=test, name=name) for name in ("anchors", "gold", "too-fast"))
    anchors.how, gold.limit, fast.tolerance = "", 2, float("nan")

    with pytest.raises(Refused) as refusal:
        screening_rules_save(test=test, rules=[anchors, gold, fast])

    assert str(refusal.value) == (
        "Anchors: anchors, and nothing else, are put together as sum, mean or any. "
        "Gold pairs: the limit is a share of the answers, from 0 to 1; 2 is none. "
        "Too fast: the tolerance must be a number, and not below 0."
    )
    assert not ScreeningRule.objects.exists() and not ScreeningState.objects.exists()


def test_pay_is_a_verdict_of_its_own() -> None:
    test = make_screened_test()
    compute(test)

    failures = pay_failures(test=test)

    # Anchors count for use alone; the trap for both.
    assert failures == dict.fromkeys(careless_raters(test), "1 of 1 instructed traps missed.")
    # Nobody is refused pay by a rule: a person looks first.
    lines = pay_list(test=test).lines
    assert {line.rater_id for line in lines if line.verdict == PayVerdict.LOOK} == set(failures)
    assert {line.rater_id for line in lines if line.verdict == PayVerdict.PAY} == set(outcomes_of(test=test)) - set(
        failures
    )


def test_a_rule_that_is_off_says_nothing() -> None:
    test = make_screened_test()
    rules = rules_of(test=test)
    for rule in rules:
        rule.is_enabled = rule.rule == "anchors"
    screening_rules_save(test=test, rules=rules)
    asked_compute(test_id=test.pk)

    assert set(RuleOutcome.objects.values_list("rule", flat=True)) == {"anchors"}
    assert pay_failures(test=test) == {}


def test_who_withdraws_is_looked_at_no_more() -> None:
    test = make_screened_test(withdrawn_ratings="exclude")
    compute(test)
    session = Session.objects.filter(rater__in=careless_raters(test)).earliest("pk")
    rater_withdraw(session=session)
    assert not RuleOutcome.objects.filter(rater=session.rater).exists()

    assert compute(test).n_raters == 9
    assert session.rater_id not in outcomes_of(test=test)


def test_hidden_repeats_are_held_against_their_first_answer() -> None:
    test = make_screened_test(n_careful=2, n_careless=0)
    steady, fickle = Session.objects.order_by("pk")
    for pair in list(test.pairs.filter(role=PairRole.STUDY)[:4]):
        repeat = make_pair(test, role=PairRole.REPEAT, repeat_of=pair, clip=pair.clip, caption=pair.caption)
        for session, away in ((steady, 0), (fickle, 5)):
            first = Rating.objects.get(rater=session.rater, pair=pair).score
            make_rating(repeat, (first + away) % 11, session=session)
    compute(test)

    told = [outcome(test, session.rater_id)["repeats"] for session in (steady, fickle)]
    assert told == ["passed", "failed"]
    # A repeat is no study answer.
    assert ScreeningFigure.objects.get(name=FigureName.ANSWERS).now == 24


def test_the_last_headphone_check_counts() -> None:
    test = make_screened_test(n_careful=2, n_careless=0)
    first, second = Session.objects.order_by("pk")
    done = {"headphone_check": "huggins", "headphones_right": 3}
    Session.objects.filter(pk=first.pk).update(headphones="failed", **done)
    Session.objects.filter(pk=second.pk).update(headphones="passed", **done)
    compute(test)

    assert [outcome(test, session.rater_id)["headphones"] for session in (first, second)] == ["failed", "passed"]


def test_every_question_has_its_figures_and_the_first_is_judged() -> None:
    test = make_screened_test()
    Question.objects.create(test=test, name="quality")
    add_raters(test, 3, careless=True)
    compute(test)

    named = ScreeningFigure.objects.filter(name=FigureName.ANSWERS).order_by("pk")
    assert [(row.question.name, row.now, row.then) for row in named] == [("relevance", 156, 96), ("quality", 36, 0)]


def test_a_test_without_answers_or_questions_has_no_outcomes() -> None:
    test = make_test()
    assert compute(test).n_raters == 0
    test.questions.all().delete()
    assert compute(test).n_raters == 0
    assert not RuleOutcome.objects.exists()


@pytest.mark.parametrize("kind", [TestKind.COMPARISON, TestKind.SIDE_BY_SIDE])
def test_trials_are_judged_by_all_their_sounds(kind: str) -> None:
    test = make_test_of(kind, n_captions=6, systems=("one", "two"), ratings_per_pair=9, pairs_per_session=50)
    for _ in range(2):
        session = begin(test)
        while submit(session, elapsed_s=0.5).leases:
            pass
    rules = rules_of(test=test)
    for rule in rules:
        rule.at_least = 1
    screening_rules_save(test=test, rules=rules)
    asked_compute(test_id=test.pk)

    found = outcomes_of(test=test)
    assert len(found) == 2
    for told in found.values():
        # 3 s of sound in half a second, and one answer for all.
        assert (told["too-fast"], told["straight-lining"], told["play-evidence"]) == ("failed", "failed", "passed")
    state = ScreeningState.objects.get()
    screening = screening_apply(test=test, user=None, digest=state.digest)
    rows = Comparison if kind == TestKind.COMPARISON else Rating
    assert screening.n_answers == rows.objects.count() > 0
    assert set(ScreeningFigure.objects.filter(name=FigureName.RATERS).values_list("now", "then")) == {(2, 0)}


def test_a_check_that_begins_to_fail_everybody_gives_an_alarm() -> None:
    test = make_screened_test(n_careful=0, n_careless=0)
    add_raters(test, 40, submitted_at=timezone.now() - timedelta(days=2))
    compute(test)
    assert screening_alarms(test=test) == []
    add_raters(test, 20, careless=True, submitted_at=timezone.now() - timedelta(days=1))
    compute(test)

    alarms = {alarm.rule: alarm for alarm in screening_alarms(test=test)}

    assert alarms["anchors"].sentence == (
        "It failed 20 of the last 30 raters whom it could check; before them, 0 of 30. Look for what has changed."
    )
    assert alarms["agreement"].sentence == (
        "It could not check 20 of the last 30 raters; before them, 0 of 30. Look for what it no longer gets."
    )
    since = alarms["anchors"].since
    compute(test)
    assert ScreeningAlarm.objects.get(rule="anchors").since == since


def test_the_look_computes_what_is_out_of_date() -> None:
    make_test()
    test = make_screened_test(n_careful=2)
    assert look() == 1
    state = ScreeningState.objects.get()
    assert not is_out_of_date(state=state) and state.asked_at is None
    assert look() == 0

    add_raters(test, 1, submitted_at=timezone.now())
    assert is_out_of_date(state=state)
    assert look() == 1


def test_a_fault_is_said_and_nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    test = make_screened_test(n_careful=1)
    monkeypatch.setattr("worker.screening.computing.answers_of", lambda **_: 1 / 0)

    state = compute(test)

    assert state.asked_at is None and state.computed_at is None
    assert state.message.startswith("The outcomes could not be computed: a fault of Earmark (ZeroDivisionError).")
