"""Heads on frozen embeddings: what they learn, that they are kept to the bit, and what is refused."""

import json
import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from sklearn.svm import SVR

from modeling import metrics
from modeling.__main__ import main
from modeling.config import HEAD_POLICIES, PRESETS, override
from modeling.heads import HEAD, TENSORS, Examples, Head, fit_head, read_head, write_head
from modeling.heads.affine import Affine
from modeling.heads.examples import centre_and_spread, pair_features
from modeling.heads.mlp import Mlp
from modeling.heads.svr import Constants, Svr, choose
from modeling.loading import ModelError
from modeling.metrics import Floats
from modeling.results import TrainingCancelled
from modeling.scoring import Scorer
from modeling.snapshot import read_snapshot
from modeling.training import TrainingResult, train

DIM = 4


def some_pairs(n: int, seed: int) -> Examples:
    """Pairs whose target rises with one product of their embeddings' elements, and not with the cosine; 4 a caption."""
    rng = np.random.default_rng(seed)
    sounds, texts = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in rng.normal(size=(2, n, DIM)))
    target = np.clip(5 + 12 * sounds[:, 0] * texts[:, 0] + rng.normal(0, 0.3, n), 0, 10)
    return Examples(sounds, texts, target, tuple(f"caption {place // 4}" for place in range(n)))


TRAIN, VALIDATION, OTHERS = some_pairs(160, 1), some_pairs(60, 2), some_pairs(60, 3)


@pytest.fixture(scope="module")
def heads() -> dict[str, Head]:
    return {policy: fit_head(policy, TRAIN, VALIDATION, seed=0) for policy in HEAD_POLICIES}


@pytest.mark.parametrize("policy", HEAD_POLICIES)
def test_it_works(heads: dict[str, Head], policy: str, tmp_path: Path) -> None:
    head = heads[policy]
    scores = head.score(OTHERS.sounds, OTHERS.texts)
    assert scores.shape == (60,)
    assert ((scores >= 0) & (scores <= 10)).all()
    residual = VALIDATION.target - head.score(VALIDATION.sounds, VALIDATION.texts)
    assert head.residual_sd == pytest.approx(float(np.sqrt(np.mean(residual**2))))
    assert (head.fitted_on, head.n_pairs) == ("validation", 60)
    write_head(head, tmp_path)
    again = read_head(tmp_path, DIM)
    assert again is not None
    assert (again.score(OTHERS.sounds, OTHERS.texts) == scores).all()
    assert replace(again, body=head.body) == head


def test_mlp_and_svr_learn_what_no_cosine_tells(heads: dict[str, Head]) -> None:
    found = {name: metrics.srcc(head.score(OTHERS.sounds, OTHERS.texts), OTHERS.target) for name, head in heads.items()}
    assert found["mlp"] > 0.85 > found["affine"]
    assert found["svr"] > 0.85


def test_affine_is_the_line_of_least_squares() -> None:
    """Cosines 0, .6 and 1 with targets 1, 5.2 and 8 lie on 1 + 7 cos; where targets fall, the mean is all there is."""
    sounds = np.array([[1.0, 0], [1, 0], [1, 0]])
    texts = np.array([[0.0, 1], [0.6, 0.8], [1, 0]])
    rising = Examples(sounds, texts, np.array([1, 5.2, 8]), ("a", "b", "c"))
    head = fit_head("affine", rising, rising, seed=0)
    assert head.score(sounds, texts) == pytest.approx([1, 5.2, 8])
    assert head.residual_sd == pytest.approx(0, abs=1e-9)
    falling = replace(rising, target=rising.target[::-1].copy())
    assert fit_head("affine", falling, falling, seed=0).score(sounds, texts) == pytest.approx([14.2 / 3] * 3)


def test_pair_features() -> None:
    """[clip, caption, |clip - caption|, clip * caption, cosine] of (.6, .8) and (1, 0)."""
    found = pair_features(np.array([[0.6, 0.8]]), np.array([[1.0, 0]]))
    assert found[0] == pytest.approx([0.6, 0.8, 1, 0, 0.4, 0.8, 0.6, 0, 0.6])


def test_mlp_adds_up_by_hand() -> None:
    """Embeddings of one number, 1 and -1: told [1, -1, 2, -1, -1], less 1, by 2: [0, -1, .5, -1, -1].

    Two units sum the first three and the last two: -.5 + 1 = .5 and -2, of which the second is cut off; 4 x .5 + 3 = 5.
    """
    one = Mlp(
        mean=np.ones(5),
        spread=np.full(5, 2.0),
        inner=np.array([[1.0, 1, 1, 0, 0], [0, 0, 0, 1, 1]]),
        inner_bias=np.array([1.0, 0]),
        outer=np.array([4.0, 100]),
        outer_bias=np.array(3.0),
    )
    assert one.predict(np.array([1.0]), np.array([-1.0])) == pytest.approx(5)


def test_svr_is_scikit_learns() -> None:
    mean, spread = centre_and_spread(TRAIN.features)
    told = (TRAIN.features - mean) / spread
    theirs = SVR(kernel="rbf", C=0.6, epsilon=0.08, gamma=0.05).fit(told, TRAIN.target / 5 - 1)
    ours = Svr(
        mean,
        spread,
        theirs.support_vectors_,
        5 * theirs.dual_coef_[0],
        np.array(5 * (theirs.intercept_[0] + 1)),
        np.array(0.05),
    )
    expected = 5 * theirs.predict((OTHERS.features - mean) / spread) + 5
    found = [ours.predict(sound, text) for sound, text in zip(OTHERS.sounds, OTHERS.texts, strict=True)]
    assert np.abs(np.array(found) - expected).max() < 1e-9


def test_svr_chooses_its_constants_by_captions_it_has_not_seen() -> None:
    """Twins of one caption have opposite targets' noise to remember; across captions only a wide kernel helps."""
    place = np.linspace(-1, 1, 40)
    squares = (place[:, None] - place) ** 2
    captions = tuple(f"caption {number // 4}" for number in range(40))
    assert choose(squares, np.sin(6 * place), captions, lambda: None).gamma > 1
    assert choose(squares, place / 2, ("one",) * 40, lambda: None) == Constants(), "nothing to choose by"


def test_the_same_seed_gives_the_same_head(heads: dict[str, Head]) -> None:
    again = fit_head("mlp", TRAIN, VALIDATION, seed=0)
    assert all((getattr(again.body, f.name) == getattr(heads["mlp"].body, f.name)).all() for f in fields(Mlp))
    few = some_pairs(20, 4)
    one, other = (fit_head("mlp", few, few, seed=seed).score(few.sounds, few.texts) for seed in (0, 1))
    assert not (one == other).all()


def test_without_validation_pairs_the_spread_is_that_of_training() -> None:
    nothing = Examples(np.zeros((0, DIM)), np.zeros((0, DIM)), np.zeros(0), ())
    for policy in HEAD_POLICIES:
        head = fit_head(policy, some_pairs(20, 4), nothing, seed=0)
        assert (head.fitted_on, head.n_pairs) == ("train", 20)
        assert math.isfinite(head.residual_sd)


@settings(deadline=None, max_examples=10)
@given(order=st.permutations(range(9)), n=st.integers(1, 9))
def test_a_score_does_not_depend_on_what_is_scored_beside_it(order: list[int], n: int) -> None:
    rng = np.random.default_rng(0)
    body = Svr(np.zeros(17), np.ones(17), rng.normal(size=(50, 17)), rng.normal(size=50), np.array(5.0), np.array(0.1))
    head = Head("svr", body, 1.0, "validation", 9)
    alone = [head.score(OTHERS.sounds[[at]], OTHERS.texts[[at]])[0] for at in order[:n]]
    assert head.score(OTHERS.sounds[order[:n]], OTHERS.texts[order[:n]]).tolist() == alone


def test_a_fit_can_be_cancelled() -> None:
    def stop() -> None:
        raise TrainingCancelled("The run was cancelled.")

    for policy in ("mlp", "svr"):
        with pytest.raises(TrainingCancelled):
            fit_head(policy, TRAIN, VALIDATION, seed=0, tick=stop)


def _changed(folder: Path, **tensors: Floats) -> None:
    save_file(load_file(folder / TENSORS) | tensors, folder / TENSORS)


def test_a_head_that_is_none_is_refused_by_name(heads: dict[str, Head], tmp_path: Path) -> None:
    assert read_head(tmp_path, DIM) is None
    told = f"{tmp_path / HEAD} and {TENSORS} beside it cannot be read as a head: "
    write_head(heads["affine"], tmp_path)
    good = json.loads((tmp_path / HEAD).read_text())
    wrong = {
        "there is no head called 'forest'; there are affine, mlp, svr.": {"policy": "forest"},
        "it holds intercept, slope where coefficients, gamma, intercept, mean, spread, vectors are needed.": {
            "policy": "svr"
        },
        "residual_sd must be a number, not 'x'.": {"residual_sd": "x"},
    }
    for sentence, change in wrong.items():
        (tmp_path / HEAD).write_text(json.dumps(good | change))
        with pytest.raises(ModelError) as refusal:
            read_head(tmp_path, DIM)
        assert str(refusal.value) == told + sentence
    (tmp_path / HEAD).write_text(json.dumps(good))
    _changed(tmp_path, slope=np.array(math.nan))
    with pytest.raises(ModelError, match="slope holds what is no finite number of 64 bits"):
        read_head(tmp_path, DIM)
    (tmp_path / TENSORS).write_bytes((tmp_path / TENSORS).read_bytes()[:-3])
    with pytest.raises(ModelError, match="cannot be read as a head"):
        read_head(tmp_path, DIM)


def test_a_head_of_another_model_is_refused(heads: dict[str, Head], tmp_path: Path) -> None:
    write_head(heads["svr"], tmp_path)
    with pytest.raises(ModelError) as refusal:
        read_head(tmp_path, 128)
    assert str(refusal.value) == (
        f"{tmp_path / HEAD} was fitted on embeddings of 4 numbers, and the model beside it makes 128; "
        "put back the head that was made with this model."
    )
    _changed(tmp_path, vectors=np.zeros((2, 5)))
    with pytest.raises(ModelError, match="cannot be read as a head"):
        read_head(tmp_path, DIM)


@pytest.fixture(scope="module")
def headed(world: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """A run whose only tuned part is an SVR."""
    return train(override(PRESETS["small"], {"policy": "svr"}), world, tmp_path_factory.mktemp("svr") / "out")


def test_a_run_is_judged_by_its_heads_score(headed: TrainingResult, world: Path) -> None:
    assert (headed.judged, headed.epochs_run) == ("score", 0)
    assert headed.note == (
        "The weights are the base model's; what is judged is the score of a head (svr) on its embeddings. Plain "
        "transformers gives the untuned cosine; the score comes with Earmark."
    )
    assert headed.tuned["mse"].value < headed.base["mse"].value
    assert headed.tuned["srcc"] == headed.tuned_score["srcc"]
    assert all(one.tuned_score == pytest.approx(10 * one.tuned_cosine) for one in headed.predictions)
    report = json.loads((headed.model_dir.parent / "report.json").read_text())
    assert report["judged"] == "score"
    snapshot = read_snapshot(world)
    one = headed.predictions[5]
    row = next(row for row in snapshot.ratings if row.pair == one.pair)
    found = Scorer.open(headed.model_dir).score(snapshot.audio[str(row.clip_sha256)], row.caption)
    assert found.cosine == one.base_cosine
    assert found.score == pytest.approx(one.tuned_score, abs=1e-12)
    assert found.score_sd is not None
    assert not (headed.model_dir / "calibration.json").exists()


def test_evaluate_measures_the_heads_score(
    headed: TrainingResult, world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(world), "--model", str(headed.model_dir), "--model", "builtin", "--json"]) == 0
    own, base = json.loads(capsys.readouterr().out)["models"]
    assert (own["judged"], base["judged"]) == ("score", "cosine")
    assert own["agreement"]["srcc"] == headed.tuned["srcc"].as_dict()
    assert own["agreement"]["mse"]["value"] == pytest.approx(headed.tuned["mse"].value)
    assert base["difference"]["srcc"]["value"] == pytest.approx(-headed.difference["srcc"].value)
    assert "is judged by the score of its head" in own["note"]


def test_a_body_is_nothing_but_numbers() -> None:
    """What is written are the fields, all of them arrays: nothing of a head can be lost or smuggled in."""
    assert {f.type for kind in (Affine, Mlp, Svr) for f in fields(kind)} == {"Floats"}
