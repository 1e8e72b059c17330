"""Scoring 2,000 pairs with a full-size CLAP of random weights, against what a user would write with transformers.

The reference reads its clips, and calls `ClapProcessor` and `ClapModel` for 8 pairs at a time. It is timed on 100 of
the pairs, and its pairs per second stand for all. Ours is timed cold, then with everything kept, then with the clips
kept and every caption new. Ratios are taken within a round; the medians of the rounds are printed.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor

from modeling.kept_arrays import KeptArrays
from modeling.loading import BUILTIN_DIR, BUILTIN_NAME, open_directory
from modeling.model import Clap
from modeling.scoring import Score, Scorer
from modeling.synthetic.captions import describe, random_scene

REFERENCE_PAIRS, REFERENCE_BATCH = 100, 8
LEAST_COLD, LEAST_KEPT, TOLERANCE = 3, 50, 1e-4
CACHE_BYTES = 10**10


@dataclass(frozen=True)
class Pairs:
    """Pairs of a table; `new_captions` are others for the same clips."""

    clips: list[Path]
    captions: list[str]
    new_captions: list[str]


def full_size_clap() -> Clap:
    """`ClapConfig()` at random, with the built-in model's tokenizer and LAION's front end."""
    torch.manual_seed(0)
    extractor = ClapFeatureExtractor(
        frequency_min=50, frequency_max=14_000, truncation="rand_trunc", padding="repeatpad"
    )
    tokenizer = open_directory(BUILTIN_DIR, BUILTIN_NAME).tokenizer
    return Clap(ClapModel(ClapConfig()).eval(), tokenizer, extractor, "a full-size CLAP of random weights")


def generate(folder: Path, n_pairs: int, n_clips: int, n_captions: int, seconds: float) -> Pairs:
    """Clips of `seconds` at 48 kHz, 16 bits; every clip and caption is used as often as any other, give or take one."""
    rng = np.random.default_rng(3)
    at = np.arange(round(48_000 * seconds)) / 48_000
    paths = [folder / f"{number}.wav" for number in range(n_clips)]
    for path in paths:
        tone = np.sin(2 * np.pi * rng.uniform(100, 4_000) * at * (1 + rng.uniform(0, 0.1) * at))
        soundfile.write(path, 0.3 * tone + rng.normal(0, rng.uniform(0.001, 0.1), len(at)), 48_000)
    captions: dict[str, None] = {}
    while len(captions) < 2 * n_captions:
        captions[describe(rng, random_scene(rng))] = None
    shuffled = list(captions)
    return Pairs(
        [paths[number % n_clips] for number in rng.permutation(n_pairs)],
        [shuffled[number % n_captions] for number in rng.permutation(n_pairs)],
        [shuffled[n_captions + number % n_captions] for number in rng.permutation(n_pairs)],
    )


def reference(clap: Clap, clips: Sequence[Path], captions: Sequence[str]) -> list[float]:
    """Cosines as a user of transformers gets them."""
    processor: Any = ClapProcessor(clap.extractor, clap.tokenizer)
    found: list[float] = []
    for start in range(0, len(clips), REFERENCE_BATCH):
        part = slice(start, start + REFERENCE_BATCH)
        audio = [soundfile.read(path, dtype="float32")[0] for path in clips[part]]
        inputs = processor(
            text=list(captions[part]), audio=audio, sampling_rate=48_000, return_tensors="pt", padding=True
        )
        with torch.inference_mode():
            out = clap.network(**inputs)
        found += (out.audio_embeds * out.text_embeds).sum(dim=-1).tolist()
    return found


def one_round(clap: Clap, pairs: Pairs, n_reference: int) -> dict[str, float]:
    """Pairs per second of each way, ratios to the reference, and the largest difference of a cosine."""
    start = time.perf_counter()
    theirs = reference(clap, pairs.clips[:n_reference], pairs.captions[:n_reference])
    speeds = {"reference": len(theirs) / (time.perf_counter() - start)}
    with tempfile.TemporaryDirectory() as folder:
        cache = KeptArrays(Path(folder), CACHE_BYTES)
        ways = {"cold": pairs.captions, "all kept": pairs.captions, "clips kept, captions new": pairs.new_captions}
        for way, captions in ways.items():
            start = time.perf_counter()
            scores = Scorer(clap, cache=cache).score_all(pairs.clips, captions)
            speeds[way] = len(scores) / (time.perf_counter() - start)
            if way == "cold":
                ours = [score.cosine for score in scores[: len(theirs)] if isinstance(score, Score)]
    ratios = {f"{way} / reference": speeds[way] / speeds["reference"] for way in ways}
    return speeds | ratios | {"largest difference": float(np.abs(np.subtract(ours, theirs)).max())}


def measure(clap: Clap, pairs: Pairs, *, n_reference: int, n_rounds: int) -> dict[str, float]:
    """Medians of the rounds' values, and the largest difference of them all."""
    rounds = [one_round(clap, pairs, n_reference) for _ in range(n_rounds)]
    found = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    return found | {"largest difference": max(one["largest difference"] for one in rounds)}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring_speed", description=__doc__)
    for name, default in (("pairs", 2_000), ("clips", 400), ("captions", 600), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args(arguments)
    clap = full_size_clap()
    with tempfile.TemporaryDirectory() as folder:
        pairs = generate(Path(folder), options.pairs, options.clips, options.captions, seconds=10)
        n_reference = min(REFERENCE_PAIRS, options.pairs)
        found = measure(clap, pairs, n_reference=n_reference, n_rounds=options.rounds)
    sys.stdout.write(
        f"{options.pairs:,} pairs of {options.clips:,} clips of 10 s and {options.captions:,} captions, "
        f"{torch.get_num_threads()} threads, medians of {options.rounds}\n"
    )
    for name, value in found.items():
        unit = "" if " / " in name or "difference" in name else " pairs/s"
        sys.stdout.write(f"  {name:<40} {value:10.3g}{unit}\n")
    held = [
        found["cold / reference"] >= LEAST_COLD,
        found["all kept / reference"] >= LEAST_KEPT,
        found["largest difference"] <= TOLERANCE,
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
