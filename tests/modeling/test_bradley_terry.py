"""Bradley-Terry strengths: against values derived by hand, a brute-force likelihood, and a known truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from modeling.bradley_terry import clip_strengths, solve, strength_to_score, system_strengths
from modeling.metrics import Floats


def test_it_works() -> None:
    """Two clips, 3 wins to 1. By symmetry the strengths are t and -t; with e = exp(t) the slope of the log posterior,
    3 - 4 e^2 / (1 + e^2) + 1 - 2 e / (1 + e), is 0 where e^3 - e - 2 = 0, that is e = 1.5213797.
    """
    strengths = clip_strengths([0, 0, 1, 0], [1, 1, 0, 1], [1, 1, 1, 1], [0, 0])
    assert strengths == pytest.approx([math.log(1.5213797068), -math.log(1.5213797068)], abs=1e-9)
    assert strength_to_score(strengths) == pytest.approx([10 * 1.5213797068 / 2.5213797068, 10 / 2.5213797068])


def test_one_win() -> None:
    """1 - e^2 / (1 + e^2) + 1 - 2 e / (1 + e) = 0 where e^3 - e^2 - 2 = 0: e = 1.6956208."""
    assert clip_strengths([0], [1], [1], [0, 0])[0] == pytest.approx(math.log(1.6956207696), abs=1e-9)


def test_no_difference_is_half_a_win_for_each() -> None:
    assert clip_strengths([0], [1], [0.5], [0, 0]) == pytest.approx([0, 0])
    ties = clip_strengths([0, 0], [1, 1], [0.5, 0.5], [0, 0])
    one_each = clip_strengths([0, 0], [1, 1], [1, 0], [0, 0])
    assert ties == pytest.approx(one_each)


def test_a_clip_that_always_wins_stays_finite_and_one_never_compared_is_average() -> None:
    strengths = clip_strengths([0] * 1000, [1] * 1000, [1] * 1000, [0, 0, 0])
    assert np.isfinite(strengths).all()
    assert strengths[0] == pytest.approx(-strengths[1])
    assert 3 < strengths[0] < 4
    assert strengths[2] == 0
    assert solve(np.array([[[0.0, 1e6], [0.0, 0.0]]]))[0, 0] < 8


def test_scores_of_a_caption_have_a_mean_of_five() -> None:
    rng = np.random.default_rng(1)
    i, j = np.triu_indices(5, 1)
    scores = strength_to_score(clip_strengths(i, j, rng.random(10), np.zeros(5)))
    assert scores.mean() == pytest.approx(5)
    assert np.ptp(scores) > 0.5


def test_a_brute_force_likelihood_agrees() -> None:
    """Groups of different sizes in one call, each against scipy's optimum of the log posterior written out."""
    rng = np.random.default_rng(2)
    group = np.repeat([7, 3, 5], [2, 4, 6])
    rng.shuffle(group)
    twos = [(i, j) for i in range(12) for j in range(12) if i != j and group[i] == group[j]]
    first, second = np.array([twos[place] for place in rng.integers(len(twos), size=80)]).T
    won = rng.choice([0, 0.5, 1], 80)

    def loss(t: Floats) -> float:
        lead = t[first] - t[second]
        data = won @ np.log(expit(lead)) + (1 - won) @ np.log(expit(-lead))
        return float(-data - (np.log(expit(t)) + np.log(expit(-t))).sum())

    slow = minimize(loss, np.zeros(12), method="BFGS", options={"gtol": 1e-8}).x
    assert clip_strengths(first, second, won, group) == pytest.approx(slow, abs=1e-5)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from([0, 0.5, 1])), max_size=25), st.randoms()
)
def test_neither_the_order_of_lines_nor_of_sides_matters(
    rows: list[tuple[int, int, float]], random: "np.random.RandomState"
) -> None:
    rows = [row for row in rows if row[0] != row[1] and row[0] // 3 == row[1] // 3]
    group = [0, 0, 0, 1, 1, 1]
    turned = [(j, i, 1 - won) if random.random() < 0.5 else (i, j, won) for i, j, won in rows]
    random.shuffle(turned)
    one, two = (
        clip_strengths(*(np.array([row[column] for row in some]) for column in range(3)), group)
        for some in (rows, turned)
    )
    assert one == pytest.approx(two, abs=1e-9)


def test_captions_do_not_touch_each_other() -> None:
    alone = clip_strengths([0, 1], [1, 2], [1, 0.5], [0, 0, 0])
    beside = clip_strengths([0, 1, 3, 4], [1, 2, 4, 3], [1, 0.5, 1, 0], [0, 0, 0, 1, 1])
    assert beside[:3] == pytest.approx(alone)
    with pytest.raises(ValueError, match="^A comparison has clips of two captions; strengths compare clips of one"):
        clip_strengths([0], [1], [1], [0, 1])


def test_the_truth_is_found_again() -> None:
    rng = np.random.default_rng(3)
    truth = rng.normal(0, 1, 200)
    group = np.repeat(np.arange(40), 5)
    i, j = np.triu_indices(5, 1)
    first, second = ((np.arange(40)[:, None] * 5 + np.tile(side, 50)).ravel() for side in (i, j))
    won = rng.random(len(first)) < expit(truth[first] - truth[second])
    centred = truth - np.repeat(truth.reshape(40, 5).mean(axis=1), 5)
    found = clip_strengths(first, second, won, group)
    assert np.corrcoef(found, centred)[0, 1] > 0.97
    assert np.polyfit(centred, found, 1)[0] == pytest.approx(1, abs=0.1)


def test_systems_over_all_captions() -> None:
    """Strengths .8, 0 and -.8; the intervals resample captions and hold the truth."""
    rng = np.random.default_rng(4)
    truth = {"good": 0.8, "fair": 0.0, "poor": -0.8}
    names = np.array(list(truth))
    i, j = rng.integers(3, size=(2, 3000))
    won = rng.random(3000) < expit(np.array([*truth.values()])[i] - np.array([*truth.values()])[j])
    systems = system_strengths(names[i].tolist(), names[j].tolist(), won, [f"caption {n % 150}" for n in range(3000)])
    assert [item.system for item in systems] == ["good", "fair", "poor"]
    for item in systems:
        assert item.strength.low < truth[item.system] < item.strength.high
        assert item.score.value == pytest.approx(10 * expit(item.strength.value))
        assert item.score.low < item.score.value < item.score.high
    different = int((i != j).sum())
    assert sum(item.strength.n for item in systems) == 2 * different


def test_one_caption_has_no_interval_and_no_comparison_no_system() -> None:
    one, two = system_strengths(["a"], ["b"], [1], ["c"])
    assert (one.system, two.system, one.strength.low, one.score.high) == ("a", "b", None, None)
    assert one.strength.value == pytest.approx(math.log(1.6956207696))
    assert system_strengths([], [], [], []) == []
