"""Results of a question against pandas, statsmodels and krippendorff, and whether intervals hold what they promise."""

import krippendorff
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.sandwich_covariance import cov_cluster

from benchmarks.interval_coverage import DESIGNS, coverage, simulated
from modeling import agreement as plain_agreement
from modeling.bradley_terry import system_strengths
from modeling.study_results.agreement import agreement_of
from modeling.study_results.answers import Scores, choices_of, scores_of
from modeling.study_results.means import caption_means, moderated_variances, pair_means
from modeling.study_results.mixed_model import mixed_model
from modeling.study_results.study import results_of_choices, results_of_scores
from modeling.study_results.systems import holm, mean_scores
from modeling.study_results.variance_parts import variance_parts


def study(n_captions: int = 12, *, k: int = 5, n_raters: int = 10, seed: int = 3, offset_sd: float = 0.9) -> Scores:
    """Three systems, scores of k of the raters each: means 3, 5 and 7, on a continuous scale without clipping."""
    rng = np.random.default_rng(seed)
    caption, system = np.divmod(np.arange(3 * n_captions), 3)
    truth = 3 + 2 * system + rng.normal(0, 1, n_captions)[caption] + rng.normal(0, 0.7, len(caption))
    rater = np.concatenate([rng.permutation(n_raters)[:k] for _ in truth])
    pair = np.repeat(np.arange(len(truth)), k)
    score = truth[pair] + rng.normal(0, offset_sd, n_raters)[rater] + rng.normal(0, 1, len(pair))
    names = np.array(["low", "mid", "top"])[system]
    return scores_of(pair=pair, rater=rater, score=score, caption=caption[pair], system=names[pair], scale=(-20, 30))[0]


def table_of(scores: Scores) -> pd.DataFrame:
    columns = {"pair": scores.pair, "rater": scores.rater, "score": scores.score}
    names = np.array(scores.systems)[scores.system][scores.pair]
    return pd.DataFrame(columns | {"caption": scores.caption[scores.pair], "system": names})


def test_it_works() -> None:
    found = results_of_scores(study(), step=0)

    best, middle, last = found.systems.systems
    assert [best.system, middle.system, last.system] == ["top", "mid", "low"]
    assert best.mean.low < best.mean.value < best.mean.high
    assert (best.pairs, best.captions, best.mean.n, best.raters) == (12, 12, 60, 10)
    first, *_ = found.systems.differences
    assert (first.first, first.second) == ("top", "mid")
    assert first.difference.low > 0
    assert first.p <= first.p_holm < 0.05
    assert (found.answers, found.raters, found.pairs, found.captions) == (180, 10, 36, 12)
    assert sum(bin.n for bin in found.scores) == 180


def test_means_are_those_of_pandas() -> None:
    scores = study(k=4)
    # One pair keeps a single rating, another two: a pair counts the same all the same.
    mine = ~np.isin(np.arange(len(scores)), [0, 1, 2, 4, 5])
    table = table_of(scores)[mine]
    scores, _, _ = scores_of(**{name: table[name] for name in table.columns}, scale=(-20, 30))
    by_pair = table.groupby(["caption", "system", "pair"]).score.mean()

    of_systems = {found.system: found.mean.value for found in mean_scores(scores, draws=99).systems}
    assert of_systems == pytest.approx(by_pair.groupby("system").mean().to_dict())
    assert caption_means(scores).mean == pytest.approx(by_pair.groupby("caption").mean().to_numpy())
    assert pair_means(scores).mean == pytest.approx(table.groupby("pair").score.mean().to_numpy())


def test_standard_errors_are_clustered_by_raters_and_captions_as_in_statsmodels() -> None:
    scores = study()
    table = table_of(scores)
    fit = sm.OLS(table.score, pd.get_dummies(table.system).astype(float)).fit()
    both = table.rater * 1000 + table.caption

    def clustered(groups: pd.Series) -> np.ndarray:
        return cov_cluster(fit, groups.to_numpy(), use_correction=False)

    expected = clustered(table.rater) * 10 / 9 + clustered(table.caption) * 12 / 11 - clustered(both)
    of_systems = {found.system: found.mean for found in mean_scores(scores, draws=1999).systems}
    for place, name in enumerate(("low", "mid", "top")):
        half = (of_systems[name].high - of_systems[name].low) / 2
        # A quantile of |t| with about ten clusters.
        assert 1.9 < half / np.sqrt(expected[place, place]) < 2.8


def test_holm_is_that_of_statsmodels() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.2, 0.004, 0.9])
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm(np.array([np.nan, 0.03])) == pytest.approx([np.nan, 0.03], nan_ok=True)


def test_alpha_is_that_of_krippendorff() -> None:
    scores = study(k=4)
    rounded = np.clip(np.rint(scores.score), 0, 10)
    # The second pair keeps one rating, which alpha does not count.
    mine = ~np.isin(np.arange(len(scores)), [4, 5, 6])
    table = table_of(scores).assign(score=rounded)[mine]
    found, _, _ = scores_of(**{name: table[name] for name in table.columns}, scale=(0, 10))
    matrix = table.pivot(index="rater", columns="pair", values="score").to_numpy()

    expected = krippendorff.alpha(reliability_data=matrix, level_of_measurement="interval")
    alpha = agreement_of(found).alpha
    assert alpha.value == pytest.approx(expected)
    assert alpha.low < alpha.value < alpha.high


def test_agreement_is_that_of_the_study_report() -> None:
    scores = study(k=4)
    found = agreement_of(scores)

    assert found.icc1.value == pytest.approx(plain_agreement.icc1(scores.pair, scores.score))
    assert found.reliability == pytest.approx(plain_agreement.reliability(scores.pair, scores.score))
    assert found.one_vs_rest_srcc.value == plain_agreement.one_vs_rest_srcc(scores.pair, scores.score).value
    curve = {point.k: point.reliability.value for point in found.curve}
    assert curve[1] == pytest.approx(found.icc1.value)
    assert curve[4] == pytest.approx(found.reliability)
    assert list(curve) == list(range(1, 17))
    assert {point.k: point.relate for point in found.curve}[8] == 0.87


def test_variances_are_found_again() -> None:
    scores = study(400, k=6, n_raters=120)
    parts = variance_parts(scores)

    assert parts.rater == pytest.approx(0.81, abs=0.25)
    assert parts.residual == pytest.approx(1, abs=0.1)
    # Captions 1, pairs .49, and systems at 3, 5 and 7.
    assert parts.pair == pytest.approx(1 + 0.49 + 8 / 3, abs=0.5)


def test_pairs_of_few_ratings_have_an_interval_even_where_all_agree() -> None:
    scores, _, _ = scores_of(
        pair=[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3],
        rater=[0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0],
        score=[10, 10, 10, 10, 4, 5, 6, 7, 3, 3, 5, 9, 5],
        caption=[0] * 4 + [1] * 4 + [2] * 4 + [3],
        system=["a"] * 13,
        scale=(0, 10),
    )
    found = pair_means(scores)
    width = found.high - found.low

    assert found.high[0] == 10 and found.low[0] < 9
    assert width[3] > width[2] > width[1]
    assert found.n.tolist() == [4, 4, 4, 1]


def test_where_all_pairs_vary_alike_the_variance_is_the_pooled_one() -> None:
    n = np.full(500, 4)
    squares = np.random.default_rng(1).chisquare(3, 500) * 4
    found = moderated_variances(n, squares)
    assert found.variance.std() < 0.5
    assert found.variance.mean() == pytest.approx(4, rel=0.1)


def test_a_rater_of_several_pairs_of_a_caption_widens_its_interval() -> None:
    """Ten raters score all pairs, against as many ratings by different ones."""
    together = study(30, k=10, offset_sd=2)
    apart = study(30, k=10, n_raters=400, offset_sd=2)
    widths = [found.high - found.low for found in (caption_means(together), caption_means(apart))]
    assert np.mean(widths[0]) > 1.2 * np.mean(widths[1])


def test_strengths_are_those_of_bradley_terry() -> None:
    rng = np.random.default_rng(4)
    systems = np.array(["a", "b", "c"])
    first, second = systems[rng.integers(3, size=300)], systems[rng.integers(3, size=300)]
    won = (rng.random(300) < np.where(first < second, 0.75, 0.25)).astype(float)
    caption, rater = rng.integers(25, size=300), rng.integers(20, size=300)

    found = results_of_choices(choices_of(first=first, second=second, won=won, rater=rater, caption=caption))
    theirs = system_strengths(first.tolist(), second.tolist(), won, caption.tolist())
    assert [one.system for one in found.systems.systems] == [one.system for one in theirs]
    for mine, other in zip(found.systems.systems, theirs, strict=True):
        assert mine.strength.value == pytest.approx(other.strength.value)
        assert mine.mean.value == pytest.approx(other.score.value)
        # Over captions alone there; over raters too here.
        assert mine.strength.high - mine.strength.low == pytest.approx(
            other.strength.high - other.strength.low, rel=0.6
        )
    assert found.systems.differences[-1].difference.low > 0
    assert found.answers == int((first != second).sum())


def test_the_mixed_model_agrees_on_a_small_study() -> None:
    scores = study(8, k=4)
    found = mixed_model(scores)
    ours = {(one.first, one.second): one.difference.value for one in mean_scores(scores, draws=99).differences}

    assert found.reference == "low"
    effects = {one.system: one.difference for one in found.differences}
    for name in ("mid", "top"):
        assert effects[name].value == pytest.approx(ours[(name, "low")], abs=0.5)
        assert effects[name].low < effects[name].value < effects[name].high
    assert set(found.variances) == {"rater", "caption", "pair", "residual"}


def test_the_mixed_model_is_not_tried_where_it_is_large() -> None:
    found = mixed_model(study(200))
    assert not found.differences
    assert found.note.startswith("No mixed model was fitted: 810 raters, captions and pairs and 3,000 ratings are more")


def test_the_same_answers_give_the_same_intervals() -> None:
    assert mean_scores(study(), draws=99) == mean_scores(study(), draws=99)


@pytest.mark.parametrize(
    "columns",
    [
        {"rater": [1] * 6},
        {"caption": [1] * 6},
        {"score": [5] * 6},
    ],
    ids=["one rater", "one caption", "all equal"],
)
def test_what_is_undefined_is_none(columns: dict[str, list[int]]) -> None:
    values = {
        "pair": [0, 0, 1, 1, 2, 2],
        "rater": [0, 1, 0, 1, 0, 1],
        "score": [1, 2, 5, 6, 7, 9],
        "caption": [0, 0, 0, 0, 1, 1],
        "system": ["a", "a", "b", "b", "b", "b"],
    }
    found = mean_scores(scores_of(**values | columns, scale=(0, 10))[0])
    assert [one.mean.low for one in found.systems] == [None, None]
    assert [one.p_holm for one in found.differences] == [None]


def test_nothing_gives_nothing() -> None:
    empty = {name: [] for name in ("pair", "rater", "score", "caption", "system")}
    found = results_of_scores(scores_of(**empty, scale=(0, 10))[0], step=1)
    assert (found.answers, found.systems.systems, found.agreement.icc1.value) == (0, (), None)
    nothing = {name: [] for name in ("first", "second", "won", "rater", "caption")}
    assert results_of_choices(choices_of(**nothing)).systems.systems == ()


def test_a_column_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="Every rating needs a pair, a rater, a score, a caption and a system."):
        scores_of(pair=[0, 1], rater=[0], score=[1, 2], caption=[0, 0], system=["a", "a"], scale=(0, 10))


def test_intervals_hold_the_truth() -> None:
    """In small what benchmarks/interval_coverage.py proves: 20 studies of equal systems."""
    found = coverage(DESIGNS[1], 20)
    assert 0.93 <= found["pair"] <= 0.97
    assert 0.92 <= found["caption"] <= 0.98
    assert found["system"] >= 0.85
    assert found["difference"] >= 0.88
    assert found["some Holm p < .05"] <= 0.15


def test_the_simulation_knows_the_truth() -> None:
    """Means of many ratings of a pair come to what the simulation says is true of it."""
    scores, truth = simulated(DESIGNS[0], 5)
    error = pair_means(scores).mean - truth
    assert abs(error.mean()) < 0.3
    assert stats.pearsonr(pair_means(scores).mean, truth).statistic > 0.8
