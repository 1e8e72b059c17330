"""Generated sounds and simulated ratings in the layout of RELATE's relevance scores (arXiv 2506.23582): a stand-in.

Of the real set it has the columns, the folders, the traps (`audio type` says audioldm of AudioLDM2; anchors carry the
label of a split; three mismatched anchors a listener; a fifth of the listeners excluded) and the noise of a rating. It
has none of its sounds, captions or scores.
"""

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from modeling.synthetic import SAMPLE_RATE, Stimulus, generate_world, simulate_scores

COLUMNS = (
    *("wavname", "text", "score", "listener_id", "audio type", "anchor label"),
    *("in AudioCaps", "in RELATE dataset"),
)
# By the place of a generated system: the folder of a sound, and what `audio type` says of it.
SYSTEMS = (("audiocaps", "natural"), ("audioldm2", "audioldm"), ("tango", "tango"), ("tango2", "tango"))
SPLITS = ("train", "validation", "test")
SHARES = (0.65, 0.1, 0.25)
EXCLUDED_SHARE = 0.2
ANCHORS = 3
FIRST_LISTENER = 10_000


def write_stand_in(folder: Path, *, n_captions: int, ratings_per_pair: int = 4, seed: int = 6) -> tuple[Path, Path]:
    """Writes `REL.csv` and `audio.zip` into `folder`, and returns their paths."""
    rng = np.random.default_rng(seed)
    names: list[str] = []
    stimuli: list[Stimulus] = []
    with zipfile.ZipFile(folder / "audio.zip", "w") as archive:
        for number, stimulus in enumerate(generate_world(seed=seed, n_captions=n_captions)):
            names.append(f"/{SYSTEMS[number % len(SYSTEMS)][0]}/test/{100_000 + number // len(SYSTEMS)}.wav")
            # The sounds lie in a folder of the archive.
            archive.writestr(f"relate_audio{names[-1]}", _wav(stimulus))
            stimuli.append(stimulus)
    split_of = {
        caption: str(rng.choice(SPLITS, p=SHARES)) for caption in dict.fromkeys(item.caption for item in stimuli)
    }
    with (folder / "REL.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_rows(rng, stimuli, names, split_of, ratings_per_pair))
    return folder / "REL.csv", folder / "audio.zip"


def _wav(stimulus: Stimulus) -> bytes:
    sound = io.BytesIO()
    soundfile.write(sound, stimulus.samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return sound.getvalue()


def _rows(
    rng: np.random.Generator, stimuli: list[Stimulus], names: list[str], split_of: dict[str, str], ratings_per_pair: int
) -> Iterator[tuple[object, ...]]:
    scores = simulate_scores(
        [item.true_score for item in stimuli], seed=int(rng.integers(2**31)), ratings_per_pair=ratings_per_pair
    )
    listeners = sorted({score.rater for score in scores})
    left_out = set(rng.choice(listeners, round(EXCLUDED_SHARE * len(listeners)), replace=False).tolist())
    for score in scores:
        caption = stimuli[score.pair].caption
        split = "excluded" if score.rater in left_out else split_of[caption]
        yield _row(names[score.pair], caption, score.score, score.rater, anchor=False, split=split)
    for listener in listeners:
        for number in rng.choice(len(stimuli), ANCHORS, replace=False):
            other = stimuli[(number + len(SYSTEMS)) % len(stimuli)].caption
            given = int(rng.integers(0, 8 if listener in left_out else 2))
            yield _row(names[number], other, given, listener, anchor=True, split=split_of[other])


def _row(name: str, caption: str, score: int, listener: int, *, anchor: bool, split: str) -> tuple[object, ...]:
    kind = dict(SYSTEMS)[name.split("/")[1]]
    return (name, caption, score, FIRST_LISTENER + listener, kind, anchor, "test", split)
