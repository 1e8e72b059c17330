"""Agreement by part, its correction for noise, and calibration: by hand, against the obvious way, where undefined."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from modeling import agreement, metrics
from modeling.attenuation import noise_corrected
from modeling.breakdown import breakdown
from modeling.calibration_curve import calibration_curve
from modeling.dataset import PairSet
from modeling.metrics import Predicted
from modeling.targets import flatten, pair_means
from tests.modeling.worlds import row

SYSTEMS = ("natural", "a", "b", None)


def rated(
    scores: Sequence[Sequence[float]], captions: Sequence[str], systems: Sequence[str | None] | None = None
) -> PairSet:
    """Pairs, all held out, with these ratings."""
    named = systems or [None] * len(captions)
    rows = [
        row(100 * pair + number, pair=f"{pair:03}", caption=captions[pair], system=named[pair], score=score)
        for pair, given in enumerate(scores)
        for number, score in enumerate(given)
    ]
    flat = flatten(rows)
    return PairSet(
        question="relevance",
        pairs=flat.pairs,
        captions=tuple(captions),
        systems=tuple(system or "" for system in named),
        clips=flat.pairs,
        clip=np.arange(len(captions)),
        split=np.array(["heldout"] * len(captions)),
        target=pair_means(flat),
        human_mean=pair_means(flat),
        n_ratings=np.bincount(flat.pair),
        ratings=flat,
    )


def some_pairs(n_captions: int = 40) -> tuple[PairSet, np.ndarray]:
    """Four systems a caption, one to five ratings a pair, and a cosine that knows the truth in part."""
    rng = np.random.default_rng(3)
    truth = np.clip(rng.normal(5, 2.2, 4 * n_captions), 0, 10)
    scores = [np.clip(rng.normal(value, 2.4, 1 + number % 5), 0, 10).round() for number, value in enumerate(truth)]
    captions = [f"caption {number // 4}" for number in range(len(truth))]
    pairs = rated(scores, captions, [SYSTEMS[number % 4] for number in range(len(truth))])
    return pairs, truth / 10 + rng.normal(0, 0.15, len(truth))


def test_it_works() -> None:
    pairs, cosine = some_pairs()
    found = breakdown(pairs, Predicted.of_cosine(cosine), np.arange(160))
    assert found is not None
    assert {name: values["srcc"]["n"] for name, values in found["system"].items()} == dict.fromkeys(
        ["", "a", "b", "natural"], 40
    )
    assert {name: values["srcc"]["n"] for name, values in found["origin"].items()} == {"natural": 80, "synthesised": 80}
    assert {name: values["mse"]["n"] for name, values in found["n_ratings"].items()} == {
        "1": 32, "2": 32, "3": 32, "4": 32, "5 to 8": 32,
    }  # fmt: skip
    assert sum(values["lcc"]["n"] for values in found["disagreement"].values()) == 128
    assert list(found["disagreement_sd"]) == ["low", "middle", "high"]
    at = np.arange(1, 160, 4)
    assert found["system"]["a"]["ktau"]["value"] == pytest.approx(
        stats.kendalltau(cosine[at], pairs.human_mean[at]).statistic
    )
    for name in ("within_caption", "within_system"):
        assert list(found[name]) == ["srcc", "lcc", "ktau"]
        assert found[name]["srcc"]["low"] < found[name]["srcc"]["value"] < found[name]["srcc"]["high"]
    corrected = found["noise_corrected"]
    assert corrected["srcc"]["value"] > metrics.srcc(cosine, pairs.human_mean)
    assert list(found["calibration"]) == ["slope", "intercept", "bias", "bins"]


def test_only_the_held_out_pairs_are_looked_at() -> None:
    pairs, cosine = some_pairs()
    some = np.arange(40, 120)
    alone = rated(
        [pairs.ratings.score[pairs.ratings.pair == number].tolist() for number in some],
        [pairs.captions[number] for number in some],
        [pairs.systems[number] for number in some],
    )
    spoilt = np.where(np.isin(np.arange(160), some), cosine, np.nan)
    expected = breakdown(alone, Predicted.of_cosine(cosine[some]), np.arange(80))
    assert breakdown(pairs, Predicted.of_cosine(spoilt), some) == expected


def test_within_captions_by_hand() -> None:
    """Less their captions' means the predictions are -1, 1, -1, 1 and the scores -1, 1, 2, -2: the products sum to
    -2, the squares to 4 and 10. The pair that is alone in its caption says nothing.
    """
    pairs = rated([[4], [6], [9], [5], [7]], ["a", "a", "b", "B ", "c"])
    found = breakdown(pairs, Predicted.of_score([1.0, 3.0, 7.0, 9.0, 2.0]), np.arange(5))
    assert found is not None
    assert found["within_caption"]["lcc"]["value"] == pytest.approx(-2 / np.sqrt(40))
    assert found["within_caption"]["lcc"]["n"] == 4
    assert found["within_system"] is found["system"] is found["origin"] is found["disagreement"] is None
    assert found["noise_corrected"]["srcc"] == {"value": None, "low": None, "high": None, "n": 5}


def test_a_prediction_without_a_scale_has_no_calibration() -> None:
    pairs, cosine = some_pairs(8)
    found = breakdown(pairs, Predicted(cosine, None), np.arange(32))
    assert found is not None
    assert found["calibration"] is None
    assert found["origin"]["natural"]["mse"]["value"] is None


@pytest.mark.parametrize(("shift", "factor"), [(5.0, 0.01), (-0.3, 40.0)])
def test_within_captions_only_differences_count(shift: float, factor: float) -> None:
    pairs, cosine = some_pairs(6)
    moved = factor * cosine + np.repeat(np.arange(6) * shift, 4)
    found, same = (breakdown(pairs, Predicted(values, None), np.arange(24)) for values in (cosine, moved))
    assert found is not None and same is not None
    assert same["within_caption"]["lcc"]["value"] == pytest.approx(found["within_caption"]["lcc"]["value"], abs=1e-6)


def test_noise_is_taken_out() -> None:
    """The formula, with the variances that `agreement` fits."""
    pairs, cosine = some_pairs()
    flat = pairs.ratings
    found = noise_corrected(cosine, flat.pair, flat.score, pairs.captions)
    fitted = agreement.variances(flat.pair, flat.score)
    reliability = fitted.between / (fitted.between + fitted.within * np.mean(1 / pairs.n_ratings))
    assert found.reliability.value == pytest.approx(reliability)
    assert found.lcc.value == pytest.approx(metrics.lcc(cosine, pairs.human_mean) / np.sqrt(reliability))
    assert found.lcc.low < found.lcc.value < found.lcc.high


def test_the_correction_finds_the_truth() -> None:
    """A prediction that correlates .8 with the truth, three noisy ratings a pair: .8 comes back."""
    rng = np.random.default_rng(5)
    truth = rng.normal(0, 2, 2000)
    predicted = 0.8 * truth / 2 + 0.6 * rng.normal(size=2000)
    pair = np.repeat(np.arange(2000), 3)
    score = truth[pair] + rng.normal(0, 3, len(pair))
    captions = (np.arange(2000) // 4).tolist()
    found = noise_corrected(predicted, pair, score, captions)
    assert metrics.lcc(predicted, np.bincount(pair, score) / 3) < 0.65
    assert found.lcc.value == pytest.approx(0.8, abs=0.04)
    assert found.lcc.low < 0.8 < found.lcc.high
    assert found.srcc.value == pytest.approx(6 / np.pi * np.arcsin(0.4), abs=0.05)


def test_the_interval_of_the_correction_copies_captions() -> None:
    pairs, cosine = some_pairs(12)
    flat = pairs.ratings
    draws = metrics.caption_draws(pairs.captions).astype(int)
    slow = []
    for drawn in draws[:300]:
        copies = np.repeat(np.arange(48), drawn)
        own = [flat.score[flat.pair == number] for number in copies]
        pair, score = np.repeat(np.arange(len(copies)), [len(values) for values in own]), np.concatenate(own)
        fitted = agreement.variances(pair, score)
        share = fitted.between / (fitted.between + fitted.within * np.mean([1 / len(values) for values in own]))
        slow.append(np.nan if share == 0 else metrics.lcc(cosine[copies], pairs.human_mean[copies]) / np.sqrt(share))
    found = noise_corrected(cosine, flat.pair, flat.score, pairs.captions).lcc
    low, high = np.nanpercentile(slow, [2.5, 97.5])
    assert (found.low, found.high) == (pytest.approx(low, abs=0.08), pytest.approx(high, abs=0.12))


def test_a_pair_without_a_rating_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Every pair needs a caption and a rating\."):
        noise_corrected(np.zeros(3), np.array([0, 1]), np.ones(2), ["a", "b", "c"])


def test_calibration_equals_scipys_line() -> None:
    rng = np.random.default_rng(4)
    score = rng.uniform(0, 10, 200)
    human = 1 + 0.5 * score + rng.normal(0, 1, 200)
    found = calibration_curve(score, human, [number // 2 for number in range(200)])
    line = stats.linregress(score, human)
    assert (found.slope.value, found.intercept.value) == (pytest.approx(line.slope), pytest.approx(line.intercept))
    assert found.slope.low < line.slope < found.slope.high
    assert found.bias.value == pytest.approx((score - human).mean())
    assert [one.human.n for one in found.bins] == [20] * 10
    ordered = np.argsort(score)
    assert found.bins[0].score == pytest.approx(score[ordered[:20]].mean())
    assert found.bins[9].human.value == pytest.approx(human[ordered[-20:]].mean())
    assert found.bins[3].human.low < found.bins[3].human.value < found.bins[3].human.high


def test_bins_keep_equal_scores_together() -> None:
    score = np.repeat([0.0, 5.0, 10.0], [70, 20, 10])
    found = calibration_curve(score, np.arange(100.0), list(range(100)))
    assert [(one.low, one.high, one.human.n) for one in found.bins] == [(0, 0, 70), (5, 5, 20), (10, 10, 10)]


@pytest.mark.parametrize("score", [np.full(40, 3.3), np.zeros(0)])
def test_a_score_that_says_nothing_has_no_line(score: np.ndarray) -> None:
    found = calibration_curve(score, np.arange(float(len(score))), list(range(len(score))))
    assert found.slope == found.intercept == metrics.MetricValue(None, None, None, len(score))
    assert (found.bias.value is None) == (not len(score))
