"""Losses against values derived by hand."""

import math

import pytest
import torch

from modeling.losses import Batch, mae, mse, weighted_sum, wsce


def batch(
    sounds: list[list[float]],
    texts: list[list[float]],
    target: list[float],
    clip: list[int] | None = None,
    caption: list[int] | None = None,
    scale: float = 1.0,
) -> Batch:
    numbers = list(range(len(target)))
    return Batch(
        sounds=torch.tensor(sounds),
        texts=torch.tensor(texts),
        target=torch.tensor(target),
        clip=torch.tensor(clip or numbers),
        caption=torch.tensor(caption or numbers),
        scale_audio=torch.tensor(scale, requires_grad=True),
        scale_text=torch.tensor(scale, requires_grad=True),
    )


EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def test_it_works() -> None:
    total, terms = weighted_sum(batch([EAST, EAST], [EAST, NORTH], [0.5, 1.0]), {"mse": 2.0, "mae": 1.0})
    assert set(terms) == {"mse", "mae"}
    assert total.item() == pytest.approx(2 * terms["mse"].item() + terms["mae"].item())


def test_mse_and_mae() -> None:
    """Cosines are 1 and 0, targets .5 and 1: errors .5 and -1; squares .25 and 1, mean .625; absolutes mean .75."""
    two = batch([EAST, EAST], [EAST, NORTH], [0.5, 1.0])
    assert mse(two).item() == pytest.approx(0.625)
    assert mae(two).item() == pytest.approx(0.75)


def test_wsce_weights_pairs_by_their_score() -> None:
    """Matching pairs at scale s = 2: every row and column is (e^2, e^0), so each CE is log(1 + e^-2), whatever the
    weights.

    With the texts exchanged each is log(1 + e^2). With a_1 = t_1 = t_2 = east and a_2 = north: over captions, pair 1
    sees (2, 2): log 2, pair 2 sees (0, 0): log 2; over clips, pair 1 sees (2, 0): log(1 + e^-2), pair 2 sees (2, 0) and
    wants the second: log(1 + e^2). Weights .25 and .75.
    """
    matching = batch([EAST, NORTH], [EAST, NORTH], [0.2, 0.9], scale=2.0)
    assert wsce(matching).item() == pytest.approx(math.log1p(math.exp(-2)), rel=1e-5)
    exchanged = batch([EAST, NORTH], [NORTH, EAST], [0.2, 0.9], scale=2.0)
    assert wsce(exchanged).item() == pytest.approx(math.log1p(math.exp(2)), rel=1e-5)
    mixed = batch([EAST, NORTH], [EAST, EAST], [0.25, 0.75], scale=2.0)
    first = (math.log(2) + math.log1p(math.exp(-2))) / 2
    second = (math.log(2) + math.log1p(math.exp(2))) / 2
    assert wsce(mixed).item() == pytest.approx(0.25 * first + 0.75 * second, rel=1e-5)


@pytest.mark.parametrize("shared", [{"clip": [3, 3]}, {"caption": [8, 8]}])
def test_wsce_has_no_negative_that_is_none(shared: dict[str, list[int]]) -> None:
    """Two pairs of one clip, or of one caption: nothing is left to tell apart, so every CE is -log(1) = 0."""
    assert wsce(batch([EAST, NORTH], [NORTH, EAST], [0.5, 0.5], **shared)).item() == 0


def test_wsce_keeps_its_gradient_finite_where_negatives_are_masked() -> None:
    one = batch([EAST, NORTH, EAST], [EAST, NORTH, NORTH], [0.5, 0.5, 1.0], caption=[0, 1, 1])
    wsce(one).backward()  # type: ignore[no-untyped-call]
    assert one.scale_audio.grad is not None
    assert torch.isfinite(one.scale_audio.grad)


def test_wsce_of_nothing_but_zeros_is_zero() -> None:
    assert wsce(batch([EAST, NORTH], [NORTH, EAST], [0.0, 0.0])).item() == 0
