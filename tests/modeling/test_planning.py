"""What a study takes and gives."""

import pytest

from modeling.planning import RELATE_BETWEEN, RELATE_WITHIN, USUAL_K, Study, plan_row, reliability_of_mean

RELATE = {"between": RELATE_BETWEEN, "within": RELATE_WITHIN}


def test_it_works() -> None:
    study = Study(n_items=5_000, sitting_items=20, sitting_s=600, reward=2.0, fee=0.25, spare=0.2)
    row = plan_row(study, k=4, **RELATE)
    assert (row.n_answers, row.n_sittings) == (20_000, 1_250)
    assert row.hours == pytest.approx(1_250 / 6)
    assert row.cost == pytest.approx(1_250 * 2.5)
    assert row.error == pytest.approx(1.23)


def test_reliability_is_that_of_relate() -> None:
    """The table of the field's facts, computed on RELATE's 17,760 ratings; its ICC of .44 is rounded."""
    table = [reliability_of_mean(k=k, **RELATE) for k in USUAL_K]
    assert table == pytest.approx([0.44, 0.62, 0.71, 0.76, 0.83, 0.87, 0.93], abs=0.006)


def test_as_many_raters_as_ratings_are_needed() -> None:
    assert plan_row(Study(n_items=4, sitting_items=4, sitting_s=60), k=8, **RELATE).n_sittings == 8


def test_without_items_or_reward_nothing_is_made_up() -> None:
    row = plan_row(Study(n_items=0, sitting_items=0, sitting_s=60), k=4, **RELATE)
    assert (row.n_answers, row.n_sittings, row.cost) == (0, 0, None)
    assert reliability_of_mean(k=4, between=0, within=0) == 0


def test_less_than_one_rating_is_refused() -> None:
    with pytest.raises(ValueError, match="Each item needs one rating at least, not 0."):
        plan_row(Study(n_items=1, sitting_items=1, sitting_s=1), k=0, **RELATE)
