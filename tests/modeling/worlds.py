"""Small worlds to train and score on: snapshots of generated clips, and a tiny random CLAP."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import soundfile

from modeling.snapshot import RatingRow, SnapshotInfo, write_snapshot
from modeling.synthetic import SAMPLE_RATE, generate_world, simulate_scores

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


def write_rows(directory: Path, rows: list[RatingRow], audio: dict[str, Path], salt: str = "salt") -> SnapshotInfo:
    return write_snapshot(
        directory, test="a test", ratings=rows, audio=audio, scale_min=0, scale_max=10, salt=salt, created=CREATED
    )


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
