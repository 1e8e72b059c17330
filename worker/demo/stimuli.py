"""The demo's sounds: a generated world, written as a manifest and taken in through collection's own door."""

import csv
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import soundfile

from listening_tests.choices import PairRole
from modeling.synthetic import SAMPLE_RATE, Stimulus, generate_world
from modeling.synthetic.systems import SYSTEMS

# The built-in model learned on worlds of other seeds.
SEED = 20_260
COLUMNS = ("file", "caption", "system", "source_id", "role", "expected_min", "expected_max")
# Practice shows both ends of the scale: the recording with its own caption, and with one of something else.
PRACTICE_MATCHING = (8, 10)
PRACTICE_FOREIGN_CAPTION = "A choir sings in a large church"
PRACTICE_FOREIGN = (0, 2)
# A stimulus is known by its scene and by the system that performed it.
Truth = dict[tuple[str, str], float]


def stimuli_write(*, folder: Path, n_captions: int, on_progress: Callable[[str, int, int], None]) -> tuple[Path, Truth]:
    """Renders the sounds into `folder`. Returns the manifest and the true score of each study pair, on 0 to 10.

    `n_captions` captions, each performed by every system, and one more recording for practice. The truth is in no file
    and in no table: training sees ratings alone.
    """
    truth: Truth = {}
    total = n_captions * len(SYSTEMS) + 1
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(COLUMNS)
        for number, (role, stimulus) in enumerate(_stimuli(n_captions)):
            on_progress("Generating sounds", number, total)
            name = f"{stimulus.source_id}-{stimulus.system}.flac"
            soundfile.write(folder / name, stimulus.samples, SAMPLE_RATE, subtype="PCM_16")
            if role == PairRole.STUDY:
                rows.writerow([name, stimulus.caption, stimulus.system, stimulus.source_id, role, "", ""])
                truth[stimulus.source_id, stimulus.system] = stimulus.true_score
            else:
                told = (stimulus.system, stimulus.source_id, role)
                rows.writerow([name, stimulus.caption, *told, *PRACTICE_MATCHING])
                rows.writerow([name, PRACTICE_FOREIGN_CAPTION, *told, *PRACTICE_FOREIGN])
    on_progress("Generating sounds", total, total)
    return manifest, truth


def _stimuli(n_captions: int) -> Iterator[tuple[str, Stimulus]]:
    """Study stimuli, then one for practice: a clean recording of a caption of its own."""
    world = generate_world(seed=SEED, n_captions=n_captions + 1)
    for stimulus in itertools.islice(world, n_captions * len(SYSTEMS)):
        yield PairRole.STUDY, stimulus
    yield PairRole.PRACTICE, next(world)
