"""The score as a metric of torchmetrics, for whoever makes sounds from text: how well people would say that they match.

metric = HumanCLAPScore("OUT/model")
metric.update(audio, text)
metric.compute()
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchmetrics import Metric

from modeling.audio import AudioError, Samples, heard
from modeling.ensemble import open_scorer
from modeling.results import COSINE, SCORE
from modeling.scoring import Score

Sound = str | Path | torch.Tensor
# Of clips and of captions that stay in memory between updates.
MOST_EMBEDDINGS = 20_000


class HumanCLAPScore(Metric):  # type: ignore[misc, unused-ignore]
    """Mean score (0 to 10) of all clips and captions that were given, or their mean cosine (-1 to 1).

    `model` is a directory of a tuned model or of an ensemble, "builtin", or a hub name; it is held once, on the GPU
    where there is one, is no part of the metric's state and does not move with `to`. `what` is "score" or "cosine".
    States are two sums, so processes that each saw a part give the mean over all. Raises `ModelError` where the model
    cannot be opened.
    """

    is_differentiable = False
    higher_is_better = True
    full_state_update = False
    plot_lower_bound: float = 0.0
    plot_upper_bound: float = 10.0

    total: torch.Tensor
    n: torch.Tensor

    def __init__(self, model: str | Path, *, what: str = SCORE, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if what not in (SCORE, COSINE):
            raise ValueError(f"what must be '{SCORE}' or '{COSINE}', not '{what}'.")
        self.what = what
        self._scorer = open_scorer(model)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("n", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, audio: Sound | Sequence[Sound], text: str | Sequence[str], sample_rate: int = 48_000) -> None:
        """Takes clips and as many captions; one of each may stand alone.

        A clip is a file, or samples at `sample_rate` Hz with full scale +-1, of shape (samples,) or (channels,
        samples). A tensor of shape (clips, channels, samples) is a batch of clips. Raises `AudioError` for a clip that
        cannot be heard, and then counts none.
        """
        clips, captions = _listed(audio), [text] if isinstance(text, str) else list(text)
        if len(clips) != len(captions):
            raise ValueError(f"As many captions as clips are needed, not {len(captions)} for {len(clips)}.")
        self._scorer.forget(beyond=MOST_EMBEDDINGS)
        values = [self._value(score) for score in self._scores(clips, captions, sample_rate)]
        self.total += torch.tensor(values, dtype=torch.float64, device=self.total.device).sum()
        self.n += len(values)

    def compute(self) -> torch.Tensor:
        """The mean, float64; NaN where nothing was given."""
        return self.total / self.n

    def _value(self, score: Score) -> float:
        return score.score if self.what == SCORE else score.cosine

    def _scores(self, clips: Sequence[Sound], captions: Sequence[str], sample_rate: int) -> list[Score]:
        """Of files and of samples, in order."""
        found: dict[int, Score] = {}
        files = [place for place, clip in enumerate(clips) if not isinstance(clip, torch.Tensor)]
        paths = [Path(str(clips[place])) for place in files]
        scored = self._scorer.score_all(paths, [captions[place] for place in files])
        for place, score in zip(files, scored, strict=True):
            if isinstance(score, AudioError):
                raise score
            found[place] = score
        others = [place for place in range(len(clips)) if place not in found]
        samples = [_samples(clips[place], sample_rate, self._scorer.sample_rate, place) for place in others]
        if others:
            scored_samples = self._scorer.score_samples(samples, [captions[place] for place in others])
            found |= zip(others, scored_samples, strict=True)
        return [found[place] for place in range(len(clips))]


def _listed(audio: Sound | Sequence[Sound]) -> list[Sound]:
    if isinstance(audio, torch.Tensor):
        return list(audio) if audio.ndim == 3 else [audio]
    return [audio] if isinstance(audio, str | Path) else list(audio)


def _samples(clip: Any, rate: int, wanted: int, place: int) -> Samples:
    """Mono at the model's rate. Raises `AudioError`."""
    if clip.ndim not in (1, 2):
        raise AudioError(f"Clip {place} has shape {tuple(clip.shape)}; it must be (samples,) or (channels, samples).")
    channels = np.atleast_2d(clip.detach().to("cpu", torch.float32).numpy()).T
    return heard(channels, rate, wanted, name=f"Clip {place}")
