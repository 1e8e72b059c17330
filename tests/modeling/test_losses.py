"""Losses against values derived by hand."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modeling.config import LOSS_NAMES
from modeling.losses import LOSSES, Batch, clipped_mse, listnet, mae, mse, pairwise, weighted_sum, wsce


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


def test_clipped_mse_forgives_what_is_near() -> None:
    """Cosines are 1 and 0, targets .9 and 1: the first error, .1, is forgiven, the second is -1; the mean is .5."""
    assert clipped_mse(batch([EAST, EAST], [EAST, NORTH], [0.9, 1.0])).item() == pytest.approx(0.5)


def test_pairwise_compares_differences() -> None:
    """Cosines are 1 and 0, targets .2 and .5: errors .8 and -.5 differ by 1.3, over the margin by 1.25, for two of the
    four i and j; a shift of both targets changes nothing.
    """
    for shift in (0.0, 0.3):
        two = batch([EAST, EAST], [EAST, NORTH], [0.2 + shift, 0.5 + shift])
        assert pairwise(two).item() == pytest.approx(2 * 1.25 / 4 / 2)
    assert pairwise(batch([EAST, EAST], [EAST, NORTH], [0.9, -0.06])).item() == 0, "within the margin"


def test_listnet_is_the_cross_entropy_of_who_stands_first() -> None:
    """Cosines 1 and 0, targets .1 and 0, T = .1: p = e / (e + 1) for the first, q = e^10 / (e^10 + 1)."""
    p, q = math.e / (math.e + 1), math.exp(10) / (math.exp(10) + 1)
    expected = -(p * math.log(q) + (1 - p) * math.log(1 - q))
    assert listnet(batch([EAST, EAST], [EAST, NORTH], [0.1, 0.0])).item() == pytest.approx(expected, rel=1e-4)


def test_every_named_loss_is_there() -> None:
    assert tuple(LOSSES) == LOSS_NAMES


@settings(deadline=None, max_examples=25)
@given(data=st.data(), n=st.integers(2, 7))
def test_no_loss_depends_on_the_order_of_the_batch_nor_has_a_gradient_that_is_no_number(
    data: st.DataObject, n: int
) -> None:
    angles = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=2 * n, max_size=2 * n))
    targets = data.draw(st.lists(st.sampled_from([0.0, 0.3, 1.0]), min_size=n, max_size=n))
    shared = data.draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    order = data.draw(st.permutations(range(n)))
    sides = [[math.cos(angle), math.sin(angle)] for angle in angles]
    whole = batch(sides[:n], sides[n:], targets, caption=shared, scale=5.0)
    turned = batch(
        *([rows[place] for place in order] for rows in (sides[:n], sides[n:], targets)),  # type: ignore[arg-type]
        caption=[shared[place] for place in order],
        clip=list(order),
        scale=5.0,
    )
    for name, loss in LOSSES.items():
        whole.sounds.requires_grad_().grad = None
        value = loss(whole)
        assert loss(turned).item() == pytest.approx(value.item(), rel=1e-4, abs=1e-5), name
        (gradient,) = torch.autograd.grad(value, whole.sounds)
        assert torch.isfinite(gradient).all(), name
