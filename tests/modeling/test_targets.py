"""Ratings to targets, on 0..10."""

import numpy as np
from scipy import stats

from modeling.config import TARGET_NAMES
from modeling.synthetic import simulate_scores
from modeling.targets import (
    PRIOR_RATINGS,
    TARGETS,
    centred_means,
    flatten,
    pair_means,
    shrunken_offsets,
    standardised_means,
    to_ten,
    weighted_means,
)
from tests.modeling.worlds import row


def test_it_works() -> None:
    """By hand: on 1..5, 1 is 0 and 3 is 5; on 0..100, 70 is 7; means are 2.5 and 7."""
    rows = [
        row(1, pair="p", score=1, scale_min=1, scale_max=5),
        row(2, pair="p", score=3, scale_min=1, scale_max=5),
        row(3, pair="q", score=70, scale_min=0, scale_max=100),
    ]
    flat = flatten(rows)
    assert flat.pairs == ("p", "q")
    assert pair_means(flat).tolist() == [2.5, 7.0]


def test_other_scales_are_mapped_linearly() -> None:
    assert to_ten([-1, 0, 1], -1, 1).tolist() == [0, 5, 10]


def many_ratings(seed: int, offset_sd: float) -> tuple[np.ndarray, np.ndarray, list[object]]:
    rng = np.random.default_rng(seed)
    truth = rng.uniform(2, 8, 400)
    offsets = rng.normal(0, offset_sd, 90)
    rows: list[object] = []
    for score in simulate_scores(truth.tolist(), seed=seed):
        value = truth[score.pair] + offsets[score.rater] + rng.normal(0, 1.0)
        rows.append(
            row(
                len(rows),
                pair=f"{score.pair:04d}",
                rater=f"{score.rater:03d}",
                score=value,
                scale_min=-20,
                scale_max=30,
            )
        )
    return truth, offsets, rows


def test_offsets_of_raters_are_found_and_shrunken() -> None:
    truth, offsets, rows = many_ratings(1, offset_sd=1.5)
    flat = flatten(rows)  # type: ignore[arg-type]
    names = list(dict.fromkeys(item.rater for item in rows))  # type: ignore[attr-defined]
    found = shrunken_offsets(flat) * 5  # a point on 0..10 is 5 points on -20..30
    real = np.array([offsets[int(name)] for name in names])
    assert stats.pearsonr(found, real).statistic > 0.95
    assert np.abs(found - (real - real.mean())).mean() < 0.4


def test_centring_brings_targets_nearer_to_the_truth() -> None:
    truth, _, rows = many_ratings(2, offset_sd=1.5)
    flat = flatten(rows)  # type: ignore[arg-type]
    true = np.array([truth[int(name)] for name in flat.pairs])
    plain, centred = (stats.spearmanr(values, true).statistic for values in (pair_means(flat), centred_means(flat)))
    assert centred > plain + 0.02


def test_without_offsets_next_to_nothing_is_taken_away() -> None:
    _, _, rows = many_ratings(3, offset_sd=0.0)
    assert np.abs(shrunken_offsets(flatten(rows)) * 5).max() < 0.25  # type: ignore[arg-type]


def test_single_ratings_and_equal_scores_are_left_alone() -> None:
    flat = flatten([row(number, score=number) for number in range(5)])
    assert centred_means(flat).tolist() == pair_means(flat).tolist() == [0, 1, 2, 3, 4]
    same = flatten([row(number, pair=f"p{number % 2}") for number in range(6)])
    assert centred_means(same).tolist() == [5, 5]


def test_targets_stay_on_the_scale() -> None:
    """Two kinds of raters, all tens and all zeros: centring would push targets past both ends."""
    rng = np.random.default_rng(0)
    raters = [str(rater) for _ in range(60) for rater in rng.permutation(12)[:3]]
    rows = [row(n, pair=f"p{n // 3}", rater=rater, score=10 * (int(rater) % 2)) for n, rater in enumerate(raters)]
    flat = flatten(rows)
    values = centred_means(flat)
    assert values.min() >= 0
    assert values.max() <= 10
    assert values.std() < 0.5 * pair_means(flat).std()


def two_raters(*scores: tuple[float, float]) -> list[object]:
    """The rows of raters a and b, who rated one pair after the other."""
    return [
        row(2 * number + side, pair=f"pair {number}", rater=rater, score=score)
        for number, both in enumerate(scores)
        for side, (rater, score) in enumerate(zip("ab", both, strict=True))
    ]


def test_standardised_means() -> None:
    """By hand: a gives 2, 4, 6 (mean 4, SD 2), b 4, 5, 6 (mean 5, SD 1); both have z of -1, 0, 1.

    The global mean is 4.5, the global spread root((4 + 1) / 2).
    """
    flat = flatten(two_raters((2, 4), (4, 5), (6, 6)))  # type: ignore[arg-type]
    spread = 2.5**0.5
    np.testing.assert_allclose(standardised_means(flat), [4.5 - spread, 4.5, 4.5 + spread])


def test_a_rater_of_one_rating_is_standardised_by_everybody() -> None:
    """a as before; c gave a single 9, so that the global mean is (4 + 9) / 2 and c's z is (9 - 6.5) / 2 = 1.25."""
    rows = [row(number, pair=f"pair {number}", rater="a", score=score) for number, score in enumerate((2, 4, 6))]
    flat = flatten([*rows, row(9, pair="pair 0", rater="c", score=9)])
    np.testing.assert_allclose(standardised_means(flat), [6.5 + 2 * (-1 + 1.25) / 2, 6.5, 8.5])


def test_weighted_means() -> None:
    """By hand: a and b stand 1 from the mean of two pairs and 2 from that of a third, alike, so all weights are one.

    With a third rater c on the first pair alone: its mean is 4, deviations are -1 (a), 1 (b), 0 (c) of share 2/3; those
    of the second pair 2 and -2 of share 1/2. a and b have (1 + 4) / (7/6), c 0 / (2/3), all 10 / 3.
    """
    alike = flatten(two_raters((3, 5), (6, 4), (1, 5)))  # type: ignore[arg-type]
    np.testing.assert_allclose(weighted_means(alike), pair_means(alike))
    rows = [*two_raters((3, 5), (8, 4)), row(9, pair="pair 0", rater="c", score=4)]
    flat = flatten(rows)  # type: ignore[arg-type]
    usual = 10 / 3
    both = (7 / 6 + PRIOR_RATINGS) / (5 + PRIOR_RATINGS * usual)
    third = (2 / 3 + PRIOR_RATINGS) / (PRIOR_RATINGS * usual)
    np.testing.assert_allclose(weighted_means(flat), [(3 * both + 5 * both + 4 * third) / (2 * both + third), 6])


def test_raters_who_are_noisy_count_less() -> None:
    rng = np.random.default_rng(4)
    truth = rng.uniform(2, 8, 200)
    rows = [
        row(len(truth) * rater + pair, pair=f"{pair:03d}", rater=f"rater {rater}", scale_min=-30, scale_max=40,
            score=value + rng.normal(0, 6.0 if rater == 0 else 0.5))
        for rater in range(3)
        for pair, value in enumerate(truth)
    ]  # fmt: skip
    flat = flatten(rows)
    real = (np.array([truth[int(name)] for name in flat.pairs]) + 30) / 7
    assert np.abs(weighted_means(flat) - real).mean() < 0.5 * np.abs(pair_means(flat) - real).mean()


def test_every_named_target_is_there_and_equal_scores_leave_it_defined() -> None:
    assert set(TARGETS) == set(TARGET_NAMES)
    flat = flatten(two_raters((4, 4), (4, 4)))  # type: ignore[arg-type]
    one = flatten([row(0, score=7)])
    for target in TARGETS.values():
        assert target(flat).tolist() == [4, 4]
        assert target(one).tolist() == [7]
