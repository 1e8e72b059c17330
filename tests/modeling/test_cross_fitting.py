"""Cross-fitting: folds by caption, no pair scored by a model that has learned from it, and a run that goes on."""

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from modeling import cross_fitting, splits
from modeling.__main__ import main
from modeling.config import PRESETS, override
from modeling.cross_fitting import cross_fit
from modeling.dataset import pair_set
from modeling.results import Progress, TrainingCancelled, TrainingRefused
from modeling.snapshot import read_snapshot
from modeling.training.team import Team
from tests.modeling.worlds import comparison, row, side, write_rows

SMALL = PRESETS["small"]


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 captions of three pairs; some captions share a clip, every fifth is held out, an anchor and a pair of another
    question are beside them.
    """
    folder = tmp_path_factory.mktemp("rated")
    rows, audio = [], {}
    for number in range(180):
        content = b"%d" % (number if number not in (7, 100) else 6)
        clip = hashlib.sha256(content).hexdigest()
        audio[clip] = folder / f"{content.decode()}.wav"
        audio[clip].write_bytes(content)
        split = "heldout" if number // 3 % 5 == 0 else "validation" if number // 3 % 5 == 1 else "train"
        caption = f"{'caption' if number % 2 else 'CAPTION'} {number // 3}"
        rows.append(row(number, pair=f"pair-{number:03}", clip_sha256=clip, caption=caption, split=split, score=5))
    rows += [row(500, pair="anchor", role="anchor"), row(501, pair="pair-100", question="order")]
    rows[-1] = row(501, **{**vars(rows[100]), "rating": "other", "question": "order"})
    write_rows(folder / "snapshot", rows, audio)
    return folder / "snapshot"


def trainer(learned: list[set[str]], scored: list[set[str]], judged: str = "cosine") -> Callable[..., Any]:
    """In place of training: notes what would be learned and scored, and scores a pair by its number."""

    def train(config: object, snapshot_dir: Path, out_dir: Path, **_: object) -> SimpleNamespace:
        pairs = pair_set(read_snapshot(snapshot_dir))
        learned.append({pairs.pairs[number] for number in pairs.where(splits.TRAIN, splits.VALIDATION)})
        scored.append({pairs.pairs[number] for number in pairs.where(splits.HELDOUT)})
        (out_dir / "model").mkdir(parents=True)
        predictions = [
            SimpleNamespace(
                pair=pair, split=split, tuned_cosine=int(pair[-3:]) / 180, tuned_score=len(learned), base_cosine=-1
            )
            for pair, split in zip(pairs.pairs, pairs.split, strict=True)
        ]
        return SimpleNamespace(predictions=predictions, model_dir=out_dir / "model", judged=judged)

    return train


def test_it_works(rated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learned: list[set[str]] = []
    scored: list[set[str]] = []
    monkeypatch.setattr(cross_fitting, "train", trainer(learned, scored))
    found = cross_fit(override(SMALL, {"question": "relevance"}), rated, tmp_path / "out", folds=4)
    pairs = pair_set(read_snapshot(rated), question="relevance")
    expected = [pairs.pairs[number] for number in pairs.where(splits.TRAIN, splits.VALIDATION)]
    assert [one.pair for one in found] == expected
    assert set().union(*scored) == set(expected)
    assert sum(map(len, scored)) == len(expected)
    captions, clips = (dict(zip(pairs.pairs, said, strict=True)) for said in (pairs.captions, pairs.clip))
    for own, others in zip(scored, learned, strict=True):
        assert own.isdisjoint(others)
        assert {captions[pair].lower() for pair in own}.isdisjoint(captions[pair].lower() for pair in others)
        assert {clips[pair] for pair in own}.isdisjoint(clips[pair] for pair in others)
        assert others <= set(expected)
    with (tmp_path / "out" / "predictions.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["pair", "fold", "cosine", "score"]
    assert [(r["pair"], int(r["fold"]), float(r["cosine"]), float(r["score"])) for r in table] == [
        (one.pair, one.fold, int(one.pair[-3:]) / 180, one.fold) for one in found
    ]
    assert not list((tmp_path / "out").rglob("model"))


def test_the_cosine_of_a_head_is_the_untuned_one(rated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_fitting, "train", trainer([], [], "score"))
    found = cross_fit(override(SMALL, {"question": "relevance"}), rated, tmp_path / "out", folds=2)
    assert {(one.cosine, one.score == one.fold) for one in found} == {(-1, True)}


def test_an_interrupted_run_goes_on(rated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = override(SMALL, {"question": "relevance"})
    monkeypatch.setattr(cross_fitting, "train", trainer([], []))
    whole = cross_fit(config, rated, tmp_path / "whole", folds=3)
    train = trainer([set()], [set()])

    def interrupted(config: Any, snapshot_dir: Path, out_dir: Path, **told: Any) -> SimpleNamespace:
        if "/2/" in str(out_dir):
            raise TrainingCancelled("The run was cancelled.")
        return train(config, snapshot_dir, out_dir)

    monkeypatch.setattr(cross_fitting, "train", interrupted)
    with pytest.raises(TrainingCancelled):
        cross_fit(config, rated, tmp_path / "out", folds=3)
    assert not (tmp_path / "out" / "predictions.csv").exists()
    with pytest.raises(TrainingRefused, match="was begun with another snapshot, configuration or number of folds"):
        cross_fit(config, rated, tmp_path / "out", folds=4)
    learned: list[set[str]] = [set()]
    monkeypatch.setattr(cross_fitting, "train", trainer(learned, []))
    found = cross_fit(config, rated, tmp_path / "out", folds=3)
    assert len(learned) == 3
    assert [one.pair for one in found] == [one.pair for one in whole]
    with pytest.raises(TrainingRefused, match="already holds a finished run; name another directory"):
        cross_fit(config, rated, tmp_path / "out", folds=3)


def test_the_command_tells_of_folds(
    rated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def train(config: Any, snapshot_dir: Path, out_dir: Path, *, on_progress: Any, **_: Any) -> SimpleNamespace:
        on_progress(Progress("training", 1, 2))
        return trainer([], [])(config, snapshot_dir, out_dir)

    monkeypatch.setattr(cross_fitting, "train", train)
    out = tmp_path / "out"
    told = ["cross-fit", str(rated), str(out), "--preset", "small", "--question", "relevance", "--folds", "2", "--json"]
    assert main(told) == 0
    n = len((out / "predictions.csv").read_text().splitlines()) - 1
    expected = {"rows": n, "folds": 2, "predictions": str(out / "predictions.csv")}
    assert json.loads(capsys.readouterr().out) == expected


@pytest.mark.parametrize(
    ("folds", "told"),
    [
        (1, "The number of folds must be from 2 to 20, not 1."),
        (21, "The number of folds must be from 2 to 20, not 21."),
        (6, "The smallest of 6 folds has 2[0-9] pairs, and at least 30 are needed. Ask for fewer folds, or collect"),
    ],
)
def test_a_number_of_folds_that_is_none_is_refused(rated: Path, tmp_path: Path, folds: int, told: str) -> None:
    with pytest.raises(TrainingRefused, match=told):
        cross_fit(override(SMALL, {"question": "relevance"}), rated, tmp_path / "out", folds=folds)
    assert not (tmp_path / "out").exists()


def test_several_processes_are_refused(rated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_fitting, "assemble", lambda: Team(2, 1))
    with pytest.raises(
        TrainingRefused, match="Cross-fitting is done by one process; start it without accelerate launch"
    ):
        cross_fit(SMALL, rated, tmp_path / "out")


def test_comparisons_are_refused(tmp_path: Path) -> None:
    audio = {}
    for content in (b"a", b"b"):
        path = tmp_path / content.decode()
        path.write_bytes(content)
        audio[hashlib.sha256(content).hexdigest()] = path
    sides = [side(number, clip_sha256=clip) for number, clip in enumerate(audio)]
    compared = [comparison(0, first=sides[0], second=sides[1], split="train")]
    write_rows(tmp_path / "snapshot", [], audio, comparisons=compared)
    with pytest.raises(TrainingRefused, match=r"Cross-fitting is for ratings; this question was answered by comparing"):
        cross_fit(SMALL, tmp_path / "snapshot", tmp_path / "out")
