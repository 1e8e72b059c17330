"""Tuning against what a user would write with transformers (`usual_training`), here and now, one after the other.

To the same SRCC: the built-in CLAP on generated worlds, by `modeling.training.train` from the snapshot to the report,
and by a full fine-tune at the preset's rates on the same losses. The reference is timed on 100 pairs, in training and
in scoring, and scaled to what such a run does up to the epoch that the validation pairs choose: its training pairs each
epoch, the validation pairs after each, the held-out pairs before and after. Its SRCC is that of this epoch. Told are
the median of the worlds' ratios, and the mean SRCC of both.

At full size: steps of a random `ClapConfig()` of which all weights are tuned, on pairs that share clips; each side in a
process of its own, whose greatest memory is told.

Fails where tuning is less than 10 times as fast or ends at a lower SRCC by more than a hundredth, where steps are less
than 1.5 times as fast, or where they take more memory.
"""

import argparse
import hashlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor

from benchmarks import usual_training
from benchmarks.usual_training import ScoredPair
from modeling import checkpoint, metrics, splits
from modeling.audio import load
from modeling.config import PRESETS, TrainingConfig, override
from modeling.dataset import PairSet, pair_set
from modeling.embeddings import pair_cosines, read_mels
from modeling.loading import BUILTIN_DIR, BUILTIN_NAME, open_directory, quieten_transformers
from modeling.model import Clap
from modeling.snapshot import RatingRow, Snapshot, read_snapshot, write_snapshot
from modeling.synthetic import SAMPLE_RATE, generate_world, simulate_scores
from modeling.synthetic.captions import describe, random_scene
from modeling.targets import flatten
from modeling.training import train
from modeling.training.batches import epoch_batches
from modeling.training.gradient import take_gradient
from modeling.training.material import Material
from modeling.training.optimiser import new_optimiser, set_rates, take_step
from modeling.training.policies import choose_tuned, tuned_parameters
from modeling.training.towers import WholeTowers

TIMED_PAIRS = 100
LEAST_SPEEDUP, LEAST_STEP_SPEEDUP, SRCC_TOLERANCE = 10.0, 1.5, 0.01
CAPTIONS_A_CLIP = 5
REFERENCE_EPOCHS = 10
# Chosen on worlds 21 to 23, where batches of 8 at the preset's rates end at the same SRCC and take a fifth longer.
OURS = '{"policy": "last-stages", "epochs": 5, "batch_size": 16, "learning_rate": 2e-3, "tower_learning_rate": 4e-4}'


def main() -> int:
    options = _options()
    quieten_transformers()
    torch.set_num_threads(options.threads)
    if options.side:
        _say(json.dumps(_full_size_steps(options.side, options.steps, options.clips)))
        return 0
    fine = [] if options.only == "full" else [_to_the_same_srcc(options)]
    fine += [] if options.only == "srcc" else [_at_full_size(options)]
    return 0 if all(fine) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_speed")
    parser.add_argument("--only", choices=("srcc", "full"), help="one of the two parts")
    parser.add_argument("--captions", type=int, default=300, help="of the generated world, each by four systems")
    parser.add_argument("--config", default=OURS, help="JSON laid over the small preset")
    parser.add_argument("--seed", type=int, default=11, help="of the first world")
    parser.add_argument("--worlds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20, help="at full size")
    parser.add_argument("--clips", type=int, default=40, help="at full size, each with five captions")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--side", choices=("ours", "usual"), help="steps at full size of one side alone, as JSON")
    return parser.parse_args()


@dataclass(frozen=True)
class Race:
    """Both sides on one world: seconds, and the held-out SRCC that they end at."""

    usual_s: float
    usual_srcc: float
    ours_s: float
    ours_srcc: float


def _to_the_same_srcc(options: argparse.Namespace) -> bool:
    races = [_race(options, options.seed + number) for number in range(options.worlds)]
    speedup = statistics.median(race.usual_s / race.ours_s for race in races)
    usual, ours = (
        statistics.mean(values) for values in zip(*((r.usual_srcc, r.ours_srcc) for r in races), strict=True)
    )
    _say(f"  {speedup:.1f} times as fast (median), SRCC {ours:.3f} against {usual:.3f} (means)")
    return speedup >= LEAST_SPEEDUP and ours >= usual - SRCC_TOLERANCE


def _race(options: argparse.Namespace, seed: int) -> Race:
    config = override(PRESETS["small"], {"cpu_threads": options.threads} | json.loads(options.config))
    with tempfile.TemporaryDirectory(prefix="ems-") as folder:
        snapshot = generated_snapshot(Path(folder), options.captions, seed)
        started = time.perf_counter()
        result = train(config, Path(folder) / "snapshot", Path(folder) / "out")
        ours = time.perf_counter() - started
        train_s, score_s, epoch, srcc = _usual_run(snapshot, PRESETS["small"])
    measured = result.n_validation * epoch + 2 * result.n_heldout
    race = Race(
        train_s * result.n_train * epoch + score_s * measured, srcc, ours, float(result.tuned["srcc"].value or 0)
    )
    _say(
        f"to the same SRCC, world {seed}: {result.n_train} pairs, {result.n_heldout} held out, {options.threads} "
        f"threads\n"
        f"  usual: SRCC {srcc:.3f} after {epoch} epochs, {1000 * train_s:.0f} ms a pair in training and "
        f"{1000 * score_s:.0f} in scoring, {race.usual_s:.0f} s\n"
        f"  ours:  SRCC {race.ours_srcc:.3f} after {result.epochs_run} epochs, {ours:.1f} s: "
        f"{race.usual_s / ours:.1f} times as fast"
    )
    return race


def generated_snapshot(folder: Path, n_captions: int, seed: int) -> Snapshot:
    """A world by four systems, each pair rated four times, as the demo."""
    stimuli = list(generate_world(seed=seed, n_captions=n_captions))
    names, audio = [], {}
    for number, stimulus in enumerate(stimuli):
        path = folder / f"{number}.wav"
        soundfile.write(path, stimulus.samples, SAMPLE_RATE)
        names.append(_sha256(path))
        audio[names[-1]] = path
    rows = [
        RatingRow(
            rating=f"rating-{number}", rater=f"rater-{score.rater}", pair=f"pair-{score.pair:05d}",
            clip_sha256=names[score.pair], caption=stimuli[score.pair].caption,
            source_id=stimuli[score.pair].source_id, system=stimuli[score.pair].system, role="study",
            question="relevance", score=score.score, scale_min=0, scale_max=10,
        )
        for number, score in enumerate(simulate_scores([item.true_score for item in stimuli], seed=seed + 1))
    ]  # fmt: skip
    place = folder / "snapshot"
    write_snapshot(
        place,
        test="speed",
        ratings=rows,
        audio=audio,
        scale_min=0,
        scale_max=10,
        salt="salt",
        created=datetime.now(UTC),
    )
    return read_snapshot(place)


def _usual_run(snapshot: Snapshot, config: TrainingConfig) -> tuple[float, float, int, float]:
    """Seconds a pair in training and in scoring; the epoch that validation chooses, and its SRCC on held-out pairs."""
    clap = open_directory(BUILTIN_DIR, BUILTIN_NAME)
    pairs = pair_set(snapshot)
    scored = [_scored(snapshot, pairs, number) for number in pairs.where(splits.TRAIN)]
    processor = ClapProcessor(clap.extractor, clap.tokenizer)
    optimiser = torch.optim.AdamW(clap.network.parameters(), lr=config.tower_learning_rate)
    mels = read_mels(clap, snapshot, pairs.clips)
    found: list[tuple[float, int, float]] = []

    def measure(epoch: int) -> None:
        cosines = pair_cosines(clap, pairs.clip, pairs.captions, mels)
        chosen, heldout = (
            metrics.srcc(cosines[numbers], pairs.human_mean[numbers])
            for numbers in (pairs.where(splits.VALIDATION), pairs.where(splits.HELDOUT))
        )
        found.append((float(chosen or 0), -epoch, float(heldout or 0)))

    usual_training.run_epochs(clap.network, processor, optimiser, scored, config.losses, REFERENCE_EPOCHS, measure)
    batches = usual_training.shuffled_batches(scored[:TIMED_PAIRS], 0)
    scoring = usual_training.scoring_seconds(clap.network, processor, batches)
    seconds = usual_training.timed_steps(clap.network, processor, optimiser, batches, config.losses)
    _, epoch, srcc = max(found)
    n_timed = len(scored[:TIMED_PAIRS])
    return sum(seconds) / n_timed, scoring / n_timed, -epoch, srcc


def _scored(snapshot: Snapshot, pairs: PairSet, number: int) -> ScoredPair:
    return ScoredPair(
        path=snapshot.audio[pairs.clips[pairs.clip[number]]],
        caption=pairs.captions[number],
        clip=int(pairs.clip[number]),
        caption_number=pairs.captions.index(pairs.captions[number]),
        target=float(pairs.target[number]) / 10,
    )


def _at_full_size(options: argparse.Namespace) -> bool:
    found = {side: _in_a_process(side, options) for side in ("usual", "ours")}
    for side, values in found.items():
        _say(
            f"at full size, {side}: {values['pairs_per_second']:.2f} pairs a second (median of {options.steps} steps "
            f"of {usual_training.BATCH_SIZE} pairs), at most {values['gigabytes']:.2f} GB"
        )
    ratio = found["ours"]["pairs_per_second"] / found["usual"]["pairs_per_second"]
    _say(f"  {ratio:.1f} times as fast")
    return ratio >= LEAST_STEP_SPEEDUP and found["ours"]["gigabytes"] <= found["usual"]["gigabytes"]


def _in_a_process(side: str, options: argparse.Namespace) -> dict[str, float]:
    words = ("--side", side, "--steps", options.steps, "--clips", options.clips, "--threads", options.threads)
    command = [sys.executable, "-m", "benchmarks.training_speed", *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 -- our own words
    values: dict[str, float] = json.loads(done.stdout)
    return values


def _full_size_steps(side: str, n_steps: int, n_clips: int) -> dict[str, float]:
    """Steps of a random full-size CLAP on clips of 10 s of noise with five captions each."""
    torch.manual_seed(0)
    builtin = open_directory(BUILTIN_DIR, BUILTIN_NAME)
    extractor = ClapFeatureExtractor(truncation="rand_trunc", padding="repeatpad")
    clap = Clap(ClapModel(ClapConfig()).eval(), builtin.tokenizer, extractor, "random")
    with tempfile.TemporaryDirectory(prefix="ems-") as folder:
        pairs = _noise_pairs(Path(folder), n_clips)
        seconds = _usual_steps(clap, pairs, n_steps) if side == "usual" else _our_steps(clap, pairs, n_steps)
    return {
        "pairs_per_second": usual_training.BATCH_SIZE / statistics.median(seconds),
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
    }


def _noise_pairs(folder: Path, n_clips: int) -> list[ScoredPair]:
    rng = np.random.default_rng(0)
    captions = [describe(rng, random_scene(rng)) for _ in range(n_clips)]
    pairs = []
    for clip in range(n_clips):
        path = folder / f"{clip}.wav"
        soundfile.write(path, rng.uniform(-0.5, 0.5, 480_000), 48_000)
        for number in range(CAPTIONS_A_CLIP):
            caption = (clip + number) % n_clips
            pairs.append(ScoredPair(path, captions[caption], clip, caption, float(rng.uniform())))
    return pairs


def _usual_steps(clap: Clap, pairs: list[ScoredPair], n_steps: int) -> list[float]:
    optimiser = torch.optim.AdamW(clap.network.parameters(), lr=1e-5)
    batches = usual_training.shuffled_batches(pairs, 0)[:n_steps]
    processor = ClapProcessor(clap.extractor, clap.tokenizer)
    return usual_training.timed_steps(clap.network, processor, optimiser, batches, TrainingConfig().losses)


def _our_steps(clap: Clap, pairs: list[ScoredPair], n_steps: int) -> list[float]:
    """A clip's log-mel is made when a batch first needs it, and its time counts there."""
    config = TrainingConfig(batch_size=usual_training.BATCH_SIZE)
    choose_tuned(clap.network, config)
    best = checkpoint.copy_of(tuned_parameters(clap.network))
    mels = _MelsOnDemand(clap, {pair.clip: pair.path for pair in pairs})
    material = Material.of(clap, _pair_set(pairs), mels)
    towers, optimiser = WholeTowers(clap, material), new_optimiser(clap.network, config)
    everything, seconds = np.arange(len(pairs)), []
    for step, numbers in enumerate(epoch_batches(everything, material.pairs.clip, config.batch_size, 0, 0)[:n_steps]):
        started = time.perf_counter()
        set_rates(optimiser, config, step, n_steps)
        take_gradient(clap, towers, material, numbers, config.losses)
        take_step(optimiser)
        seconds.append(time.perf_counter() - started)
    return seconds if best else []


class _MelsOnDemand(Sequence[torch.Tensor]):
    """Log-mels of clips, each made once."""

    def __init__(self, clap: Clap, paths: dict[int, Path]) -> None:
        self.clap, self.paths, self.made = clap, paths, dict[int, torch.Tensor]()

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, clip: Any) -> Any:
        if clip not in self.made:
            self.made[clip] = self.clap.log_mel(load(self.paths[clip], self.clap.sample_rate))
        return self.made[clip]


def _pair_set(pairs: list[ScoredPair]) -> PairSet:
    targets = np.array([10 * pair.target for pair in pairs])
    return PairSet(
        question="", pairs=tuple(str(number) for number in range(len(pairs))),
        captions=tuple(pair.caption for pair in pairs), systems=("",) * len(pairs),
        clips=tuple(sorted({str(pair.path) for pair in pairs})),
        clip=np.array([pair.clip for pair in pairs]), split=np.full(len(pairs), splits.TRAIN), target=targets,
        human_mean=targets, n_ratings=np.ones(len(pairs), dtype=np.int64), ratings=flatten([]),
    )  # fmt: skip


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
