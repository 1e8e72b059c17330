"""The models that the scorer holds open, and how it answers several questions at once. Loads torch when first asked."""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from listening_tests.exceptions import Refused
from worker.scoring.messages import Answered, Scored

if TYPE_CHECKING:
    from modeling.audio import AudioError
    from modeling.ensemble import EnsembleScorer
    from modeling.scoring import Score, Scorer

logger = logging.getLogger(__name__)

# A champion and the one before it, or two tests at once.
MOST_MODELS = 2
# Embeddings of clips, and of captions, that stay in memory: each is a few kilobytes.
MOST_EMBEDDINGS = 20_000


class NoModel(Exception):
    """The model cannot be opened; the message says why."""


@dataclass(frozen=True)
class Question:
    """A sound that lies in a file, with captions. `name` is what who asked calls the sound."""

    model: str
    is_stored: bool
    path: Path
    name: str
    captions: tuple[str, ...]


class Residents:
    """Loads a model once, and keeps the `MOST_MODELS` that were used last. For one thread."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[str, bool], Scorer | EnsembleScorer] = OrderedDict()

    def answer(self, questions: Sequence[Question]) -> list[Answered | Exception]:
        """The answer to each, or `Refused` for its sound, or `NoModel`. Each model is used once."""
        found: dict[int, Answered | Exception] = {}
        by_model: dict[tuple[str, bool], list[int]] = {}
        for place, question in enumerate(questions):
            by_model.setdefault((question.model, question.is_stored), []).append(place)
        for key, places in by_model.items():
            try:
                answers = self._answers(key, [questions[place] for place in places])
            except NoModel as error:
                answers = [error] * len(places)
            found |= zip(places, answers, strict=True)
        return [found[place] for place in range(len(questions))]

    def _answers(self, key: tuple[str, bool], questions: Sequence[Question]) -> list[Answered | Exception]:
        scorer = self._scorer(key)
        scorer.forget(beyond=MOST_EMBEDDINGS)
        sounds = [question.path for question in questions for _ in question.captions]
        captions = [caption for question in questions for caption in question.captions]
        scores = iter(scorer.score_all(sounds, captions))
        return [_answered(scorer, question, [next(scores) for _ in question.captions]) for question in questions]

    def _scorer(self, key: tuple[str, bool]) -> "Scorer | EnsembleScorer":
        if key not in self._held:
            self._held[key] = _opened(*key)
            while len(self._held) > MOST_MODELS:
                gone, _ = self._held.popitem(last=False)
                logger.info("%s is no longer held open.", gone[0])
        self._held.move_to_end(key)
        return self._held[key]


def _opened(model: str, is_stored: bool) -> "Scorer | EnsembleScorer":
    # Here and not above: the process is there at once, and an installation that never asks never loads torch.
    from modeling.ensemble import open_scorer
    from modeling.kept_arrays import KeptArrays
    from modeling.loading import ModelError, quieten_transformers

    quieten_transformers()
    # What runs and jobs have kept is read; what passers-by ask for takes no room on the disk.
    kept = KeptArrays(Path(settings.EARMARK_HOME) / "cache", 0)
    try:
        scorer = open_scorer(Path(settings.MEDIA_ROOT) / model if is_stored else model, kept)
    except ModelError as error:
        raise NoModel(f"The model cannot be opened: {error}") from error
    logger.info("%s is held open.", model)
    return scorer


def _answered(
    scorer: "Scorer | EnsembleScorer", question: Question, scores: Sequence["Score | AudioError"]
) -> Answered | Exception:
    told = []
    for score in scores:
        if isinstance(score, Exception):
            return Refused(str(score).replace(str(question.path), question.name))
        told.append(Scored(score.cosine, score.score, score.score_sd))
    return Answered(tuple(told), scorer.name, scorer.note)
