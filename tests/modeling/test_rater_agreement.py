"""How raters agree with the others, against numbers that were worked out the long way."""

import numpy as np
import pytest

from modeling.pacing import hours_left, quartiles
from modeling.rater_agreement import item_statistics, others_mean, rater_statistics

# Four raters of six items with gaps; the last rater is left out.
RATER = np.repeat([7, 9, 11, 13], [6, 5, 4, 6])
ITEM = np.array([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 2, 3, 4, 6, 1, 2, 3, 4, 5, 6])
SCORE = np.array([1, 4, 3, 8, 9, 5, 2, 4, 5, 9, 8, 3, 3, 7, 6, 9, 7, 6, 2, 1, 3], dtype=np.float64)
COUNTED = RATER != 13


def by_hand(rater: int) -> tuple[list[float], list[float]]:
    """The scores of a rater, and the mean of the others' counted ones for the same items, where there are others."""
    own, others = [], []
    for item, score in zip(ITEM[RATER == rater], SCORE[RATER == rater], strict=True):
        rest = SCORE[(ITEM == item) & (RATER != rater) & COUNTED]
        if len(rest):
            own.append(score)
            others.append(rest.mean())
    return own, others


def test_it_works() -> None:
    found = rater_statistics(RATER, ITEM, SCORE, COUNTED)

    assert found.rater.tolist() == [7, 9, 11, 13]
    for place, rater in enumerate(found.rater):
        own, others = by_hand(rater)
        scores = SCORE[RATER == rater]
        r = np.corrcoef(own, others)[0, 1]
        assert (found.n[place], found.n_shared[place]) == (len(scores), len(own))
        assert found.mean[place] == pytest.approx(scores.mean())
        assert found.sd[place] == pytest.approx(scores.std(ddof=1))
        assert found.offset[place] == pytest.approx(np.mean(own) - np.mean(others))
        assert found.r[place] == pytest.approx(r)
        assert found.r_se[place] == pytest.approx(np.sqrt((1 - r**2) / (len(own) - 2)))


def test_items_are_described_by_their_counted_scores() -> None:
    found = item_statistics(ITEM, SCORE, COUNTED)
    assert found.item.tolist() == [1, 2, 3, 4, 5, 6]
    assert found.n.tolist() == [2, 3, 3, 3, 2, 2]
    assert found.mean[0] == 1.5
    assert found.sd[0] == pytest.approx(np.std([1, 2], ddof=1))


def test_what_is_undefined_is_not_a_number() -> None:
    alone = rater_statistics(np.array([1, 1]), np.array([1, 2]), np.array([3.0, 3.0]), np.array([True, True]))
    assert np.isnan([*alone.offset, *alone.r, *alone.r_se]).all() and alone.sd.tolist() == [0]
    # One who says the same of everything correlates with nothing.
    rater, item = np.repeat([1, 2], 5), np.tile(np.arange(5), 2)
    flat = rater_statistics(rater, item, np.r_[np.full(5, 0.1), np.arange(5)], np.ones(10, dtype=np.bool_))
    assert np.isnan(flat.r).all() and flat.offset[0] == pytest.approx(-1.9)
    # Three items in common are too few.
    few = rater_statistics(rater[[0, 1, 2, 5, 6, 7]], item[[0, 1, 2, 5, 6, 7]], np.arange(6.0), np.ones(6, dtype=bool))
    assert np.isnan(few.r).all()
    nothing = np.array([], dtype=np.int64)
    assert len(rater_statistics(nothing, nothing, np.array([]), np.array([], dtype=bool)).rater) == 0
    assert len(others_mean(nothing, np.array([]), np.array([], dtype=bool))) == 0


def test_quartiles_lie_between_values() -> None:
    found = quartiles([4, 1, 3, 2])
    assert (found.low, found.median, found.high, found.n) == (1.75, 2.5, 3.25, 4)
    assert quartiles([]).median is None


def test_the_rest_takes_as_long_as_the_pace_says() -> None:
    assert hours_left(n_missing=300, n_answers=30, hours=10) == 100
    assert hours_left(n_missing=300, n_answers=19, hours=10) is None
    assert hours_left(n_missing=0, n_answers=30, hours=10) == 0
