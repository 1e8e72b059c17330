"""Small worlds to train and score on: snapshots of generated clips, and a tiny random CLAP."""

import hashlib
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import soundfile

from modeling import training
from modeling.cache_place import cache_place, open_cache
from modeling.config import TrainingConfig
from modeling.rows import ComparedPair, ComparisonRow
from modeling.snapshot import RatingRow, SnapshotInfo, read_snapshot, write_snapshot
from modeling.splits import HeldoutVersion
from modeling.synthetic import SAMPLE_RATE, generate_world, simulate_comparisons, simulate_scores
from modeling.training import TrainingResult

CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def row(number: int = 0, **changes: object) -> RatingRow:
    """A rating by a rater of its own of a pair of its own, without audio unless changed."""
    values: dict[str, object] = {
        "rating": f"rating-{number}",
        "rater": f"rater-{number}",
        "pair": f"pair-{number}",
        "clip_sha256": None,
        "caption": f"Caption {number}",
        "source_id": None,
        "system": None,
        "role": "study",
        "question": "relevance",
        "score": 5,
        "scale_min": 0,
        "scale_max": 10,
    }
    return RatingRow(**(values | changes))  # type: ignore[arg-type]


def side(number: int = 0, **changes: object) -> ComparedPair:
    """One side of a comparison, a study pair of the caption "A dog", without audio unless changed."""
    values: dict[str, object] = {
        "pair": f"pair-{number}",
        "clip_sha256": None,
        "caption": "A dog",
        "source_id": None,
        "system": None,
        "role": "study",
    }
    return ComparedPair(**(values | changes))  # type: ignore[arg-type]


def comparison(number: int = 0, **changes: object) -> ComparisonRow:
    """A comparison by a rater of its own of two pairs of its own, the first preferred."""
    values: dict[str, object] = {
        "comparison": f"comparison-{number}",
        "rater": f"rater-{number}",
        "question": "preference",
        "choice": "first",
        "first": side(2 * number),
        "second": side(2 * number + 1),
    }
    return ComparisonRow(**(values | changes))  # type: ignore[arg-type]


def write_rows(
    directory: Path,
    rows: list[RatingRow],
    audio: dict[str, Path],
    salt: str = "salt",
    comparisons: Sequence[ComparisonRow] = (),
    heldout: HeldoutVersion | None = None,
) -> SnapshotInfo:
    return write_snapshot(
        directory, test="a test", ratings=rows, audio=audio, scale_min=0, scale_max=10, salt=salt, created=CREATED,
        comparisons=comparisons, heldout=heldout,
    )  # fmt: skip


def compared_world(directory: Path, rated: Path) -> SnapshotInfo:
    """The sounds of the rated snapshot compared instead, by simulated raters to whom its mean scores are the truth."""
    snapshot = read_snapshot(rated)
    scores: dict[str, list[float]] = {}
    for item in snapshot.ratings:
        scores.setdefault(item.pair, []).append(item.score)
    first = {item.pair: item for item in snapshot.ratings}
    names = [item.name for item in fields(ComparedPair)]
    sides = [ComparedPair(**{name: getattr(first[pair], name) for name in names}) for pair in scores]
    heard = simulate_comparisons(
        [sum(values) / len(values) for values in scores.values()], [item.caption for item in sides], seed=5
    )
    rows = [
        comparison(
            number,
            rater=f"rater-{item.rater}",
            choice=item.choice,
            first=sides[item.first],
            second=sides[item.second],
        )
        for number, item in enumerate(heard)
    ]
    return write_rows(directory, [], snapshot.audio, comparisons=rows)


def train(config: TrainingConfig, snapshot: Path, out: Path, **told: Any) -> TrainingResult:
    """`modeling.training.train` with the cache of this run of tests: log-mels are made once."""
    return training.train(config, snapshot, out, cache=open_cache(cache_place()), **told)


def few_pairs(rated: Path, directory: Path, **counts: int) -> Path:
    """The first pairs of each split of the rated snapshot, as many as `counts` says, as a snapshot of their own."""
    snapshot = read_snapshot(rated)
    split = {item.pair: str(item.split) for item in snapshot.ratings}
    chosen = {pair for part, n in counts.items() for pair in [name for name in split if split[name] == part][:n]}
    write_rows(directory, [item for item in snapshot.ratings if item.pair in chosen], snapshot.audio)
    return directory


def world_snapshot(folder: Path, *, n_captions: int, seed: int = 1, salt: str = "salt") -> SnapshotInfo:
    """A snapshot of a generated world in `folder / "snapshot"`, its originals in `folder / "clips"`."""
    (folder / "clips").mkdir(parents=True)
    stimuli = list(generate_world(seed=seed, n_captions=n_captions))
    audio: dict[str, Path] = {}
    clips = []
    for number, stimulus in enumerate(stimuli):
        path = folder / "clips" / f"{number}.wav"
        soundfile.write(path, stimulus.samples, SAMPLE_RATE)
        clips.append(hashlib.sha256(path.read_bytes()).hexdigest())
        audio[clips[-1]] = path
    scores = simulate_scores([stimulus.true_score for stimulus in stimuli], seed=seed + 1)
    rows = [
        row(
            number,
            rater=f"rater-{score.rater}",
            pair=f"pair-{score.pair:05d}",
            clip_sha256=clips[score.pair],
            caption=stimuli[score.pair].caption,
            source_id=stimuli[score.pair].source_id,
            system=stimuli[score.pair].system,
            score=score.score,
        )
        for number, score in enumerate(scores)
    ]
    return write_rows(folder / "snapshot", rows, audio, salt)
