"""Several tuned models as one: their mean is the score, and how far they lie apart is part of its uncertainty.

An ensemble is a directory: `ensemble.json` names its members, each a model directory beside it. Members may differ in
their seed, their recipe or their backbone; each opens by itself as well.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from modeling.audio import AudioError, Samples, heard
from modeling.data_sets import data_sets_of_model
from modeling.embeddings import NOTHING_KEPT
from modeling.evaluation import write_json
from modeling.kept_arrays import KeptArrays
from modeling.licences import CARD, licence_of
from modeling.loading import ModelError
from modeling.model_card import ensemble_card
from modeling.provenance import Provenance, read_provenance, write_provenance
from modeling.scoring import Score, Scorer, Told

ENSEMBLE = "ensemble.json"
FEWEST = 2
_MEMBER = re.compile(r"member-[0-9]{1,4}")


@dataclass(frozen=True)
class EnsembleScore(Score):
    """`spread` is the standard deviation of the members' scores, on 0..10: what they disagree by."""

    spread: float = 0.0


def combine(scores: Sequence[Score]) -> EnsembleScore:
    """The members' scores of one pair as one.

    `cosine` and `score` are means. A member says that people lie around its score with its `score_sd`; taking each
    member to be right with equal chance, the variance around the mean is, by the law of total variance, the mean of
    the members' variances and the variance of their scores (Lakshminarayanan 2017, arXiv 1612.01474, section 2.4).
    `score_sd` is its root, and None where a member has none.
    """
    values = np.array([score.score for score in scores])
    within = [score.score_sd for score in scores if score.score_sd is not None]
    spread = float(values.std())
    known = len(within) == len(scores)
    return EnsembleScore(
        cosine=float(np.mean([score.cosine for score in scores])),
        score=float(values.mean()),
        score_sd=float(np.sqrt(np.mean(np.square(within)) + spread**2)) if known else None,
        spread=spread,
    )


class EnsembleScorer:
    """The members of an ensemble held open for scoring; `name` and `note` are what a report says of them."""

    def __init__(self, name: str, members: Sequence[Scorer]) -> None:
        self.name = name
        self.note = " ".join(dict.fromkeys(member.note for member in members if member.note))
        self.members = tuple(members)

    @property
    def judged(self) -> str:
        """As `Scorer.judged`; the score where a member is judged by it."""
        return max(member.judged for member in self.members)

    def score(self, audio: Path, caption: str) -> EnsembleScore:
        """Raises `modeling.audio.AudioError` where the clip cannot be heard."""
        return combine([member.score(audio, caption) for member in self.members])

    def score_all(
        self, audio: Sequence[Path], captions: Sequence[str], told: Told = lambda done, of: None
    ) -> list[Score | AudioError]:
        """As `Scorer.score_all`; `told` counts what all members have to embed."""
        found = [
            member.score_all(audio, captions, partial(_told_of_all, told, number, len(self.members)))
            for number, member in enumerate(self.members)
        ]
        return [_combine_all(of_pair) for of_pair in zip(*found, strict=True)]

    @property
    def sample_rate(self) -> int:
        """Of the first member; `score_samples` resamples for the others."""
        return self.members[0].sample_rate

    def score_samples(self, clips: Sequence[Samples], captions: Sequence[str]) -> list[Score]:
        """As `Scorer.score_samples`."""
        found = [
            member.score_samples([_at(clip, self.sample_rate, member.sample_rate) for clip in clips], captions)
            for member in self.members
        ]
        return [combine(of_pair) for of_pair in zip(*found, strict=True)]

    def forget(self, *, beyond: int) -> None:
        """As `Scorer.forget`."""
        for member in self.members:
            member.forget(beyond=beyond)


def _at(clip: Samples, rate: int, wanted: int) -> Samples:
    return clip if rate == wanted else heard(clip[:, None], rate, wanted, name="A clip")


def _told_of_all(told: Told, number: int, members: int, done: int, of: int) -> None:
    told(number * of + done, members * of)


def _combine_all(found: Sequence[Score | AudioError]) -> Score | AudioError:
    # A clip that one cannot hear none can: it is the file that is wrong.
    errors = [score for score in found if isinstance(score, AudioError)]
    return errors[0] if errors else combine([score for score in found if isinstance(score, Score)])


def open_scorer(model: str | Path, cache: KeptArrays = NOTHING_KEPT) -> Scorer | EnsembleScorer:
    """The scorer of a model, or of an ensemble's directory. Raises `ModelError`."""
    if not is_ensemble(model):
        return Scorer.open(model, cache)
    return EnsembleScorer(str(model), [Scorer.open(member, cache) for member in members(model)])


def is_ensemble(model: str | Path) -> bool:
    return (Path(model) / ENSEMBLE).is_file()


def members(model: str | Path) -> list[Path]:
    """The members' directories of an ensemble. Raises `ModelError` where `ensemble.json` names none that is there."""
    path = Path(model) / ENSEMBLE
    try:
        names = json.loads(path.read_text(encoding="utf-8"))["members"]
        wrong = [name for name in names if not _MEMBER.fullmatch(name)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} cannot be read as an ensemble's list of members: {error}") from error
    if wrong or len(names) < FEWEST:
        raise ModelError(f"{path} must name at least {FEWEST} members, each as member-1, member-2 and so on.")
    return [Path(model) / name for name in names]


def write_ensemble(out: Path, models: Sequence[Path]) -> None:
    """Copy the model directories into a new ensemble, which is complete or does not exist.

    Raises `ModelError` where `out` is there or cannot be written, there are fewer than two models, or one cannot be
    opened.
    """
    if out.exists():
        raise ModelError(f"{out} is there already; name another directory for the ensemble.")
    if len(models) < FEWEST:
        raise ModelError(f"An ensemble needs at least {FEWEST} models; you named {len(models)}.")
    for model in models:
        _refuse_no_member(model)
    learned = _learned(models)
    draft = out.with_name(f".{out.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    names = [f"member-{number}" for number in range(1, len(models) + 1)]
    try:
        for name, model in zip(names, models, strict=True):
            shutil.copytree(model, draft / name)
        if learned is not None:
            write_provenance(learned, draft)
        (draft / CARD).write_text(ensemble_card(names, {licence_of(str(model)).name for model in models}), "utf-8")
        write_json(draft / ENSEMBLE, {"members": names})
        draft.rename(out)
    except OSError as error:
        raise ModelError(f"{out} cannot be written: {error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _refuse_no_member(model: Path) -> None:
    if is_ensemble(model):
        raise ModelError(f"{model} is an ensemble itself; name its members instead.")
    if not model.is_dir():
        raise ModelError(f"{model} is no directory; an ensemble is made of tuned models' directories.")
    Scorer.open(model)


def _learned(models: Sequence[Path]) -> Provenance | None:
    """What the members have learned from, together; of snapshot and test the one that all share, or blank.

    Of a member that does not say what it learned from, only what its name tells.
    """
    known = [found for model in models if (found := read_provenance(model)) is not None]
    unlisted = {name for model in models if read_provenance(model) is None for name in data_sets_of_model(str(model))}
    if not known and not unlisted:
        return None
    return Provenance(
        snapshot_sha256=_shared(found.snapshot_sha256 for found in known),
        test=_shared(found.test for found in known),
        base_model=", ".join(dict.fromkeys(found.base_model for found in known)),
        data=_together(unlisted, *(found.data for found in known)),
        unlisted=_together(unlisted, *(found.unlisted for found in known)),
        clips=_together(*(found.clips for found in known)),
        captions=_together(*(found.captions for found in known)),
        complete=len(known) == len(models),
    )


def _shared(texts: Iterable[str]) -> str:
    found = set(texts)
    return found.pop() if len(found) == 1 else ""


def _together(*texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set().union(*texts)))
