"""Generated worlds under simulated raters as noisy as RELATE's, with the truth that the raters saw through noise."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import soundfile

from modeling.rows import RatingRow
from modeling.snapshot import read_snapshot, write_snapshot
from modeling.splits import HELDOUT, fold_caption
from modeling.synthetic import SAMPLE_RATE, generate_world, simulate_scores

TRUTH = "truth.json"
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
SALT = "recipe table"


def make_world(folder: Path, *, seed: int, n_captions: int) -> Path:
    """A snapshot of `n_captions` by four systems with 4 ratings a pair; the pairs' truth lies beside it."""
    snapshot = folder / "snapshot"
    if snapshot.exists():
        return snapshot
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    audio: dict[str, Path] = {}
    rows, truth = [], {}
    for number, stimulus in enumerate(generate_world(seed=seed, n_captions=n_captions)):
        path = folder / "clips" / f"{number}.wav"
        soundfile.write(path, stimulus.samples, SAMPLE_RATE)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        audio[sha256] = path
        truth[f"pair-{number:05d}"] = stimulus.true_score
        rows.append(
            RatingRow(
                rating="",
                rater="",
                pair=f"pair-{number:05d}",
                clip_sha256=sha256,
                caption=stimulus.caption,
                source_id=stimulus.source_id,
                system=stimulus.system,
                role="study",
                question="relevance",
                score=0,
                scale_min=0,
                scale_max=10,
            )  # fmt: skip
        )
    given = simulate_scores(list(truth.values()), seed=seed + 1_000)
    ratings = [
        replace(rows[one.pair], rating=f"rating-{number}", rater=f"rater-{one.rater}", score=one.score)
        for number, one in enumerate(given)
    ]
    (folder / TRUTH).write_text(json.dumps(truth))
    write(snapshot, ratings, audio)
    return snapshot


def with_fewer(snapshot_dir: Path, folder: Path, *, n_ratings: int, seed: int) -> Path:
    """The same held-out pairs, and of the others' ratings the first `n_ratings`, their captions in a random order."""
    snapshot = read_snapshot(snapshot_dir)
    learned = [row for row in snapshot.ratings if row.split != HELDOUT]
    if len(learned) < n_ratings:
        raise ValueError(f"The world has {len(learned)} ratings that are not held out, fewer than {n_ratings}.")
    captions = sorted({fold_caption(row.caption) for row in learned})
    place = {captions[at]: rank for rank, at in enumerate(np.random.default_rng(seed).permutation(len(captions)))}
    ordered = sorted(learned, key=lambda row: (place[fold_caption(row.caption)], row.pair))
    kept = {row.rating for row in ordered[:n_ratings]} | {r.rating for r in snapshot.ratings if r.split == HELDOUT}
    rows = [replace(row, split=None) for row in snapshot.ratings if row.rating in kept]
    write(folder, rows, {str(row.clip_sha256): snapshot.audio[str(row.clip_sha256)] for row in rows})
    return folder


def write(place: Path, ratings: Collection[RatingRow], audio: dict[str, Path]) -> None:
    write_snapshot(
        place, test="generated", ratings=list(ratings), audio=audio, scale_min=0, scale_max=10, salt=SALT,
        created=CREATED,
    )  # fmt: skip
