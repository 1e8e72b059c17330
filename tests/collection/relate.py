"""RELATE's scores, which are never part of Earmark: where they lie on this machine, if they do."""

import os
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).parents[2]
_PLACES = [parent / "shared" / "data" / "relate" / "IS.csv" for parent in _CHECKOUT.parents]


def relate_is() -> Path:
    """The file of inclusion. Skips the test where it is neither named by EARMARK_RELATE_IS nor beside the checkout."""
    named = os.environ.get("EARMARK_RELATE_IS")
    places = [Path(named)] if named else _PLACES
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        pytest.skip("RELATE's IS.csv is not here. Name it by EARMARK_RELATE_IS.")
    return found
