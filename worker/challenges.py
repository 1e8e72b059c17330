"""A newcomer beside the champion, on the held-out pairs that both were measured on; the registry stores it."""

from dataclasses import dataclass

from modeling import splits
from modeling.challenge import compare_srcc
from modeling.config import HEAD_POLICIES
from worker.models import Challenge, ModelScore, ModelVersion, Prediction, TrainingRun


@dataclass(frozen=True)
class _Pair:
    caption: str
    human: float
    champion: float
    challenger: float


def challenge_computed(*, version: ModelVersion, champion: ModelVersion | None) -> Challenge:
    """The comparison, unsaved. People's means are those of the challenger's snapshot, the newer one, for both."""
    pairs = _common_pairs(version.run, champion)
    found = compare_srcc(
        [pair.champion for pair in pairs],
        [pair.challenger for pair in pairs],
        [pair.human for pair in pairs],
        [pair.caption for pair in pairs],
    )
    return Challenge(
        challenger=version,
        champion=champion,
        heldout_set=version.run.snapshot.heldout_set if version.run.snapshot else None,
        n_pairs=len(pairs),
        champion_srcc=found.champion.value,
        challenger_srcc=found.challenger.value,
        difference=found.gain.value,
        low=found.gain.low,
        high=found.gain.high,
        verdict=found.verdict,
    )


def judged(row: Prediction, run: TrainingRun) -> float:
    """What a run's model is judged by: its cosine, or the score of a head, a tenth of it."""
    return row.tuned_score / 10 if _is_head(run) else row.tuned_cosine


def _common_pairs(run: TrainingRun, champion: ModelVersion | None) -> list[_Pair]:
    """The run's held-out pairs that the champion was measured on too, in the order of their keys.

    Where the held-out pairs have grown by a version since, what it was asked of the new ones later counts as well,
    unless it has learned from them.
    """
    ours = Prediction.objects.filter(run=run).select_related("pair__caption").order_by("pair_id")
    theirs = {row.pair_id: row.base_cosine for row in ours} if champion is None else _said_by(champion, run)
    return [
        _Pair(splits.fold_caption(row.pair.caption.text), row.human_mean, theirs[row.pair_id], judged(row, run))
        for row in ours
        if row.pair_id in theirs
    ]


def _said_by(champion: ModelVersion, run: TrainingRun) -> dict[int, float]:
    """What the champion says of held-out pairs, by their keys; of a pair it was measured on, what it said then."""
    is_head = _is_head(champion.run)
    later = ModelScore.objects.filter(version=champion, has_learned=False, pair__predictions__run=run)
    said = {row.pair_id: row.score / 10 if is_head else row.cosine for row in later}
    return said | {row.pair_id: judged(row, champion.run) for row in Prediction.objects.filter(run=champion.run)}


def _is_head(run: TrainingRun) -> bool:
    return run.config.get("policy") in HEAD_POLICIES
