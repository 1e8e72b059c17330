"""How far an SRCC can be trusted by the number of pairs behind it."""

from __future__ import annotations

import math


def srcc_standard_error(n_pairs: int) -> float | None:
    """Of an SRCC near .5: .8 by the root of the number of pairs, None of none.

    As found on RELATE's pairs: .11 (50), .08 (100), .046 (300), .033 (600), .022 (1,311).
    """
    return 0.8 / math.sqrt(n_pairs) if n_pairs > 0 else None


def pairs_for_difference(difference: float) -> int | None:
    """How many pairs it takes until twice that error is no more than a difference; None for no difference."""
    return math.ceil((2 * 0.8 / difference) ** 2) if difference else None
