"""The metric for others: the mean of what `python -m modeling score` says of each pair, and the refusals."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torchmetrics import Metric

from modeling.__main__ import main
from modeling.audio import AudioError
from modeling.ensemble import write_ensemble
from modeling.human_clap_score import HumanCLAPScore
from modeling.loading import BUILTIN_DIR, ModelError
from modeling.scoring import Calibration, write_calibration

RATE = 48_000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The built-in model with a calibration, so that its score is not just ten times its cosine."""
    place = tmp_path / "model"
    place.mkdir()
    for path in BUILTIN_DIR.iterdir():
        (place / path.name).symlink_to(path)
    write_calibration(Calibration(2.0, 5.0, 1.25, "validation", 100), place)
    return place


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    found = [tmp_path / f"{number}.wav" for number in range(3)]
    for number, path in enumerate(found):
        samples = np.random.default_rng(number).uniform(-0.5, 0.5, (RATE // 2, 1 + number % 2))
        soundfile.write(path, samples, RATE, subtype="FLOAT")
    return found


CAPTIONS = ["Rain on a roof", "A dog barks", "Rain on a roof"]


def said(model: Path, clip: Path, caption: str, capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """By the command line."""
    capsys.readouterr()
    assert main(["score", "--model", str(model), "--audio", str(clip), "--text", caption, "--json"]) == 0
    found: dict[str, float] = json.loads(capsys.readouterr().out)
    return found


def test_it_works(model: Path, clips: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    scores = [said(model, clip, caption, capsys) for clip, caption in zip(clips, CAPTIONS, strict=True)]
    metric = HumanCLAPScore(model)
    assert isinstance(metric, Metric)

    metric.update(clips[:2], CAPTIONS[:2])
    metric.update(str(clips[2]), CAPTIONS[2])

    assert metric.compute().item() == pytest.approx(np.mean([score["score"] for score in scores]), abs=1e-12)
    metric.reset()
    metric.update(clips[0], CAPTIONS[0])
    assert metric.compute().item() == scores[0]["score"]
    cosines = HumanCLAPScore(model, what="cosine")
    cosines.update(clips, CAPTIONS)
    assert cosines.compute().item() == pytest.approx(np.mean([score["cosine"] for score in scores]), abs=1e-12)
    assert metric(clips[1], CAPTIONS[1]).item() == scores[1]["score"]
    assert metric.compute().item() == pytest.approx((scores[0]["score"] + scores[1]["score"]) / 2, abs=1e-12)


def test_samples_score_as_their_file(model: Path, clips: list[Path]) -> None:
    """Mono, stereo, a batch, at another rate, and beside files."""
    sounds = [torch.from_numpy(soundfile.read(path, dtype="float32", always_2d=True)[0].T) for path in clips]
    files, samples = HumanCLAPScore(model), HumanCLAPScore(model)
    files.update(clips, CAPTIONS)
    samples.update([sounds[0][0], sounds[1], clips[2]], CAPTIONS)
    assert samples.compute().item() == files.compute().item()
    files.reset()
    samples.reset()
    files.update([clips[1]] * 2, CAPTIONS[:2])
    samples.update(torch.stack([sounds[1]] * 2), CAPTIONS[:2])
    assert samples.compute().item() == files.compute().item()


def test_an_ensemble_is_taken_too(model: Path, clips: list[Path], tmp_path: Path) -> None:
    write_ensemble(tmp_path / "both", [model, model])
    one, both = HumanCLAPScore(model), HumanCLAPScore(tmp_path / "both")
    sound = torch.from_numpy(soundfile.read(clips[0], dtype="float32")[0])
    for metric in (one, both):
        metric.update([sound, clips[1]], CAPTIONS[:2])
    assert both.compute().item() == pytest.approx(one.compute().item(), abs=1e-12)


def test_processes_give_the_mean_over_all(model: Path, clips: list[Path]) -> None:
    """Their states are added, as torchmetrics does between processes."""
    whole, parts = HumanCLAPScore(model), [HumanCLAPScore(model) for _ in range(2)]
    whole.update(clips, CAPTIONS)
    parts[0].update(clips[:1], CAPTIONS[:1])
    parts[1].update(clips[1:], CAPTIONS[1:])
    parts[0].merge_state(parts[1])
    assert parts[0].compute().item() == pytest.approx(whole.compute().item(), abs=1e-12)


def test_nothing_has_no_mean(model: Path) -> None:
    metric = HumanCLAPScore(model)
    metric.update([], [])
    assert math.isnan(metric.compute().item())


WRONG: list[tuple[Callable[[HumanCLAPScore], None], type[Exception], str]] = [
    (lambda metric: metric.update(["a.wav"], []), ValueError, "As many captions as clips are needed, not 0 for 1."),
    (lambda metric: metric.update("a.wav", "Rain"), AudioError, "a.wav does not exist or is no file."),
    (
        lambda metric: metric.update(torch.zeros(1, 1, 1, 9), "Rain"),
        AudioError,
        "Clip 0 has shape (1, 1, 1, 9); it must be (samples,) or (channels, samples).",
    ),
    (
        lambda metric: metric.update(torch.zeros(480), "Rain"),
        AudioError,
        "Clip 0 lasts 0.010 s; a clip must last at least 0.1 s.",
    ),
]


@pytest.mark.parametrize(("act", "kind", "told"), WRONG)
def test_what_cannot_be_scored_counts_nothing(
    model: Path, clips: list[Path], act: Callable[[HumanCLAPScore], None], kind: type[Exception], told: str
) -> None:
    metric = HumanCLAPScore(model)
    metric.update(clips[0], CAPTIONS[0])
    before = metric.compute().item()
    with pytest.raises(kind) as refusal:
        act(metric)
    assert str(refusal.value) == told
    assert metric.total.item() == before and metric.n.item() == 1


def test_what_cannot_be_opened_or_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        HumanCLAPScore(tmp_path)
    with pytest.raises(ValueError, match="what must be 'score' or 'cosine', not 'loudness'."):
        HumanCLAPScore("builtin", what="loudness")
