"""Where people agree and the model is wrong."""

import numpy as np
import pytest

from modeling.certain_gaps import certain_gaps

NAN = float("nan")


def gaps(score: list[float], human: list[float], n: list[int], sd: list[float]) -> list[float]:
    return certain_gaps(np.array(score), np.array(human), np.array(n), np.array(sd)).tolist()


def test_it_works() -> None:
    """Both pairs have 5 ratings with a variance of 4, so nothing is drawn anywhere: the margin is t(8) 2 / sqrt 5."""
    margin = 2.306004 * 2 / 5**0.5
    assert gaps([9, 2], [3, 3], [5, 5], [2, 2]) == pytest.approx([6 - margin, 1 - margin], abs=1e-5)


def test_a_spread_of_nothing_is_not_believed() -> None:
    """Two ratings that are equal by chance: the variance of the others counts as 4 more ratings of them."""
    pooled = (1 * 0 + 9 * 4) / 10
    margin = 2.570582 * (4 * pooled / 5 / 2) ** 0.5
    assert gaps([9, 5], [3, 5], [2, 10], [0, 2])[0] == pytest.approx(6 - margin, abs=1e-5)


def test_more_ratings_that_lie_closer_count_for_more() -> None:
    few, many, close = gaps([9, 9, 9], [4, 4, 4], [3, 12, 12], [2, 2, 0.5])
    assert few < many < close


def test_one_rating_is_no_agreement() -> None:
    assert np.isnan(gaps([9], [0], [1], [NAN])).all()
    alone, other = gaps([9, 9], [0, 0], [1, 4], [NAN, 1])
    assert np.isnan(alone) and other > 0
    assert gaps([], [], [], []) == []
