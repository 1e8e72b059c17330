"""The score of a clip and a caption: deterministic cosine, and calibrated or a head's score, of one pair or of many.

The same clip and caption give the same bits, whatever else is scored beside them (see `modeling.model`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import numpy as np

from modeling.audio import AudioError, Samples, content_of
from modeling.backbone import Backbone
from modeling.cores import on_all_cores
from modeling.embeddings import (
    NOTHING_KEPT,
    Clip,
    Keeping,
    caption_embeddings,
    clip_embeddings,
    cosine,
    sample_embeddings,
)
from modeling.heads import Head, read_head
from modeling.kept_arrays import KeptArrays
from modeling.loading import ModelError, open_backbone
from modeling.metrics import Floats, cosine_to_score
from modeling.model import Clap
from modeling.results import COSINE, SCORE

CALIBRATION = "calibration.json"
# Pairs whose embeddings lie in memory side by side.
PAIRS_AT_ONCE = 4096

Told = Callable[[int, int], None]


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


class Scorer:
    """A model held open for scoring; embeddings of clips and captions seen are kept, and in `cache` between runs.

    The score is the head's where there is one, else the calibration's, else the cosine's. Weights are to
    stay as they are meanwhile.
    """

    def __init__(
        self,
        backbone: Backbone,
        calibration: Calibration | None = None,
        cache: KeptArrays = NOTHING_KEPT,
        head: Head | None = None,
    ) -> None:
        self.backbone = backbone
        self.calibration = calibration
        self.head = head
        self._cache = cache
        self._keeping: Keeping | None = None
        self._sounds: dict[str, Floats | AudioError] = {}
        self._texts: dict[str, Floats] = {}

    @property
    def name(self) -> str:
        return self.backbone.name

    @property
    def note(self) -> str:
        return self.backbone.note

    @property
    def judged(self) -> str:
        """What agreement is measured of: the cosine, or the score where a head stands on a cosine that is not tuned."""
        return COSINE if self.head is None else SCORE

    @classmethod
    def open(cls, model: str | Path, cache: KeptArrays = NOTHING_KEPT) -> Scorer:
        """The scorer of a model; a directory's calibration or head is used where it has one. Raises `ModelError`."""
        backbone, directory = open_backbone(str(model)), Path(model)
        if not directory.is_dir() or not isinstance(backbone, Clap):
            return cls(backbone, None, cache)
        head = read_head(directory, int(backbone.network.config.projection_dim))
        return cls(backbone, read_calibration(directory), cache, head)

    def score(self, audio: Path, caption: str) -> Score:
        """Raises `modeling.audio.AudioError` where the clip cannot be heard."""
        found = self.score_all([audio], [caption])[0]
        if isinstance(found, AudioError):
            raise found
        return found

    def score_all(
        self, audio: Sequence[Path], captions: Sequence[str], told: Told = lambda done, of: None
    ) -> list[Score | AudioError]:
        """The score of each pair of a clip and a caption, in order, or why its clip cannot be heard.

        `told` hears how many of the clips and captions that had to be embedded are done, and of how many.
        """
        sounds = self._embed(audio, captions, told)
        found: list[Score | AudioError] = []
        for start in range(0, len(audio), PAIRS_AT_ONCE):
            part = slice(start, start + PAIRS_AT_ONCE)
            found += self._scores(
                [sounds[path] for path in audio[part]], [self._texts[text] for text in captions[part]]
            )
        return found

    def score_samples(self, clips: Sequence[Samples], captions: Sequence[str]) -> list[Score]:
        """The score of each pair of a clip, given as mono samples at the model's rate, and a caption, in order.

        Nothing of the clips is kept. Raises `ModelError`.
        """
        self._embed([], captions, lambda done, of: None)
        sounds = sample_embeddings(self.backbone, clips)
        scores = self._scores(sounds, [self._texts[text] for text in captions])
        return [score for score in scores if isinstance(score, Score)]

    @property
    def sample_rate(self) -> int:
        return self.backbone.sample_rate

    def forget(self, *, beyond: int) -> None:
        """Lets the embeddings go that are kept in memory, once there are more than so many of clips or of captions."""
        for kept in (self._sounds, self._texts):
            if len(kept) > beyond:
                kept.clear()

    def _embed(self, audio: Sequence[Path], captions: Sequence[str], told: Told) -> dict[Path, Floats | AudioError]:
        """The embedding of each file, or why it has none; captions' are in `_texts`."""
        paths = list(dict.fromkeys(audio))
        contents = dict(zip(paths, on_all_cores(_content, paths), strict=True))
        new = {sha256: path for path, sha256 in contents.items() if isinstance(sha256, str)}
        clips = [Clip(path, sha256) for sha256, path in new.items() if sha256 not in self._sounds]
        texts = [caption for caption in dict.fromkeys(captions) if caption not in self._texts]
        done = count(1)

        def tick() -> None:
            told(next(done), len(clips) + len(texts))

        self._keeping = self._keeping or Keeping.of(self.backbone, self._cache)
        sounds = clip_embeddings(self.backbone, clips, self._keeping, tick)
        self._sounds |= zip((clip.sha256 for clip in clips), sounds, strict=True)
        self._texts |= zip(texts, caption_embeddings(self.backbone, texts, self._keeping, tick), strict=True)
        return {
            path: content if isinstance(content, AudioError) else self._sounds[content]
            for path, content in contents.items()
        }

    def _scores(self, sounds: Sequence[Floats | AudioError], texts: Sequence[Floats]) -> list[Score | AudioError]:
        heard = [(sound, text) for sound, text in zip(sounds, texts, strict=True) if not isinstance(sound, AudioError)]
        if not heard:
            return list(sounds)  # type: ignore[arg-type]  # errors, every one
        embedded = np.stack([sound for sound, _ in heard]), np.stack([text for _, text in heard])
        cosines = cosine(*embedded)
        if self.head is not None:
            scores, spread = self.head.score(*embedded), self.head.residual_sd
        elif self.calibration is not None:
            scores, spread = self.calibration.score(cosines), self.calibration.residual_sd
        else:
            scores, spread = cosine_to_score(cosines), None
        made = (Score(float(value), float(score), spread) for value, score in zip(cosines, scores, strict=True))
        return [sound if isinstance(sound, AudioError) else next(made) for sound in sounds]


def _content(path: Path) -> str | AudioError:
    try:
        return content_of(path)
    except AudioError as error:
        return error
