"""Two models beside each other in parts of the held-out pairs."""

import numpy as np
import pytest

from modeling import metrics
from modeling.compared_parts import HeldoutPairs, compared_parts
from modeling.metrics import Predicted

N = 60


@pytest.fixture
def pairs() -> HeldoutPairs:
    rng = np.random.default_rng(1)
    return HeldoutPairs(
        caption=[f"Caption {number // 3}" for number in range(N)],
        system=[("", "alpha", "beta")[number % 3] for number in range(N)],
        human=rng.uniform(0, 10, N),
        n_ratings=np.array([2 + number % 3 for number in range(N)]),
        rating_sd=rng.uniform(0, 3, N),
    )


@pytest.fixture
def models(pairs: HeldoutPairs) -> tuple[Predicted, Predicted]:
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 4, N), rng.normal(0, 1, N)
    base, tuned = (Predicted.of_cosine((pairs.human + one) / 20) for one in noise)
    return base, tuned


def test_it_works(pairs: HeldoutPairs, models: tuple[Predicted, Predicted]) -> None:
    found = {(one.part, one.group): one for one in compared_parts(*models, pairs)}

    assert list(found) == [
        ("within_caption", ""),
        ("within_system", ""),
        *(("system", name) for name in ("", "alpha", "beta")),
        *(("origin", name) for name in ("natural", "synthesised")),
        *(("n_ratings", name) for name in "234"),
        *(("disagreement", name) for name in ("low", "middle", "high")),
    ]
    at = np.flatnonzero([system == "alpha" for system in pairs.system])
    captions = [pairs.caption[number] for number in at]
    alone = metrics.compare_all([model.of(at) for model in models], pairs.human[at], captions)
    alpha = found["system", "alpha"]
    assert (alpha.base, alpha.tuned, alpha.difference) == (alone[0][0], alone[0][1], alone[1][1])
    assert alpha.difference["srcc"].low is not None and alpha.difference["srcc"].low > 0
    assert list(found["within_caption", ""].tuned) == ["srcc", "lcc", "ktau"]
    assert found["within_caption", ""].tuned["srcc"].n == N
    assert found["origin", "natural"].tuned == found["system", ""].tuned


def test_what_tells_nothing_apart_is_left_out(pairs: HeldoutPairs, models: tuple[Predicted, Predicted]) -> None:
    alike = HeldoutPairs(
        caption=[f"Caption {number}" for number in range(N)],
        system=[" "] * N,
        human=pairs.human,
        n_ratings=np.full(N, 1),
        rating_sd=np.full(N, np.nan),
    )
    assert compared_parts(*models, alike) == []
