"""Metrics against scipy, and the fast bootstrap against the slow, obvious one."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks import bootstrap_speed
from modeling import metrics, resampling

VALUES = st.integers(-5, 5).map(float) | st.floats(-1e3, 1e3, allow_subnormal=False).map(lambda value: round(value, 3))
SIDES = st.integers(3, 40).flatmap(lambda n: st.tuples(*[st.lists(VALUES, min_size=n, max_size=n)] * 2))


def some_pairs(n_captions: int = 15, per_caption: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(5)
    n = n_captions * per_caption
    human = np.round(rng.uniform(0, 10, n))
    base = np.clip(human / 10 + rng.normal(0, 0.5, n), -1, 1).round(1)
    tuned = np.clip(human / 10 + rng.normal(0, 0.2, n), -1, 1)
    return base, tuned, human, [f"caption {number // per_caption}" for number in range(n)]


def test_it_works() -> None:
    result = metrics.compare(*some_pairs())
    assert set(result.base) == set(result.tuned) == set(result.difference) == {"srcc", "lcc", "ktau", "mse"}
    for values in (result.base, result.tuned, result.difference):
        for value in values.values():
            assert value.low < value.value < value.high
            assert value.n == 60
    assert result.difference["srcc"].low > 0
    assert result.difference["mse"].high < 0


@settings(deadline=None)
@given(sides=SIDES)
def test_point_values_equal_scipys(sides: tuple[list[float], list[float]]) -> None:
    x, y = map(np.array, sides)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert metrics.srcc(x, y) is metrics.lcc(x, y) is metrics.ktau(x, y) is None
        return
    assert metrics.srcc(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    assert metrics.ktau(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-9)
    assert metrics.mse(x, y) == pytest.approx(((x - y) ** 2).mean())


def test_lcc_equals_scipys() -> None:
    base, tuned, human, _ = some_pairs()
    assert metrics.lcc(base, human) == pytest.approx(stats.pearsonr(base, human).statistic, abs=1e-12)
    assert metrics.lcc(tuned + 1e6, human) == pytest.approx(stats.pearsonr(tuned, human).statistic, abs=1e-6)


def test_intervals_equal_those_of_copying_pairs() -> None:
    """The slow way: list the pairs of every drawn caption, as often as it was drawn, and ask scipy."""
    base, tuned, human, captions = some_pairs()
    draws = metrics.caption_draws(captions, n_resamples=60, seed=3)
    slow: dict[str, list[float]] = {name: [] for name in metrics.METRICS}
    for draw in draws.astype(int):
        rows = np.repeat(np.arange(len(human)), draw)
        b, t, h = base[rows], tuned[rows], human[rows]
        slow["srcc"].append(stats.spearmanr(t, h).statistic - stats.spearmanr(b, h).statistic)
        slow["lcc"].append(stats.pearsonr(t, h).statistic - stats.pearsonr(b, h).statistic)
        slow["ktau"].append(stats.kendalltau(t, h).statistic - stats.kendalltau(b, h).statistic)
        errors = [((10 * np.clip(side, 0, 1) - h) ** 2).mean() for side in (t, b)]
        slow["mse"].append(errors[0] - errors[1])
    fast = metrics.compare(base, tuned, human, captions, n_resamples=60, seed=3).difference
    for name, values in slow.items():
        low, high = np.percentile(values, [2.5, 97.5])
        assert (fast[name].low, fast[name].high) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))


def test_the_bootstrap_of_srcc_equals_scipy_in_a_loop() -> None:
    """What the proof of its speed compares, on fewer pairs: ties, and one prediction that is constant."""
    models, human, captions = bootstrap_speed.some_scores(120)
    scores = [[*models, np.ones(120)], human, captions]
    with warnings.catch_warnings(action="ignore"):
        slow = bootstrap_speed.reference(*scores, 40)
    fast = bootstrap_speed.ours(*scores, 40)
    np.testing.assert_allclose(fast, slow, atol=1e-9)
    assert np.isnan(fast[2]).all()


def test_tau_b_of_many_pairs_is_summed_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """One caption at a time gives what all captions at once give; captions come in no order and in several sizes."""
    base, _, human, _ = some_pairs()
    draws = resampling.draw_captions(np.random.default_rng(1).integers(9, size=60).tolist(), n_resamples=20, seed=2)
    whole = resampling.ktau(base, human, draws)
    monkeypatch.setattr(resampling, "MOST_SIGNS", 1)
    np.testing.assert_array_equal(resampling.ktau(base, human, draws), whole)


def test_a_model_without_a_scale_has_no_mse() -> None:
    base, tuned, human, captions = some_pairs()
    models = [metrics.Predicted(tuned * 7 - 3, None), metrics.Predicted.of_cosine(base)]
    values, differences = metrics.compare_all(models, human, captions)
    assert values[0]["mse"] == differences[1]["mse"] == metrics.MetricValue(None, None, None, 60)
    assert values[1] == metrics.measure(base, human, captions)
    assert differences[0]["srcc"].value == differences[0]["srcc"].low == 0
    assert differences[1]["srcc"] == metrics.compare(tuned * 7 - 3, base, human, captions).difference["srcc"]


def test_captions_are_resampled_whole() -> None:
    draws = metrics.caption_draws(["a", "b", "a", "c"], n_resamples=50)
    assert (draws[:, 0] == draws[:, 2]).all()
    assert (draws[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_the_same_seed_gives_the_same_interval() -> None:
    assert metrics.compare(*some_pairs()) == metrics.compare(*some_pairs())


def test_the_order_of_the_pairs_does_not_matter() -> None:
    """Two pages that read the same pairs in another order say the same interval."""
    base, tuned, human, captions = some_pairs()
    order = np.random.default_rng(3).permutation(len(human))
    asked = metrics.compare(base, tuned, human, captions).difference
    again = metrics.compare(base[order], tuned[order], human[order], [captions[at] for at in order]).difference
    for name, found in asked.items():
        assert [again[name].value, again[name].low, again[name].high] == pytest.approx(
            [found.value, found.low, found.high], abs=1e-9
        )


@pytest.mark.parametrize("constant", [0.3, 0.1 + 0.2, 0.0, -7e5])
def test_a_constant_side_is_undefined_not_a_crash(constant: float) -> None:
    base, _, human, captions = some_pairs()
    result = metrics.compare(np.full(60, constant), base, human, captions)
    for name in ("srcc", "lcc", "ktau"):
        assert result.base[name] == result.difference[name] == metrics.MetricValue(None, None, None, 60)
    assert result.base["mse"].value is not None


def test_one_pair_and_none_are_undefined() -> None:
    assert metrics.compare([0.5], [0.6], [7.0], ["a"]).base["srcc"] == metrics.MetricValue(None, None, None, 1)
    assert metrics.compare([], [], [], []).tuned["mse"] == metrics.MetricValue(None, None, None, 0)


def test_one_caption_has_values_but_no_interval() -> None:
    base, tuned, human, _ = some_pairs()
    value = metrics.compare(base, tuned, human, ["the same"] * 60).difference["srcc"]
    assert (value.low, value.high, value.n) == (None, None, 60)
    assert value.value is not None


def test_mse_takes_ten_times_the_clipped_cosine() -> None:
    """By hand: 10 * clip gives 0, 5 and 10; the errors are 2, -1 and 1; (4 + 1 + 1) / 3 = 2."""
    values = metrics.measure([-0.4, 0.5, 1.0], [2.0, 4.0, 9.0], ["a", "b", "c"])
    assert values["mse"].value == pytest.approx(2.0)


@pytest.mark.parametrize("missing", [np.nan, np.inf, None])
def test_a_missing_prediction_is_refused(missing: float | None) -> None:
    with pytest.raises(ValueError, match=r"The prediction of pair 1 is not a finite number \(1 in all\)\."):
        metrics.compare([0.1, missing, 0.3], [0.1, 0.2, 0.3], [1, 2, 3], ["a", "b", "c"])


def test_a_short_list_of_predictions_is_refused() -> None:
    with pytest.raises(ValueError, match="Every pair needs one prediction and one score"):
        metrics.compare([0.1, 0.2], [0.1, 0.2, 0.3], [1, 2, 3], ["a", "b", "c"])
    with pytest.raises(ValueError, match="There are 3 pairs but 2 captions"):
        metrics.compare([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [1, 2, 3], ["a", "b"])


def test_agreement_with_choices() -> None:
    """Of five comparisons one is a tie in truth and left out; base gets 1, .5 (a tie of its own), 0 and 0 of four."""
    base, tuned, won = [0.3, 0.0, 0.2, -0.1, 0.4], [0.3, 0.1, -0.2, -0.1, 0.0], [1.0, 1.0, 0.0, 1.0, 0.5]
    result = metrics.compare_choices(base, tuned, won, ["a", "a", "b", "c", "c"])
    assert list(result.base) == ["agreement"]
    assert (result.base["agreement"].value, result.base["agreement"].n) == (1.5 / 4, 4)
    assert result.tuned["agreement"].value == 3 / 4
    assert result.difference["agreement"].value == pytest.approx(1.5 / 4)
    assert metrics.choice_agreement(base, won) == 1.5 / 4


def test_the_bootstrap_of_agreement_copies_captions() -> None:
    rng = np.random.default_rng(8)
    captions = [f"caption {number}" for number in rng.integers(12, size=90)]
    won, base, tuned = rng.choice([0.0, 0.5, 1.0], 90), rng.normal(size=90), rng.normal(size=90)
    found = metrics.compare_choices(base, tuned, won, captions)
    decided = np.flatnonzero(won != 0.5)
    names = list(dict.fromkeys(captions[number] for number in decided))
    draws = metrics.caption_draws(names)
    slow = []
    for drawn in draws:
        copies = [
            number for name, times in zip(names, drawn, strict=True) for number in decided if captions[number] == name
            for _ in range(int(times))
        ]  # fmt: skip
        right = [[(lead[n] > 0) == (won[n] == 1) for n in copies] for lead in (base, tuned)]
        slow.append(np.mean(right[1]) - np.mean(right[0]))
    low, high = np.percentile(slow, [2.5, 97.5])
    value = found.difference["agreement"]
    assert (value.low, value.high) == pytest.approx((low, high))


def test_agreement_is_undefined_without_a_decision_and_has_no_interval_in_one_caption() -> None:
    nothing = metrics.compare_choices([0.1], [0.2], [0.5], ["a"]).difference["agreement"]
    assert (nothing.value, nothing.low, nothing.n) == (None, None, 0)
    assert metrics.choice_agreement([], []) is None
    one = metrics.compare_choices([0.1], [-0.2], [1.0], ["a"])
    assert (one.difference["agreement"].value, one.difference["agreement"].low) == (-1, None)
