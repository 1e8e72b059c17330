"""The generated world: its truth, its captions, its sounds and its raters."""

import numpy as np
import pytest
from scipy import stats

from modeling.agreement import icc1, variances
from modeling.synthetic import SAMPLE_RATE, generate_world, simulate_comparisons, simulate_scores
from modeling.synthetic.captions import PHRASES, Event, describe
from modeling.synthetic.sounds import KINDS, render_event
from modeling.synthetic.systems import SYSTEMS, Take, perform, true_relevance


def test_it_works() -> None:
    world = list(generate_world(seed=3, n_captions=6))
    assert len(world) == 6 * len(SYSTEMS)
    for stimulus in world:
        assert stimulus.samples.dtype == np.float32
        assert 2 * SAMPLE_RATE < len(stimulus.samples) < 8 * SAMPLE_RATE
        assert 0.05 < np.abs(stimulus.samples).max() <= 1
        assert 0 <= stimulus.true_score <= 10
    assert len({stimulus.caption for stimulus in world}) == len({stimulus.source_id for stimulus in world}) == 6


def test_the_same_seed_gives_the_same_world_and_a_longer_one_begins_alike() -> None:
    short, long = list(generate_world(seed=3, n_captions=2)), list(generate_world(seed=3, n_captions=3))
    for one, two in zip(short, long, strict=False):
        assert (one.caption, one.true_score) == (two.caption, two.true_score)
        assert (one.samples == two.samples).all()
    assert next(iter(generate_world(seed=4, n_captions=1))).caption != short[0].caption


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_words_and_makes_a_sound(kind: str) -> None:
    rng = np.random.default_rng(0)
    once, thrice = (render_event(rng, KINDS[kind], count, 1.0) for count in (1, 3))
    assert np.isfinite(once).all()
    assert 0.5 < np.abs(once).max() <= 1.5
    if KINDS[kind].countable:
        assert len(thrice) > 1.5 * len(once)
    subjects, verbs = PHRASES[kind]
    assert subjects
    assert verbs


def test_a_caption_names_events_in_their_order_and_count() -> None:
    scene = (Event("bell", 2), Event("dog", 3))
    for seed in range(40):
        words = describe(np.random.default_rng(seed), scene).lower()
        assert "bell" in words
        assert "dog" in words
        assert "three times" in words
        assert "twice" in words or "two times" in words
        assert (words.index("bell") < words.index("dog")) is (" after " not in words)


ASKED = (Event("bell", 2), Event("dog", 3))


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (Take(ASKED, 1.0), Take(ASKED, 0.3)),
        (Take(ASKED, 1.0), Take(ASKED[::-1], 1.0)),
        (Take(ASKED, 1.0), Take((Event("bell", 2), Event("dog", 1)), 1.0)),
        (Take(ASKED, 1.0), Take((*ASKED, Event("rain")), 1.0)),
        (Take(ASKED[::-1], 1.0), Take(ASKED[:1], 1.0)),
        (Take(ASKED, 0.3), Take(ASKED[:1], 1.0)),
        (Take(ASKED[:1], 1.0), Take((Event("rain"),), 1.0)),
    ],
    ids=["quality", "order", "count", "foreign", "inclusion over order", "inclusion over quality", "nothing left"],
)
def test_truth_falls_with_every_mistake_and_most_with_inclusion(better: Take, worse: Take) -> None:
    assert true_relevance(ASKED, better) > true_relevance(ASKED, worse)


def test_where_a_clip_is_heard_does_not_change_its_truth() -> None:
    assert true_relevance(ASKED, Take(ASKED, 0.8, place=0.0)) == true_relevance(ASKED, Take(ASKED, 0.8, place=1.0))


def test_systems_differ_in_truth() -> None:
    rng = np.random.default_rng(0)
    means = [np.mean([true_relevance(ASKED, perform(rng, ASKED, system)) for _ in range(300)]) for system in SYSTEMS]
    assert means == sorted(means, reverse=True)
    assert means[0] - means[-1] > 2


def world_truth(n_scenes: int) -> list[float]:
    from modeling.synthetic.captions import random_scene

    rng = np.random.default_rng(1)
    return [
        true_relevance(scene, perform(rng, scene, s))
        for _ in range(n_scenes)
        for scene in [random_scene(rng)]
        for s in SYSTEMS
    ]


def test_raters_are_as_noisy_as_relates() -> None:
    """Between-pair SD about 2.2 before clipping, ICC(1,1) between RELATE's .39 and a little over its .44."""
    truth = world_truth(600)
    scores = simulate_scores(truth, seed=5)
    pair, score = np.array([item.pair for item in scores]), np.array([item.score for item in scores], float)
    assert np.std(truth) == pytest.approx(2.2, abs=0.15)
    assert 0.39 < icc1(pair, score) < 0.49
    fitted = variances(pair, score)
    assert fitted is not None
    assert 2.0 < np.sqrt(fitted.within) < 2.5
    means = np.bincount(pair, score) / np.bincount(pair)
    assert stats.spearmanr(means, truth).statistic > 0.8


def test_no_rater_meets_a_pair_twice_and_the_work_is_shared() -> None:
    scores = simulate_scores([5.0] * 101, seed=2, ratings_per_pair=4, pairs_per_rater=20)
    assert len({(item.pair, item.rater) for item in scores}) == len(scores) == 404
    given = np.bincount([item.rater for item in scores])
    assert given.max() - given.min() <= 4
    assert all(0 <= item.score <= 10 and isinstance(item.score, int) for item in scores)


def test_simulated_comparisons_have_the_noise_of_two_ratings() -> None:
    """A lead of 2 wins with probability Phi((2 - .5) / (2.3 sqrt 2)) = .678, and is no difference with
    Phi(.769) - Phi(.461) = .779 - .678 = .101; every two clips of a caption are compared by two raters.
    """
    captions = [number // 2 for number in range(8000)]
    heard = simulate_comparisons([5.0, 3.0] * 4000, captions, seed=1)
    assert len(heard) == 2 * 4000
    assert all(captions[item.first] == captions[item.second] for item in heard)
    better = [item.choice == ("first" if item.first % 2 == 0 else "second") for item in heard]
    assert np.mean(better) == pytest.approx(0.678, abs=0.02)
    assert np.mean([item.choice == "none" for item in heard]) == pytest.approx(0.101, abs=0.012)
    assert np.mean([item.first % 2 == 0 for item in heard]) == pytest.approx(0.5, abs=0.02)
    by_two: dict[int, set[int]] = {}
    for item in heard:
        by_two.setdefault(item.first // 2, set()).add(item.rater)
    assert {len(raters) for raters in by_two.values()} == {2}
    assert heard == simulate_comparisons([5.0, 3.0] * 4000, captions, seed=1)
