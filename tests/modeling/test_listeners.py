"""Simulated listeners: careful ones agree as RELATE's raters do, careless ones do not."""

import numpy as np
import pytest

from modeling import agreement
from modeling.synthetic.listeners import CARELESS, Listener, Manner, Sound

SOUNDS = [Sound("study", f"system {number % 5}", f"caption {number // 5}", f"clip {number}") for number in range(400)]


def scores_by(manner: Manner, n_raters: int = 4) -> tuple[np.ndarray, np.ndarray]:
    listeners = [Listener(np.random.default_rng(seed), manner) for seed in range(n_raters * 20)]
    rated = [
        (pair, round(listeners[(pair * n_raters + number) % len(listeners)].score(sound, "relevance")))
        for pair, sound in enumerate(SOUNDS)
        for number in range(n_raters)
    ]
    pairs, scores = zip(*rated, strict=True)
    return np.array(pairs), np.array(scores)


def test_it_works() -> None:
    icc = agreement.icc1(*scores_by(Manner.CAREFUL))
    assert icc == pytest.approx(0.39, abs=0.07)


@pytest.mark.parametrize("manner", CARELESS)
def test_the_careless_agree_on_nothing(manner: Manner) -> None:
    icc = agreement.icc1(*scores_by(manner))
    assert icc is not None and abs(icc) < 0.12


def test_what_is_beyond_doubt_is_scored_so() -> None:
    listeners = [Listener(np.random.default_rng(seed)) for seed in range(300)]
    means = {
        role: np.mean(
            [listener.score(Sound(role, "", "Rain.", "clip", expected), "relevance") for listener in listeners]
        )
        for role, expected in (("anchor", None), ("gold", None), ("practice", (3.0, 7.0)))
    }
    assert means["anchor"] < 1.2
    assert means["gold"] > 8.6
    assert means["practice"] == pytest.approx(5, abs=0.3)


def test_the_better_one_is_preferred() -> None:
    listeners = [Listener(np.random.default_rng(seed)) for seed in range(300)]
    bad, good = Sound("anchor", "", "Rain.", "a"), Sound("gold", "", "Rain.", "b")
    assert {listener.prefer(bad, good, "relevance") for listener in listeners} == {"second"}
    same = [listener.prefer(good, good, "relevance") for listener in listeners]
    assert {"first", "second", "none"} == set(same)


def test_haste_is_quicker_than_hearing() -> None:
    quick, careful = (Listener(np.random.default_rng(1), manner) for manner in (Manner.HASTE, Manner.CAREFUL))
    assert quick.seconds(10.0)[0] < 9.5 < careful.seconds(10.0)[0]
