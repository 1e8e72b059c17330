"""Standard errors of an SRCC, as they were found on RELATE's pairs."""

import pytest

from modeling.heldout_size import pairs_for_difference, srcc_standard_error

FOUND = {50: 0.11, 100: 0.08, 300: 0.046, 600: 0.033, 1_311: 0.022}


@pytest.mark.parametrize(("n_pairs", "error"), FOUND.items())
def test_it_works(n_pairs: int, error: float) -> None:
    assert srcc_standard_error(n_pairs) == pytest.approx(error, rel=0.03)


def test_a_difference_asks_for_pairs() -> None:
    """Twice the error of 100 pairs is .16; none of none."""
    assert pairs_for_difference(0.16) == pairs_for_difference(-0.16) == 100
    assert pairs_for_difference(0.0) is None
    assert srcc_standard_error(0) is None
