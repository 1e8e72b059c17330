"""Each screening rule against numbers worked out by hand, where it could not check, and on known carelessness."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from benchmarks import screening_rules
from modeling.screening import alarms
from modeling.screening.answers import ANCHOR, FAILED, GOLD, PASSED, REPEAT, STUDY, UNCHECKED, Answers, Limits
from modeling.screening.rules import RULES, Judged, judge
from modeling.synthetic import careless


def answers(**given: Any) -> Answers:
    """One rater's answers, or several raters': what is not given is unremarkable, or not known."""
    n = len(next(iter(given.values())))
    unknown = np.full(n, np.nan)
    values: dict[str, Any] = {
        "rater": np.zeros(n, dtype=np.int64),
        "item": np.arange(n),
        "role": np.full(n, STUDY),
        "score": np.zeros(n),
        "expected_low": unknown,
        "expected_high": unknown,
        "elapsed_s": unknown,
        "needed_s": unknown,
        "too_soon": np.zeros(n, dtype=np.bool_),
        "unheard_s": unknown,
        "plays": unknown,
        "repeat_of": np.full(n, -1),
    }
    values |= {name: np.asarray(value) for name, value in given.items()}
    values["score"] = values["score"].astype(np.float64)
    values.setdefault("given", values["score"])
    values.setdefault("headphones", np.full(int(values["rater"].max()) + 1, UNCHECKED))
    return Answers(**values)


def say(rule: str, found: Answers, **limits: Any) -> Judged:
    default = RULES[rule].default
    fields = {name: getattr(default, name) for name in ("limit", "at_least", "tolerance", "how")}
    return judge(found, RULES[rule], Limits(**fields | limits))


def test_it_works() -> None:
    """RELATE's rule: three anchors of 0, 0 and 5 sum up to 5, which passes; of 0, 1 and 5 to 6, which fails."""
    found = say("anchors", answers(rater=[0, 0, 0, 1, 1, 1, 2, 2], role=[ANCHOR] * 8, score=[0, 0, 5, 0, 1, 5, 10, 10]))

    assert found.outcome.tolist() == [PASSED, FAILED, UNCHECKED]
    assert found.value[:2].tolist() == [5, 6]
    assert found.n.tolist() == [3, 3, 2]


@pytest.mark.parametrize(
    ("how", "limit", "value", "outcome"),
    [("sum", 5, 6, FAILED), ("mean", 2, 2, PASSED), ("any", 5, 6, FAILED), ("any", 6, 6, PASSED)],
)
def test_anchors_are_put_together_as_the_test_wants(how: str, limit: float, value: float, outcome: int) -> None:
    """Anchors of 0, 0, 6 and, at another sitting, 2: the sum that three of these would have is 3 * 8 / 4 = 6."""
    found = say("anchors", answers(role=[ANCHOR] * 4, score=[0, 0, 6, 2]), how=how, limit=limit)

    assert (found.value[0], found.outcome[0]) == (value, outcome)


def test_anchors_are_put_together_in_no_other_way() -> None:
    with pytest.raises(ValueError, match="sum, mean or any, not as 'median'"):
        say("anchors", answers(role=[ANCHOR], score=[0]), how="median")


def test_gold_may_be_a_tolerance_off_and_an_open_end_is_open() -> None:
    found = say(
        "gold",
        answers(
            role=[GOLD] * 4,
            score=[7, 6.9, 10, 0],
            expected_low=[8, 8, -np.inf, 0],
            expected_high=[10, 10, 2, np.inf],
        ),
        limit=0.4,
    )
    assert (found.value[0], found.n[0], found.outcome[0]) == (0.5, 4, FAILED)


def test_a_trap_is_gold_with_one_value_and_has_a_verdict_of_its_own() -> None:
    both = answers(role=[GOLD] * 3, score=[3, 4, 9], expected_low=[3, 3, 8], expected_high=[3, 3, 10])
    assert (say("trap", both).value[0], say("trap", both).outcome[0]) == (0.5, FAILED)
    assert say("trap", both, tolerance=1).outcome[0] == PASSED
    assert say("gold", both, at_least=1).n[0] == 1


def test_repeats_find_the_two_answers_of_one_rater() -> None:
    """Rater 0 gave item 5 a 2 and then a 9, and item 6 a 4 twice; of rater 1's repeat the first answer is missing."""
    found = say(
        "repeats",
        answers(
            rater=[0, 1, 0, 0, 0, 1],
            item=[5, 6, 6, 15, 16, 15],
            role=[STUDY, STUDY, STUDY, REPEAT, REPEAT, REPEAT],
            repeat_of=[-1, -1, -1, 5, 6, 5],
            score=[2, 4, 4, 9, 4, 9],
        ),
        at_least=2,
        limit=3,
    )
    assert (found.value[0], found.n.tolist()) == (3.5, [2, 0])
    assert found.outcome.tolist() == [FAILED, UNCHECKED]


def test_straight_lining_is_the_longest_run_in_the_order_of_answers() -> None:
    """Answers of two raters, interleaved: 7 7 7 1, whose run is 3 of 4, and 1 7 1 7."""
    found = say("straight-lining", answers(rater=[0, 1] * 4, score=[7, 1, 7, 7, 7, 1, 1, 7]), at_least=4)
    assert found.value.tolist() == [0.75, 0.25]
    assert found.outcome.tolist() == [FAILED, PASSED]


def test_low_variance_is_the_sample_standard_deviation_of_study_scores() -> None:
    found = say("low-variance", answers(role=[STUDY] * 3 + [ANCHOR], score=[5, 5, 6, 0]), at_least=3)
    assert found.value[0] == pytest.approx(np.std([5, 5, 6], ddof=1))
    assert found.outcome[0] == FAILED


def test_too_fast_counts_answers_with_a_time_and_those_marked() -> None:
    found = say(
        "too-fast",
        answers(elapsed_s=[9.9, 10.1, 30, np.nan], needed_s=[9.5] * 4, too_soon=np.array([0, 0, 1, 0], dtype=bool)),
        at_least=3,
    )
    assert (found.value[0], found.n[0], found.outcome[0]) == (pytest.approx(2 / 3), 3, FAILED)


def test_play_evidence_forgives_what_the_platform_forgives() -> None:
    heard = answers(unheard_s=[-0.5, 0.05, np.nan], plays=[1.0, 2, np.nan])
    assert (say("play-evidence", heard).value[0], say("play-evidence", heard).outcome[0]) == (0, PASSED)
    assert say("play-evidence", answers(unheard_s=[0.06], plays=[1.0])).outcome[0] == FAILED
    assert say("play-evidence", answers(unheard_s=[-1.0], plays=[0.0])).outcome[0] == FAILED
    assert say("play-evidence", answers(unheard_s=[np.nan], plays=[np.nan])).outcome[0] == UNCHECKED


def test_agreement_is_pearsons_r_with_the_mean_of_the_others() -> None:
    """Each of four raters against the mean of the other three, the obvious way."""
    rng = np.random.default_rng(5)
    scores = np.clip(np.rint(rng.normal(5, 3, 12) + rng.normal(0, 2, (4, 12))), 0, 10)
    scores[3] = scores[3][::-1]
    found = say(
        "agreement",
        answers(rater=np.repeat(np.arange(4), 12), item=np.tile(np.arange(12), 4), score=scores.ravel()),
        limit=0.8,
    )
    for number in range(4):
        r = stats.pearsonr(scores[number], np.delete(scores, number, axis=0).mean(axis=0))
        assert found.value[number] == pytest.approx(r.statistic)
        upper = r.confidence_interval(0.95).high
        assert found.outcome[number] == (FAILED if upper < 0.8 else PASSED)
    assert FAILED in found.outcome


def test_a_doubtful_correlation_is_held_against_nobody() -> None:
    """Over ten sounds an r of 0 may be one of .6: the rule needs to be sure."""
    x, y = np.tile([1.0, 2, 3, 4, 5], 2), np.repeat([1.0, 5], 5)
    found = say("agreement", answers(rater=np.repeat([0, 1], 10), item=np.tile(np.arange(10), 2), score=np.r_[x, y]))
    assert abs(found.value[0]) < 0.01
    assert found.outcome.tolist() == [PASSED, PASSED]


def test_headphones_say_what_the_sitting_found() -> None:
    found = say("headphones", answers(rater=[0, 1, 2], headphones=[PASSED, FAILED, UNCHECKED]))
    assert found.outcome.tolist() == [PASSED, FAILED, UNCHECKED]


@pytest.mark.parametrize("rule", RULES)
def test_what_is_not_known_is_unchecked(rule: str) -> None:
    nothing = answers(score=[5.0])
    assert say(rule, nothing).outcome.tolist() == [UNCHECKED]


def test_arrays_of_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="an entry in each array"):
        answers(score=[1.0, 2.0], plays=[1.0])


def test_known_carelessness_is_found_and_honest_raters_are_spared() -> None:
    """benchmarks/screening_rules.py measures this at length; here that each rule does what it is for."""
    kinds = [kind for kind in careless.KINDS for _ in range(40)] + [careless.HONEST] * 160
    world = careless.simulate(kinds, seed=3)
    named = np.array(world.kind)
    failed = {
        name: {
            kind: float((judge(world.answers, rule, rule.default).outcome[named == kind] == FAILED).mean())
            for kind in careless.KINDS
        }
        for name, rule in RULES.items()
    }
    for rule, kind in (
        ("anchors", careless.ALWAYS_TEN),
        ("anchors", careless.RANDOM),
        ("trap", careless.RANDOM),
        ("straight-lining", careless.STRAIGHT),
        ("low-variance", careless.STRAIGHT),
        ("too-fast", careless.HASTY),
        ("play-evidence", careless.DEAF),
    ):
        assert failed[rule][kind] > 0.8, (rule, kind)
    # Honest raters have a chance of 3 % of failing the anchors, and less of any other rule.
    assert max(failed[rule][careless.HONEST] for rule in RULES) < 0.08
    assert failed["agreement"][careless.HONEST] == 0


class TestAlarms:
    def test_a_jump_of_failures_is_told_with_its_numbers(self) -> None:
        before, after = [FAILED] * 10 + [PASSED] * 90, [FAILED] * 15 + [PASSED] * 15
        (alarm,) = alarms.alarms(np.array(before + after))
        p = stats.fisher_exact([[15, 15], [10, 90]], alternative="greater").pvalue
        assert (alarm.kind, alarm.recent_hits, alarm.recent_n) == (alarms.FAILS_MORE, 15, 30)
        assert (alarm.earlier_hits, alarm.earlier_n, alarm.p) == (10, 100, pytest.approx(p))

    def test_a_check_that_was_always_broken_is_found_too(self) -> None:
        (alarm,) = alarms.alarms(np.full(25, FAILED))
        assert (alarm.kind, alarm.earlier_n) == (alarms.FAILS_MOST, 0)
        (alarm,) = alarms.alarms(np.full(300, FAILED))
        assert alarm.kind == alarms.FAILS_MOST

    def test_a_check_that_answers_no_more_is_found(self) -> None:
        (alarm,) = alarms.alarms(np.array([PASSED] * 60 + [UNCHECKED] * 20))
        assert (alarm.kind, alarm.recent_hits, alarm.earlier_hits) == (alarms.CEASED, 20, 0)

    @pytest.mark.parametrize(
        "outcome",
        [
            [],
            [FAILED] * 5,
            [PASSED] * 200,
            [UNCHECKED] * 200,
            [FAILED] * 20 + [PASSED] * 80,
            ([FAILED] + [PASSED] * 4) * 40,
        ],
        ids=["nobody", "few", "all pass", "never checked", "it grew better", "one in five"],
    )
    def test_there_is_none_where_nothing_changed(self, outcome: list[int]) -> None:
        assert alarms.alarms(np.array(outcome, dtype=np.int64)) == []


def test_the_proof_prints_what_the_docs_hold() -> None:
    table = screening_rules.measure(honest=40, each=10, studies=1)

    told = screening_rules.markdown(table)

    assert told.startswith("| Sensitivity, % | anchors | gold | trap |")
    assert "| always 10 | 100 (69.2–100) |" in told
    assert "| Specificity, % |" in told
