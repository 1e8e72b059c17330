"""Champion against challenger: the figures of the usual comparison, and which of two equal models is called better."""

import numpy as np
import pytest

from benchmarks.equal_models import Design, once
from modeling import metrics
from modeling.challenge import BETTER, LEAST_PAIRS, NOT_BETTER, TOO_FEW, compare_srcc


def test_it_works() -> None:
    rng = np.random.default_rng(3)
    human, captions = rng.normal(size=120), [number // 4 for number in range(120)]
    champion, challenger = human + 2 * rng.normal(size=120), human + 0.3 * rng.normal(size=120)

    found = compare_srcc(champion, challenger, human, captions)

    usual = metrics.compare(champion, challenger, human, captions)
    assert (found.champion, found.challenger, found.gain) == tuple(
        side["srcc"] for side in (usual.base, usual.tuned, usual.difference)
    )
    assert found.verdict == BETTER
    assert compare_srcc(challenger, champion, human, captions).verdict == NOT_BETTER
    assert compare_srcc(champion, champion, human, captions).verdict == NOT_BETTER
    few = slice(0, LEAST_PAIRS - 1)
    assert compare_srcc(champion[few], challenger[few], human[few], captions[few]).verdict == TOO_FEW


def test_what_is_undefined_is_not_better() -> None:
    human = np.arange(120.0)
    assert compare_srcc(np.ones(120), human, human, list(range(120))).verdict == NOT_BETTER
    assert compare_srcc(human + 1, human, human, ["one"] * 120).verdict == NOT_BETTER
    assert compare_srcc([], [], [], []).verdict == TOO_FEW
    with pytest.raises(ValueError, match="There are 2 pairs but 1 captions"):
        compare_srcc([1, 2], [1, 2], [1, 2], ["one"])


def test_of_two_equal_models_hardly_any_is_called_better() -> None:
    """A small `python -m benchmarks equal_models`: one in 40 by chance. The studies are the same each time."""
    assert once(Design(25, 4), 40).promoted <= 4 / 40
