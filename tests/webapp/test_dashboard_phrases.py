"""How numbers of runs are said in words."""

import pytest

from webapp.dashboard.phrases import difference_words, duration


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((0.31, 0.22, 0.4), "better by 0.31, 95 % interval 0.22 to 0.40"),
        ((-0.2, -0.31, -0.1), "worse: −0.20, 95 % interval −0.31 to −0.10"),
        ((0.04, -0.03, 0.11), "not clearly better or worse: +0.04, and the 95 % interval −0.03 to 0.11 holds zero"),
        ((0.05, 0.0, 0.1), "not clearly better or worse: +0.05, and the 95 % interval 0.00 to 0.10 holds zero"),
        ((0.31, None, None), "changed by +0.31, no interval is defined"),
        ((None, None, None), "is not defined for one of the models, whose scores are all alike"),
    ],
)
def test_a_difference_is_called_what_its_interval_allows(
    numbers: tuple[float | None, float | None, float | None], words: str
) -> None:
    assert difference_words(*numbers) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (12.0, "less than a minute"),
        (61.0, "about 1 minute"),
        (95.0, "about 2 minutes"),
        (4 * 3600.0, "about 4 hours"),
    ],
)
def test_a_time_is_said_roughly(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words
