"""Ratings to targets, on 0..10."""

import numpy as np
from scipy import stats

from modeling.synthetic import simulate_scores
from modeling.targets import centred_means, flatten, pair_means, shrunken_offsets, to_ten
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
