"""Agreement among people: against pingouin, against a few lines of pandas, and where it is undefined."""

import numpy as np
import pandas as pd
import pingouin
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from modeling import agreement

Ratings = tuple[np.ndarray, np.ndarray]


def ratings(
    n_pairs: int, counts: int | list[int], seed: int = 1, between: float = 2.2, within: float = 2.46
) -> Ratings:
    rng = np.random.default_rng(seed)
    k = np.resize(np.atleast_1d(counts), n_pairs)
    pair = np.repeat(np.arange(n_pairs), k)
    return pair, rng.normal(0, between, n_pairs)[pair] + rng.normal(0, within, len(pair))


def pandas_icc1(pair: np.ndarray, score: np.ndarray) -> float:
    """ICC(1,1) for any numbers of ratings, the obvious way."""
    table = pd.DataFrame({"pair": pair, "score": score})
    groups = table.groupby("pair")["score"]
    n, a, sizes = len(table), groups.ngroups, groups.size()
    between = (sizes * (groups.mean() - table["score"].mean()) ** 2).sum() / (a - 1)
    within = ((table["score"] - groups.transform("mean")) ** 2).sum() / (n - a)
    n0 = (n - (sizes**2).sum() / n) / (a - 1)
    return float((between - within) / (between + (n0 - 1) * within))


def test_it_works() -> None:
    pair, score = ratings(400, 4)
    assert agreement.icc1(pair, score) == pytest.approx(2.2**2 / (2.2**2 + 2.46**2), abs=0.06)
    assert agreement.reliability(pair, score) == pytest.approx(0.76, abs=0.05)
    ceiling = agreement.ceiling_srcc(pair, score)
    assert ceiling.low < ceiling.value < ceiling.high
    assert ceiling.value == pytest.approx(np.sqrt(0.76), abs=0.04)
    one = agreement.one_vs_rest_srcc(pair, score, captions=[f"caption {number // 4}" for number in range(400)])
    assert one.low < one.value < one.high
    assert one.n == 400


def test_icc1_equals_pingouins_on_balanced_data() -> None:
    pair, score = ratings(40, 5)
    table = pd.DataFrame({"pair": pair, "rater": np.tile(np.arange(5), 40), "score": score})
    theirs = pingouin.intraclass_corr(table, targets="pair", raters="rater", ratings="score")
    first = theirs.iloc[0]
    assert str(first["Type"]).replace("(1,1)", "1").startswith("ICC1")
    assert agreement.icc1(pair, score) == pytest.approx(float(first["ICC"]), abs=2e-3)


@settings(deadline=None)
@given(counts=st.lists(st.integers(1, 6), min_size=2, max_size=12), seed=st.integers(0, 99))
def test_icc1_equals_pandas_on_any_numbers_of_ratings(counts: list[int], seed: int) -> None:
    pair, score = ratings(24, counts, seed)
    if max(np.bincount(pair)) == 1:
        assert agreement.icc1(pair, score) is None
        return
    assert agreement.icc1(pair, score) == pytest.approx(pandas_icc1(pair, score), abs=1e-9)


def test_the_order_of_ratings_and_the_pairs_numbers_do_not_matter() -> None:
    pair, score = ratings(30, [1, 3, 5])
    order = np.random.default_rng(0).permutation(len(pair))
    assert agreement.icc1(7 * pair[order] + 3, score[order]) == pytest.approx(agreement.icc1(pair, score))


def test_reliability_takes_each_pairs_own_k() -> None:
    pair, score = ratings(60, [1, 4])
    fitted = agreement.variances(pair, score)
    assert fitted is not None
    alone, four = (fitted.between / (fitted.between + fitted.within / k) for k in (1, 4))
    assert agreement.reliability(pair, score) == pytest.approx((alone + four) / 2)


def test_the_ceiling_can_be_asked_for_other_numbers_of_ratings() -> None:
    pair, score = ratings(300, 4)
    few, many = (agreement.ceiling_srcc(pair, score, counts=[k] * 300).value for k in (1, 16))
    assert few < agreement.ceiling_srcc(pair, score).value < many


def test_one_against_the_rest_of_two_is_the_correlation_of_the_two() -> None:
    """With two ratings a pair the rest is the other one, whichever is drawn: SRCC is near ICC's rank counterpart."""
    pair, score = ratings(500, 2)
    expected = stats.spearmanr(score[::2], score[1::2]).statistic
    assert agreement.one_vs_rest_srcc(pair, score).value == pytest.approx(expected, abs=0.05)


def test_pairs_with_a_single_rating_do_not_count_there() -> None:
    assert agreement.one_vs_rest_srcc([0, 0, 1, 1, 2], [1, 2, 5, 6, 9]).n == 2


@pytest.mark.parametrize(
    ("pair", "score"),
    [([], []), ([0], [5]), ([0, 1, 2], [1, 2, 3]), ([0, 0, 0], [1, 2, 3]), ([0, 0, 1, 1], [5, 5, 5, 5])],
    ids=["nothing", "one rating", "no pair twice", "one pair", "all equal"],
)
def test_what_is_undefined_is_none(pair: list[int], score: list[float]) -> None:
    assert agreement.icc1(pair, score) is None
    assert agreement.reliability(pair, score) is None
    assert agreement.ceiling_srcc(pair, score).value is None
    assert agreement.one_vs_rest_srcc(pair, score).value is None


def test_a_score_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="Every score must be a finite number"):
        agreement.icc1([0, 0, 1], [1.0, np.nan, 3.0])
