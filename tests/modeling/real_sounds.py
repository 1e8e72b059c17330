"""Real recordings of odd rates, which are no part of Earmark: where they lie on this machine, if they do."""

import os
from pathlib import Path

import pytest

_PLACES = [parent / "shared" / "data" / "sounds" for parent in Path(__file__).parents]


def real_sounds() -> list[Path]:
    """Skips the test where they are neither in the folder that EARMARK_REAL_SOUNDS names nor beside the checkout."""
    named = os.environ.get("EARMARK_REAL_SOUNDS")
    places = [Path(named)] if named else _PLACES
    found = next((sorted(place.glob("*.ogg")) for place in places if place.is_dir()), [])
    if not found:
        pytest.skip("No real sounds are here. Name a folder of Ogg files by EARMARK_REAL_SOUNDS.")
    return found
