"""Training on a small generated world: what it writes, that it repeats itself, goes on, refuses and stops."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from modeling.config import PRESETS, TrainingConfig, override
from modeling.metrics import METRICS
from modeling.scoring import Scorer
from modeling.snapshot import read_snapshot
from modeling.training import Progress, TrainingCancelled, TrainingRefused, TrainingResult, loop
from tests.modeling.worlds import few_pairs, row, train, world_snapshot, write_rows

TWO_EPOCHS = override(PRESETS["small"], {"epochs": 2})
# Three steps an epoch on `few`.
SHORT = override(TWO_EPOCHS, {"batch_size": 8})


@pytest.fixture(scope="module")
def short(few: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """The built-in model tuned on `few` for two epochs."""
    return train(SHORT, few, tmp_path_factory.mktemp("short") / "out")


def test_it_works(trained: TrainingResult, world: Path) -> None:
    info = read_snapshot(world).info
    assert (trained.n_heldout, trained.n_train, trained.n_dropped) == (info.n_heldout, info.n_train, info.n_dropped)
    assert trained.n_heldout >= 30
    for values in (trained.base, trained.tuned, trained.difference):
        assert set(values) == set(METRICS)
        assert all(value.low <= value.value <= value.high and value.n == info.n_heldout for value in values.values())
    assert trained.difference["srcc"].value == pytest.approx(trained.tuned["srcc"].value - trained.base["srcc"].value)
    assert trained.difference["mse"].value < 0, "two epochs are enough to bring cosines near the scores"
    assert trained.one_vs_rest_srcc.value < trained.ceiling_srcc.value
    assert len(trained.predictions) == info.n_pairs
    assert all(0 <= item.tuned_score <= 10 and -1 <= item.base_cosine <= 1 for item in trained.predictions)
    assert trained.note == ""


def test_the_report_is_the_contracts(trained: TrainingResult) -> None:
    out = trained.model_dir.parent
    report = json.loads((out / "report.json").read_text())
    assert {"n_heldout", "n_train", "n_dropped", "base", "tuned", "difference"} <= set(report)
    assert report["question"] == trained.question == "relevance"
    assert report["n_train_comparisons"] == report["n_heldout_comparisons"] == report["n_heldout_ties"] == 0
    for name in ("base", "tuned", "difference"):
        assert list(report[name]) == list(METRICS)
        assert all(list(value) == ["value", "low", "high", "n"] for value in report[name].values())
    assert report["tuned"]["srcc"] == trained.tuned["srcc"].as_dict()
    assert TrainingConfig(**json.loads((out / "config.json").read_text())) == TWO_EPOCHS
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "logs", "model", "report.json"]


def test_the_published_model_scores_as_the_run_did(trained: TrainingResult, world: Path) -> None:
    scorer, snapshot = Scorer.open(trained.model_dir), read_snapshot(world)
    rows = {item.pair: item for item in snapshot.ratings}
    for prediction in trained.predictions[::40]:
        rated = rows[prediction.pair]
        score = scorer.score(snapshot.audio[str(rated.clip_sha256)], rated.caption)
        assert (score.cosine, score.score) == (prediction.tuned_cosine, prediction.tuned_score)
        assert score.score_sd is not None
        assert 0 < score.score_sd < 5


def test_an_untuned_model_has_no_calibration(trained: TrainingResult, world: Path) -> None:
    snapshot = read_snapshot(world)
    rated = snapshot.ratings[0]
    score = Scorer.open("builtin").score(snapshot.audio[str(rated.clip_sha256)], rated.caption)
    assert score.score_sd is None
    assert score.score == pytest.approx(10 * min(max(score.cosine, 0), 1))
    assert score.cosine == trained.predictions[0].base_cosine


def test_the_same_seed_gives_the_same_result_and_progress_only_grows(
    short: TrainingResult, few: Path, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    again = train(SHORT, few, tmp_path / "out", on_progress=seen.append)
    assert again.predictions == short.predictions
    assert again.tuned == short.tuned
    steps = [progress.step for progress in seen]
    assert steps == sorted(steps)
    assert steps[-1] == seen[-1].total_steps
    assert list(dict.fromkeys(progress.phase for progress in seen)) == ["reading", "base", "training", "tuned"]
    assert all(progress.seconds_left is None for progress in seen if progress.phase == "reading")
    assert seen[-1].seconds_left == 0
    training = [progress for progress in seen if progress.phase == "training"]
    assert training[0].loss is None, "the untuned model is validated first"
    assert all(progress.loss is not None and progress.validation is not None for progress in training[-5:])


def test_a_cancelled_run_publishes_nothing_and_a_later_one_goes_on(
    short: TrainingResult, few: Path, tmp_path: Path
) -> None:
    """Stopped in its second epoch and called again, the run ends exactly where the uninterrupted one ended."""
    out = tmp_path / "out"
    last: list[Progress] = []

    def second_epoch() -> bool:
        return bool(last) and last[-1].loss is not None and any(out.glob("checkpoint/epoch-00001-*"))

    with pytest.raises(TrainingCancelled, match=r"^The run was cancelled\.$"):
        train(SHORT, few, out, on_progress=last.append, should_stop=second_epoch)
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint", "logs"]
    first_losses: list[float] = []
    resumed = train(SHORT, few, out, on_progress=lambda progress: first_losses.append(progress.loss or 0.0))
    assert resumed.predictions == short.predictions
    assert not (out / "checkpoint").exists()


def test_another_config_does_not_go_on_from_the_checkpoint(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(TrainingCancelled):
        train(SHORT, few, out, should_stop=lambda: any(out.glob("checkpoint/epoch-00001-*")))
    other = override(SHORT, {"epochs": 1, "seed": 5})
    fresh, resumed = train(other, few, tmp_path / "fresh"), train(other, few, out)
    assert resumed.predictions == fresh.predictions


def test_held_out_scores_do_not_reach_the_weights(short: TrainingResult, few: Path, tmp_path: Path) -> None:
    """The same snapshot with every held-out score turned round gives the same weights to the bit."""
    snapshot = read_snapshot(few)
    turned = [
        dataclasses.replace(item, score=10 - item.score) if item.split == "heldout" else item
        for item in snapshot.ratings
    ]
    write_rows(tmp_path / "snapshot", turned, snapshot.audio)
    result = train(SHORT, tmp_path / "snapshot", tmp_path / "out")
    ours, theirs = (load_file(item.model_dir / "model.safetensors") for item in (result, short))
    assert all(ours[name].equal(theirs[name]) for name in theirs)
    assert result.tuned["srcc"].value == pytest.approx(-short.tuned["srcc"].value, abs=0.1)


def test_weights_are_kept_where_no_epoch_is_better(few: Path, tmp_path: Path) -> None:
    still = dataclasses.replace(SHORT, learning_rate=0.0, tower_learning_rate=0.0)
    result = train(still, few, tmp_path / "out")
    assert all(item.base_cosine == item.tuned_cosine for item in result.predictions)
    assert result.difference["srcc"].value == 0
    assert result.note == (
        "On the validation pairs no epoch agreed better with people than the untuned model, so its weights were kept. "
        "Collect ratings for more captions."
    )


def test_an_epoch_whose_agreement_is_undefined_is_not_the_best(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of weights that give every pair the same cosine."""
    found = iter([0.5, None, 0.4])
    monkeypatch.setattr(loop, "validate", lambda *_: next(found))
    result = train(SHORT, few, tmp_path / "out")
    assert result.note.startswith("On the validation pairs no epoch agreed better with people than the untuned model")
    assert all(item.tuned_cosine == item.base_cosine for item in result.predictions)


def test_too_few_held_out_pairs_are_refused_and_nothing_written(tmp_path: Path) -> None:
    info = world_snapshot(tmp_path, n_captions=6)
    with pytest.raises(TrainingRefused) as refusal:
        train(SHORT, tmp_path / "snapshot", tmp_path / "out")
    assert str(refusal.value) == (
        f"Only {info.n_heldout} rated pairs are held out; at least 30 are needed to say whether tuning helped. "
        "Collect ratings for more captions."
    )
    assert not (tmp_path / "out").exists()


def test_nothing_to_train_on_is_refused(few: Path, tmp_path: Path) -> None:
    snapshot = read_snapshot(few)
    heldout = [item for item in snapshot.ratings if item.split == "heldout"]
    write_rows(tmp_path / "snapshot", heldout, snapshot.audio)
    with pytest.raises(TrainingRefused, match="^Only 0 rated pairs are left to train on, and at least 10 are needed"):
        train(SHORT, tmp_path / "snapshot", tmp_path / "out")


def test_without_study_ratings_it_is_refused(tmp_path: Path) -> None:
    write_rows(tmp_path / "snapshot", [row(role="anchor"), row(1)], {})
    with pytest.raises(TrainingRefused, match="^The snapshot has no ratings of study pairs with audio"):
        train(SHORT, tmp_path / "snapshot", tmp_path / "out")


def test_two_questions_are_refused_unless_one_is_named(few: Path, tmp_path: Path) -> None:
    snapshot = read_snapshot(few)
    mixed = [dataclasses.replace(snapshot.ratings[0], question="order"), *snapshot.ratings[1:]]
    write_rows(tmp_path / "snapshot", mixed, snapshot.audio)
    with pytest.raises(TrainingRefused, match=r"answers to 2 questions \(order, relevance\); name the one to train on"):
        train(SHORT, tmp_path / "snapshot", tmp_path / "out")
    with pytest.raises(TrainingRefused, match=r"no answers to the question 'x'; it has those to: order, relevance\."):
        train(override(SHORT, {"question": "x"}), tmp_path / "snapshot", tmp_path / "out")
    with pytest.raises(TrainingRefused, match="^Only [01] rated pairs are held out"):
        train(override(SHORT, {"question": "order"}), tmp_path / "snapshot", tmp_path / "out")


def test_a_changed_snapshot_is_refused(few: Path, tmp_path: Path) -> None:
    shutil.copytree(few, tmp_path / "snapshot")
    path = tmp_path / "snapshot/ratings.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"score": 7', b'"score": 8', 1))
    with pytest.raises(TrainingRefused, match="ratings.jsonl was changed"):
        train(SHORT, tmp_path / "snapshot", tmp_path / "out")


def test_a_finished_run_is_not_overwritten(trained: TrainingResult, world: Path) -> None:
    out = trained.model_dir.parent
    before = (out / "report.json").read_bytes()
    with pytest.raises(TrainingRefused, match="already holds a finished run; name another directory"):
        train(TWO_EPOCHS, world, out)
    assert (out / "report.json").read_bytes() == before


def test_a_model_that_cannot_be_opened_is_refused(few: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingRefused, match="'/no/such' is neither a directory nor a hub name"):
        train(override(SHORT, {"model": "/no/such"}), few, tmp_path / "out")


def test_a_rate_that_blows_up_is_a_sentence(few: Path, tmp_path: Path) -> None:
    wild = override(SHORT, {"learning_rate": 1.0, "tower_learning_rate": 1.0, "losses": {"mse": 1e30}})
    try:
        train(wild, few, tmp_path / "out")
    except TrainingRefused as error:
        assert str(error) == "The loss is no longer a number; lower learning_rate and tower_learning_rate."  # noqa: PT017
    assert not list((tmp_path / "out").glob(".*"))


def test_a_local_directory_at_laions_settings_is_tuned(world: Path, random_directory: Path, tmp_path: Path) -> None:
    """The front end and the classes of a full-size CLAP, fused or not, on 30 held-out and 12 training pairs."""
    few_pairs(world, tmp_path / "snapshot", heldout=30, train=12)
    config = TrainingConfig(model=str(random_directory), epochs=1, batch_size=6)
    result = train(config, tmp_path / "snapshot", tmp_path / "out")
    assert (result.n_heldout, result.n_train, result.n_validation) == (30, 12, 0)
    assert result.model_name == str(random_directory)
    assert all(item.base_cosine != item.tuned_cosine for item in result.predictions)
