"""Embeddings of clips and captions: each distinct one is made once, on all cores, and kept between runs.

A clip is known by its content (sha256), so that two files with the same sound are one. Its log-mel is kept by the front
end's settings, its embedding by the model's fingerprint: with new weights, only the towers run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from modeling.audio import AudioError, Samples, load
from modeling.backbone import Backbone, Embeddings
from modeling.cores import on_all_cores
from modeling.kept_arrays import KeptArrays
from modeling.loading import ModelError
from modeling.metrics import Floats
from modeling.model import GPU_WINDOWS, Clap
from modeling.results import TrainingRefused
from modeling.snapshot import Snapshot

Tick = Callable[[], None]
# Of a clip by its number; None where it must go through the whole tower.
Shortcut = Callable[[int], Embeddings | None]
NOTHING_KEPT = KeptArrays(None, 0)
# Captions that go to an encoder in one call, sorted by length; between two calls progress is told.
CAPTIONS_AT_ONCE = 512


@dataclass(frozen=True)
class Clip:
    """A sound file and the sha256 of its bytes."""

    path: Path
    sha256: str


@dataclass(frozen=True)
class Keeping:
    """Where one model's embeddings are kept, and log-mels. A blank fingerprint keeps no embedding."""

    cache: KeptArrays = NOTHING_KEPT
    fingerprint: str = ""

    @classmethod
    def of(cls, backbone: Backbone, cache: KeptArrays) -> Keeping:
        """Looks at all weights, so that no embedding of others is taken for theirs."""
        return cls(cache, backbone.fingerprint() if cache.directory is not None else "")

    def keys(self, what: str, names: Sequence[str]) -> list[str]:
        """A key for each clip or caption; blank ones where nothing is to be kept."""
        return [f"{what} {self.fingerprint} {name}" if self.fingerprint else "" for name in names]


NO_KEEPING = Keeping()


def read_mels(
    clap: Clap, snapshot: Snapshot, clips: Sequence[str], tick: Tick = lambda: None, cache: KeptArrays = NOTHING_KEPT
) -> list[torch.Tensor]:
    """Log-mel windows of each clip, in `clips`' order. Raises `TrainingRefused` naming a bad clip.

    Those that are kept lie in the cache's files and are read from there as they are needed.
    """
    mels = []
    with closing(on_all_cores(lambda sha256: _mel(clap, Clip(snapshot.audio[sha256], sha256), cache), clips)) as found:
        try:
            for mel in found:
                mels.append(mel)
                tick()
        except AudioError as error:
            raise TrainingRefused(f"A clip of the snapshot cannot be used: {error}") from error
    return mels


def pair_cosines(
    clap: Clap,
    clip: npt.NDArray[np.int64],
    captions: Sequence[str],
    mels: Sequence[torch.Tensor],
    tick: Tick = lambda: None,
    cache: KeptArrays = NOTHING_KEPT,
    names: Sequence[str] = (),
    shortcut: Shortcut | None = None,
) -> Floats:
    """Cosine of every pair; `clip` numbers its clip among `mels`. Each distinct clip and caption is embedded once.

    `names` are the clips' sha256, where their embeddings are to be kept. `shortcut` may know a clip's embedding by
    another way than the whole tower, equal but for rounding; it is not kept then.
    """
    keeping = Keeping.of(clap, cache)
    keys = keeping.keys("sound", names) if names else [""] * len(mels)
    sounds = []
    if clap.on_cpu:
        made = _sounds_in_threads(clap, keys, lambda number: mels[number], cache, shortcut)
    else:
        made = _sounds_in_groups(clap, keys, lambda number: mels[number], cache)
    with closing(made) as found:
        for number, sound in enumerate(found):
            try:
                sounds.append(_heard(clap, sound))
            except ModelError as error:
                raise ModelError(f"{error} So it is with the clip {names[number] if names else number}.") from error
            tick()
    return cosine(np.stack(sounds)[clip], _texts(clap, captions, keeping))


def snapshot_embeddings(
    backbone: Backbone,
    snapshot: Snapshot,
    clips: Sequence[str],
    clip: npt.NDArray[np.int64],
    captions: Sequence[str],
    tick: Tick = lambda: None,
    cache: KeptArrays = NOTHING_KEPT,
) -> tuple[Floats, Floats]:
    """Unit embeddings of every pair's clip and caption, each of shape (pairs, dim).

    `clip` numbers a pair's clip among `clips`, given by sha256. `tick` is called once a clip. Raises `TrainingRefused`
    naming a bad clip.
    """
    sounds = []
    keeping = Keeping.of(backbone, cache)
    for sound in clip_embeddings(backbone, [Clip(snapshot.audio[name], name) for name in clips], keeping, tick):
        if isinstance(sound, AudioError):
            raise TrainingRefused(f"A clip of the snapshot cannot be used: {sound}")
        sounds.append(sound)
    return np.stack(sounds)[clip], _texts(backbone, captions, keeping)


def clip_embeddings(
    backbone: Backbone, clips: Sequence[Clip], keeping: Keeping = NO_KEEPING, tick: Tick = lambda: None
) -> list[Floats | AudioError]:
    """Unit embedding of each clip, shape (dim,), float64, or why it has none. `tick` is called once a clip."""

    def hear(number: int) -> Any:
        if isinstance(backbone, Clap):
            return _mel(backbone, clips[number], keeping.cache)
        return load(clips[number].path, backbone.sample_rate)

    found: list[Floats | AudioError] = []
    keys = keeping.keys("sound", [clip.sha256 for clip in clips])
    with closing(_sounds(backbone, keys, hear, keeping.cache)) as sounds:
        for clip, sound in zip(clips, sounds, strict=True):
            try:
                found.append(_heard(backbone, sound))
            except AudioError as error:
                found.append(error)
            except ModelError as error:
                found.append(AudioError(f"{clip.path}: {error}"))
            tick()
    return found


def sample_embeddings(backbone: Backbone, clips: Sequence[Samples]) -> list[Floats]:
    """Unit embedding of each clip given as samples at the model's rate, as `clip_embeddings` makes of its file.

    Raises `ModelError` where a clip has none.
    """
    made = _checked(backbone, backbone.encode_audio(list(clips)), len(clips), "clips") if clips else ()
    return [_unit(backbone, embedded) for embedded in made]


def caption_embeddings(
    backbone: Backbone, captions: Sequence[str], keeping: Keeping = NO_KEEPING, tick: Tick = lambda: None
) -> Floats:
    """Unit embeddings, shape (captions, dim), float64. `tick` is called once a caption."""
    if not captions:
        return np.empty((0, 0))
    keys = keeping.keys("text", captions)
    found: list[Any] = [_found(keeping.cache, key) for key in keys]
    missing = sorted((n for n, value in enumerate(found) if value is None), key=lambda n: len(captions[n]))
    for start in range(0, len(missing), CAPTIONS_AT_ONCE):
        part = missing[start : start + CAPTIONS_AT_ONCE]
        made = _checked(backbone, backbone.encode_text([captions[n] for n in part]), len(part), "captions")
        for number, embedded in zip(part, made, strict=True):
            found[number] = _put(keeping.cache, keys[number], embedded)
            tick()
    for _ in range(len(captions) - len(missing)):
        tick()
    return np.stack([_unit(backbone, value) for value in found])


def cosine(sounds: Floats, texts: Floats) -> Floats:
    """Of unit embeddings along the last axis: one dot product each, whose bits do not depend on how many there are."""
    return np.asarray(np.clip(np.vecdot(sounds, texts), -1, 1))


Sounds = Generator[Embeddings | AudioError, None, None]


def _sounds(backbone: Backbone, keys: Sequence[str], hear: Callable[[int], Any], cache: KeptArrays) -> Sounds:
    """The embedding kept under each key, or what the model makes of what `hear` gives for the key's number."""
    if isinstance(backbone, Clap) and backbone.on_cpu:
        return _sounds_in_threads(backbone, keys, hear, cache)
    return _sounds_in_groups(backbone, keys, hear, cache)


def _sounds_in_threads(
    clap: Clap, keys: Sequence[str], hear: Callable[[int], Any], cache: KeptArrays, shortcut: Shortcut | None = None
) -> Sounds:
    """A thread hears the clips of a pass and takes them through the tower, while others are at other clips."""

    def known(number: int) -> Embeddings | None:
        short = shortcut(number) if shortcut else None
        return short if short is not None else _found(cache, keys[number])

    def work(numbers: range) -> list[Embeddings | AudioError]:
        met = [_met(number, known, hear) for number in numbers]
        heard = [sound for found, sound in met if found is None]
        made = iter(clap.encode_mels(heard) if heard else ())
        return [
            found if found is not None else _put(cache, keys[number], next(made))
            for number, (found, _) in zip(numbers, met, strict=True)
        ]

    with closing(on_all_cores(work, _groups(len(keys), clap.windows_at_once))) as results:
        for group in results:
            yield from group


def _sounds_in_groups(backbone: Backbone, keys: Sequence[str], hear: Callable[[int], Any], cache: KeptArrays) -> Sounds:
    """Threads hear, and this one embeds what they heard, many clips at once."""

    def known(number: int) -> Embeddings | None:
        return _found(cache, keys[number])

    with closing(on_all_cores(lambda number: _met(number, known, hear), range(len(keys)))) as results:
        for numbers in _groups(len(keys), GPU_WINDOWS):
            met = list(islice(results, len(numbers)))
            made = iter(_encoded(backbone, [sound for found, sound in met if found is None]))
            for number, (found, _) in zip(numbers, met, strict=True):
                yield found if found is not None else _put(cache, keys[number], next(made))


def _groups(count: int, at_once: int) -> list[range]:
    return [range(count)[start : start + at_once] for start in range(0, count, at_once)]


def _met(
    number: int, known: Callable[[int], Embeddings | None], hear: Callable[[int], Any]
) -> tuple[Embeddings | AudioError | None, Any]:
    """What is known of a clip, or why it has no embedding; else None, and what was heard."""
    found = known(number)
    try:
        return (found, None) if found is not None else (None, hear(number))
    except AudioError as error:
        return error, None


def _found(cache: KeptArrays, key: str) -> Embeddings | None:
    return cache.get(key) if key else None


def _put(cache: KeptArrays, key: str, embedded: Embeddings) -> Embeddings:
    embedded = np.asarray(embedded)
    if key:
        cache.put(key, embedded)
    return embedded


def _encoded(backbone: Backbone, heard: Sequence[Any]) -> Embeddings:
    if not heard:
        return np.empty((0, 0))
    made = backbone.encode_mels(heard) if isinstance(backbone, Clap) else backbone.encode_audio(heard)
    return _checked(backbone, made, len(heard), "clips")


def _checked(backbone: Backbone, made: Embeddings, count: int, what: str) -> Embeddings:
    """Raises `ModelError` where another's encoder does not keep to the protocol."""
    made = np.asarray(made)
    if made.ndim != 2 or len(made) != count or made.dtype.kind != "f":
        raise ModelError(
            f"{backbone.name} made an array of {made.dtype} of shape {made.shape} of {count} {what}; it must be one of "
            f"floats, one row for each."
        )
    return made


def _heard(backbone: Backbone, sound: Embeddings | AudioError) -> Floats:
    if isinstance(sound, AudioError):
        raise sound
    return _unit(backbone, sound)


def _unit(backbone: Backbone, embedded: Embeddings) -> Floats:
    """Raises `ModelError` where there is no direction: NaN, infinite or zero."""
    unit = np.asarray(embedded, dtype=np.float64)
    length = float(np.linalg.norm(unit))
    if not 0 < length < math.inf:
        raise ModelError(f"{backbone.name} gives no embedding that is a number and not zero.")
    return unit / length


def _mel(clap: Clap, clip: Clip, cache: KeptArrays) -> torch.Tensor:
    """Raises `AudioError`."""

    def make() -> Embeddings:
        return np.asarray(clap.log_mel(load(clip.path, clap.sample_rate), clap.device).cpu().numpy())

    key = f"log-mel {clap.log_mel.fingerprint} {clap.device.type} {clip.sha256}"
    return torch.from_numpy(cache.get_or_make(key, make))


def _texts(backbone: Backbone, captions: Sequence[str], keeping: Keeping) -> Floats:
    """Unit embedding of each caption; a distinct one is embedded once."""
    place = {caption: number for number, caption in enumerate(dict.fromkeys(captions))}
    return caption_embeddings(backbone, list(place), keeping)[[place[caption] for caption in captions]]
