"""Training and measuring where people compared: what the report says, and what must not leak."""

import dataclasses
import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from modeling.__main__ import main
from modeling.config import PRESETS, override
from modeling.metrics import AGREEMENT, METRICS
from modeling.rows import ComparisonRow
from modeling.snapshot import read_snapshot
from modeling.training import TrainingRefused, TrainingResult
from tests.modeling.worlds import train, write_rows

ONE_EPOCH = override(PRESETS["small"], {"epochs": 1})


@pytest.fixture(scope="module")
def preferring(compared: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """The built-in model tuned for one epoch on comparisons."""
    return train(ONE_EPOCH, compared, tmp_path_factory.mktemp("run") / "out")


def test_it_works(preferring: TrainingResult, compared: Path) -> None:
    snapshot = read_snapshot(compared)
    info = snapshot.info
    heldout = [item for item in snapshot.comparisons if item.split == "heldout"]
    ties = sum(item.choice == "none" for item in heldout)
    assert (preferring.n_heldout, preferring.n_train) == (info.n_heldout, info.n_train)
    assert preferring.question == "preference"
    assert preferring.n_train_comparisons == sum(item.split == "train" for item in snapshot.comparisons)
    assert (preferring.n_heldout_comparisons, preferring.n_heldout_ties) == (len(heldout), ties)
    for values in (preferring.base, preferring.tuned, preferring.difference):
        assert set(values) == {*METRICS, AGREEMENT}
        assert values[AGREEMENT].n == len(heldout) - ties
        assert values[AGREEMENT].low <= values[AGREEMENT].value <= values[AGREEMENT].high
    assert preferring.one_vs_rest_srcc.value is None
    assert preferring.ceiling_srcc.value is None
    assert any(item.base_cosine != item.tuned_cosine for item in preferring.predictions)


def test_the_report_says_what_was_trained_on(preferring: TrainingResult) -> None:
    report = json.loads((preferring.model_dir.parent / "report.json").read_text())
    assert report["question"] == "preference"
    assert report["tuned"][AGREEMENT] == preferring.tuned[AGREEMENT].as_dict()
    assert report["ceiling_srcc"] == {"value": None, "low": None, "high": None, "n": 0}
    assert preferring.note.startswith(
        f"Trained on the Bradley-Terry scores of {preferring.n_train_comparisons:,} paired comparisons and judged on "
        f"{preferring.n_heldout_comparisons:,}, of which {preferring.n_heldout_ties:,} without a difference are left "
        "out of the agreement. SRCC, LCC, Kendall tau-b and MSE are against such scores of the held-out comparisons, "
        "which compare the sounds of one caption only."
    )


def test_agreement_counted_one_by_one(preferring: TrainingResult, compared: Path) -> None:
    cosine = {item.pair: item.base_cosine for item in preferring.predictions}
    decided = [
        item for item in read_snapshot(compared).comparisons if item.split == "heldout" and item.choice != "none"
    ]
    right = [(cosine[item.first.pair] > cosine[item.second.pair]) == (item.choice == "first") for item in decided]
    assert preferring.base[AGREEMENT].value == pytest.approx(sum(right) / len(right))


def test_held_out_choices_do_not_reach_the_weights(preferring: TrainingResult, compared: Path, tmp_path: Path) -> None:
    """The same snapshot with every held-out choice turned round gives the same weights to the bit."""
    snapshot = read_snapshot(compared)
    write_rows(tmp_path / "snapshot", [], snapshot.audio, comparisons=[_turned(item) for item in snapshot.comparisons])
    result = train(ONE_EPOCH, tmp_path / "snapshot", tmp_path / "out")
    ours, theirs = (load_file(item.model_dir / "model.safetensors") for item in (result, preferring))
    assert all(ours[name].equal(theirs[name]) for name in theirs)
    assert result.tuned[AGREEMENT].value == pytest.approx(1 - preferring.tuned[AGREEMENT].value)


def _turned(item: ComparisonRow) -> ComparisonRow:
    other = {"first": "second", "second": "first", "none": "none"}
    choice = other[item.choice] if item.split == "heldout" else item.choice
    return dataclasses.replace(item, choice=choice, split=None)


def test_the_commands_end_to_end(
    preferring: TrainingResult, compared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text("epochs = 1")
    out = tmp_path / "out"
    told = ["train", str(compared), str(out), "--preset", "small", "--config", str(tmp_path / "config.toml")]
    assert main([*told, "--question", "preference"]) == 0
    text = capsys.readouterr().out
    assert "Question: preference." in text
    assert "Trained on the Bradley-Terry scores of" in text
    assert "Agreement" in text
    assert main(["evaluate", str(compared), "--model", str(out / "model"), "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert measured["agreement"] == json.loads((out / "report.json").read_text())["tuned"]
    assert measured["agreement"] == {name: value.as_dict() for name, value in preferring.tuned.items()}
    assert measured["question"] == "preference"
    assert measured["n_heldout_comparisons"] == preferring.n_heldout_comparisons
    assert main(["evaluate", str(compared), "--model", "builtin"]) == 0
    text = capsys.readouterr().out
    assert "One person against the rest and a ceiling are not defined for comparisons." in text
    assert "Ceiling of these ratings" not in text


def test_an_unknown_question_is_refused(compared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "The snapshot has no answers to the question 'order'; it has those to: preference.\n"
    assert main(["train", str(compared), str(tmp_path / "out"), "--preset", "small", "--question", "order"]) == 1
    assert capsys.readouterr().err.endswith(sentence)
    assert main(["evaluate", str(compared), "--model", "builtin", "--question", "order"]) == 1
    assert capsys.readouterr().err.endswith(sentence)
    assert list(tmp_path.iterdir()) == []


def test_too_few_held_out_pairs_are_refused(compared: Path, tmp_path: Path) -> None:
    snapshot = read_snapshot(compared)
    few = [item for item in snapshot.comparisons if item.split == "heldout"][:6]
    rest = [item for item in snapshot.comparisons if item.split == "train"]
    info = write_rows(tmp_path / "snapshot", [], snapshot.audio, comparisons=[*few, *rest])
    with pytest.raises(TrainingRefused) as refusal:
        train(ONE_EPOCH, tmp_path / "snapshot", tmp_path / "out")
    assert str(refusal.value) == (
        f"Only {info.n_heldout} compared pairs are held out; at least 30 are needed to say whether tuning helped. "
        "Collect comparisons for more captions."
    )
    assert not (tmp_path / "out").exists()


def test_nothing_to_train_on_is_refused(compared: Path, tmp_path: Path) -> None:
    snapshot = read_snapshot(compared)
    heldout = [item for item in snapshot.comparisons if item.split == "heldout"]
    write_rows(tmp_path / "snapshot", [], snapshot.audio, comparisons=heldout)
    with pytest.raises(
        TrainingRefused, match="^Only 0 compared pairs are left to train on, and at least 10 are needed"
    ):
        train(ONE_EPOCH, tmp_path / "snapshot", tmp_path / "out")
