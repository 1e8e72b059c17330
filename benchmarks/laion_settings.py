"""Models with the settings of LAION's and random weights: opened, tuned for one step, exported, scored, each at full
size.

Fails where plain transformers does not open what was exported, or gives another cosine than Earmark.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor

from modeling.audio import load
from modeling.config import TrainingConfig
from modeling.loading import BUILTIN_DIR, BUILTIN_NAME, open_directory, quieten_transformers
from modeling.model import Clap
from modeling.scoring import Scorer
from modeling.snapshot import RatingRow, read_snapshot, write_snapshot
from modeling.synthetic import SAMPLE_RATE, generate_world, simulate_scores
from modeling.training import train

# As in LAION's configurations: HTSAT-tiny with and without fusion, and HTSAT-base, which larger_clap_general has.
FUSED = {"enable_fusion": True, "fusion_type": "aff_2d"}
LARGER = {"hidden_size": 1024, "patch_embeds_hidden_size": 128, "depths": [2, 2, 12, 2]}
AUDIO: dict[str, dict[str, Any]] = {"clap-htsat-unfused": {}, "clap-htsat-fused": FUSED, "larger_clap_general": LARGER}
HELDOUT_CAPTIONS, CAPTIONS = 8, 11
TOLERANCE = 1e-4


def random_model(directory: Path, audio: dict[str, Any]) -> None:
    torch.manual_seed(1)
    fused = bool(audio.get("enable_fusion"))
    extractor = ClapFeatureExtractor(
        frequency_min=50, frequency_max=14_000, truncation="fusion" if fused else "rand_trunc", padding="repeatpad"
    )
    network = ClapModel(ClapConfig(audio_config=audio))
    Clap(network.eval(), open_directory(BUILTIN_DIR, BUILTIN_NAME).tokenizer, extractor, "").save(directory)


def small_snapshot(folder: Path) -> Path:
    """32 held-out and 12 training pairs, one batch."""
    stimuli = list(generate_world(seed=3, n_captions=CAPTIONS))
    rows, audio = [], {}
    for score in simulate_scores([item.true_score for item in stimuli], seed=4, ratings_per_pair=2):
        item, path = stimuli[score.pair], folder / f"{score.pair}.wav"
        if not path.exists():
            soundfile.write(path, item.samples, SAMPLE_RATE)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        audio[sha256] = path
        rows.append(
            RatingRow(
                rating=str(len(rows)),
                rater=str(score.rater),
                pair=f"{score.pair:03d}",
                clip_sha256=sha256,
                caption=item.caption,
                source_id=item.source_id,
                system=item.system,
                role="study",
                question="relevance",
                score=score.score,
                scale_min=0,
                scale_max=10,
                split="heldout" if score.pair < 4 * HELDOUT_CAPTIONS else "train",
            )
        )
    write_snapshot(
        folder / "snapshot", test="generated", ratings=rows, audio=audio, scale_min=0, scale_max=10, salt="",
        created=datetime.now(UTC), is_simulated=True,
    )  # fmt: skip
    return folder / "snapshot"


def plain_cosine(directory: Path, samples: np.ndarray, caption: str) -> float:
    model, processor = ClapModel.from_pretrained(directory).eval(), ClapProcessor.from_pretrained(directory)
    inputs = processor(text=[caption], audio=samples, sampling_rate=SAMPLE_RATE, return_tensors="pt")
    with torch.inference_mode():
        found = model(**inputs)
    return float((found.audio_embeds * found.text_embeds).sum())


def walk(name: str, snapshot_dir: Path, folder: Path) -> bool:
    start = time.perf_counter()
    random_model(folder / name, AUDIO[name])
    opened = open_directory(folder / name, name)
    weights = sum(value.numel() for value in opened.network.parameters())
    del opened
    config = TrainingConfig(model=str(folder / name), epochs=1, batch_size=12)
    result = train(config, snapshot_dir, folder / f"{name}-out")
    moved = max(abs(pair.base_cosine - pair.tuned_cosine) for pair in result.predictions)
    snapshot = read_snapshot(snapshot_dir)
    rated = snapshot.ratings[0]
    clip = snapshot.audio[str(rated.clip_sha256)]
    ours = Scorer.open(result.model_dir).score(clip, rated.caption)
    theirs = plain_cosine(result.model_dir, load(clip, SAMPLE_RATE), rated.caption)
    apart = abs(ours.cosine - theirs)
    sys.stdout.write(
        f"{name}: {weights / 1e6:.0f} million weights; one step moved a cosine by up to {moved:.4f}; plain "
        f"transformers gives the same cosine within {apart:.1e}; score {ours.score:.2f}; "
        f"{time.perf_counter() - start:.0f} s\n"
    )
    sys.stdout.flush()
    return moved > 0 and apart < TOLERANCE


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(AUDIO)} (default: all)")
    names = parser.parse_args().names or list(AUDIO)
    quieten_transformers()
    with tempfile.TemporaryDirectory(prefix="eml-") as folder:
        snapshot_dir = small_snapshot(Path(folder))
        passed = [walk(name, snapshot_dir, Path(folder)) for name in names]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
