"""Ensembles: equal members are the model itself, unequal ones their mean, and their disagreement is told."""

import json
from pathlib import Path

import pytest
import soundfile
from huggingface_hub import ModelCard

from modeling.__main__ import main
from modeling.ensemble import combine, members, open_scorer, write_ensemble
from modeling.loading import BUILTIN_DIR, ModelError
from modeling.provenance import read_provenance
from modeling.scoring import Score, Scorer
from modeling.synthetic import SAMPLE_RATE, generate_world
from modeling.training import TrainingResult

CAPTION = "Rain falls, then a dog barks"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "clip.wav", next(iter(generate_world(seed=4, n_captions=1))).samples, SAMPLE_RATE)
    return tmp_path / "clip.wav"


def test_it_works(trained: TrainingResult, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tuned model with itself, by the command line: the same score and spread, to the bit."""
    model, out = str(trained.model_dir), str(tmp_path / "both")
    assert main(["ensemble", out, model, model]) == 0
    assert capsys.readouterr().out == f"The ensemble of 2 models is in {out}.\n"
    scored = ["--audio", str(clip), "--text", CAPTION, "--json"]
    assert main(["score", "--model", model, *scored]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert main(["score", "--model", out, *scored]) == 0
    assert json.loads(capsys.readouterr().out) == pytest.approx(alone | {"spread": 0.0}, abs=1e-12)
    assert Scorer.open(members(out)[1]).score(clip, CAPTION).cosine == alone["cosine"], "each member opens by itself"
    assert ModelCard.load(Path(out) / "README.md").data.license == "apache-2.0"
    assert read_provenance(Path(out)) == read_provenance(trained.model_dir)


def test_unequal_members_are_averaged(trained: TrainingResult, clip: Path, tmp_path: Path) -> None:
    write_ensemble(tmp_path / "both", [trained.model_dir, BUILTIN_DIR])
    tuned, base = (Scorer.open(model).score(clip, CAPTION) for model in (trained.model_dir, "builtin"))
    both = open_scorer(tmp_path / "both").score(clip, CAPTION)
    assert both.cosine == pytest.approx((tuned.cosine + base.cosine) / 2)
    assert both.score == pytest.approx((tuned.score + base.score) / 2)
    assert both.score_sd is None, "the built-in model has no spread of its own"


def test_an_ensemble_is_evaluated_like_a_model(
    trained: TrainingResult, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_ensemble(tmp_path / "both", [trained.model_dir, trained.model_dir])
    models = ["--model", str(trained.model_dir), "--model", str(tmp_path / "both")]
    assert main(["evaluate", str(world), *models, "--json"]) == 0
    alone, both = json.loads(capsys.readouterr().out)["models"]
    assert both["agreement"]["srcc"] == pytest.approx(alone["agreement"]["srcc"])
    assert both["score"]["mse"] == pytest.approx(alone["score"]["mse"])
    assert both["contamination"] == alone["contamination"]
    assert both["contamination"]["known"] is True


def test_the_spread_is_that_of_a_mixture() -> None:
    """Scores 4 and 6 with SD 3 and 4: variance (9 + 16) / 2 + ((4 - 5)^2 + (6 - 5)^2) / 2 = 13.5."""
    found = combine([Score(0.1, 4.0, 3.0), Score(0.3, 6.0, 4.0)])
    assert (found.cosine, found.score, found.spread) == (pytest.approx(0.2), 5.0, 1.0)
    assert found.score_sd == pytest.approx(13.5**0.5)


def test_a_table_is_scored_too(trained: TrainingResult, clip: Path, tmp_path: Path) -> None:
    write_ensemble(tmp_path / "both", [trained.model_dir, trained.model_dir])
    (tmp_path / "pairs.csv").write_text("file,caption\nclip.wav,Rain\n")
    arguments = ["--pairs", str(tmp_path / "pairs.csv"), "--out", str(tmp_path / "out.csv")]
    assert main(["score", "--model", str(tmp_path / "both"), *arguments]) == 0
    assert (tmp_path / "out.csv").read_text().startswith("file,caption,cosine,score,score_sd\nclip.wav,Rain,")


def test_what_is_no_ensemble_is_refused(trained: TrainingResult, tmp_path: Path) -> None:
    model, out = trained.model_dir, tmp_path / "new"
    with pytest.raises(ModelError, match="^An ensemble needs at least 2 models; you named 1.$"):
        write_ensemble(out, [model])
    with pytest.raises(ModelError, match="is there already; name another directory for the ensemble.$"):
        write_ensemble(tmp_path, [model, model])
    with pytest.raises(ModelError, match="^builtin is no directory; an ensemble is made of tuned models'"):
        write_ensemble(out, [model, Path("builtin")])
    with pytest.raises(ModelError, match="has no weights in safetensors"):
        write_ensemble(out, [model, tmp_path])
    (tmp_path / "ensemble.json").write_text('{"members": ["member-1", "../member-2"]}')
    with pytest.raises(ModelError, match="is an ensemble itself; name its members instead.$"):
        write_ensemble(out, [model, tmp_path])
    with pytest.raises(ModelError, match="must name at least 2 members, each as member-1, member-2 and so on.$"):
        members(tmp_path)
    (tmp_path / "ensemble.json").write_text("[]")
    with pytest.raises(ModelError, match="cannot be read as an ensemble's list of members"):
        open_scorer(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["ensemble.json"]
