"""The score of a clip and a caption: deterministic cosine, calibrated score, and tables of pairs.

A clip or caption always goes through its tower alone, and on a CPU in one thread. The same computation on the same
shapes in the same order gives the same bits, whatever else is scored beside it, which no batched product promises.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from modeling.audio import load
from modeling.loading import ModelError, open_model
from modeling.metrics import Floats, cosine_to_score
from modeling.model import Clap, cpu_threads

CALIBRATION = "calibration.json"


@dataclass(frozen=True)
class Calibration:
    """score = clip(intercept + slope * cosine, 0, 10), with the standard deviation of what it leaves unexplained."""

    intercept: float
    slope: float
    residual_sd: float
    fitted_on: str
    n_pairs: int

    def score(self, cosine: Floats | float) -> Floats:
        return np.clip(self.intercept + self.slope * np.asarray(cosine, dtype=np.float64), 0.0, 10.0)


@dataclass(frozen=True)
class Score:
    """`score` is on 0..10; `score_sd`, in the same points, is None for a model that was never tuned."""

    cosine: float
    score: float
    score_sd: float | None


def fit_calibration(cosine: Floats, human: Floats, fitted_on: str) -> Calibration:
    """Least squares of human means (0..10) on cosines; a slope below 0 or a constant cosine gives the plain mean."""
    spread = float(np.var(cosine))
    slope = max(0.0, float(np.cov(cosine, human, bias=True)[0, 1]) / spread) if spread > 0 else 0.0
    draft = Calibration(float(human.mean() - slope * cosine.mean()), slope, 0.0, fitted_on, len(human))
    residual = human - draft.score(cosine)
    return Calibration(draft.intercept, slope, float(np.sqrt(np.mean(residual**2))), fitted_on, len(human))


def write_calibration(calibration: Calibration, model_dir: Path) -> None:
    (model_dir / CALIBRATION).write_text(json.dumps(asdict(calibration), indent=1) + "\n", encoding="utf-8")


def read_calibration(model_dir: Path) -> Calibration | None:
    """The calibration beside the weights, or None. Raises `ModelError` where it cannot be read."""
    path = model_dir / CALIBRATION
    if not path.is_file():
        return None
    try:
        return Calibration(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{path} cannot be read as a calibration: {error}") from error


def clip_embedding(clap: Clap, mel: torch.Tensor) -> Floats:
    """Unit embedding of one clip's log-mel windows, shape (dim,), float64."""
    with torch.inference_mode(), cpu_threads(1):
        return np.asarray(clap.embed_clips([mel])[0].double().cpu().numpy())


def caption_embedding(clap: Clap, caption: str) -> Floats:
    """Unit embedding of one caption, shape (dim,), float64."""
    with torch.inference_mode(), cpu_threads(1):
        return np.asarray(clap.embed_captions([clap.tokens(caption)])[0].double().cpu().numpy())


def cosine(sound: Floats, text: Floats) -> float:
    return float(np.dot(sound, text))


class Scorer:
    """A model held open for scoring; embeddings of clips and captions seen are kept."""

    def __init__(self, clap: Clap, calibration: Calibration | None = None) -> None:
        self.clap = clap
        self.calibration = calibration
        self._clips: dict[Path, Floats] = {}
        self._captions: dict[str, Floats] = {}

    @classmethod
    def open(cls, model: str | Path) -> Scorer:
        """The scorer of a model; a directory's calibration is used where it has one. Raises `ModelError`."""
        clap = open_model(str(model))
        return cls(clap, read_calibration(Path(model)) if Path(model).is_dir() else None)

    def score(self, audio: Path, caption: str) -> Score:
        """Raises `modeling.audio.AudioError` where the clip cannot be heard."""
        value = cosine(self._clip(audio), self._caption(caption))
        if self.calibration is None:
            return Score(value, float(cosine_to_score(value)), None)
        return Score(value, float(self.calibration.score(value)), self.calibration.residual_sd)

    def _clip(self, audio: Path) -> Floats:
        if audio not in self._clips:
            samples = load(audio, self.clap.log_mel.sample_rate)
            self._clips[audio] = clip_embedding(self.clap, self.clap.log_mel(samples))
        return self._clips[audio]

    def _caption(self, caption: str) -> Floats:
        if caption not in self._captions:
            self._captions[caption] = caption_embedding(self.clap, caption)
        return self._captions[caption]
