"""From an audio file to samples: decode, mix to mono, resample."""

from __future__ import annotations

import hashlib
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

MIN_SECONDS, MAX_SECONDS = 0.1, 60.0
# Encoders pad to whole frames: a clip of 60 s may decode to a little more.
PADDING_SECONDS = 0.1

Samples = npt.NDArray[np.float32]


class AudioError(Exception):
    """A file that cannot be heard; the message names the file and what is wrong with it."""


def content_of(path: Path) -> str:
    """The sha256 of the file's bytes. Raises `AudioError`."""
    if not path.is_file():
        raise AudioError(f"{path} does not exist or is no file.")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise AudioError(f"{path} cannot be read: {error.strerror}.") from error


def load(path: Path, sample_rate: int) -> Samples:
    """The clip as mono float32 at `sample_rate` Hz, shape (samples,). Raises `AudioError`."""
    channels, rate = _decode(path)
    return heard(channels, rate, sample_rate, name=str(path))


def heard(channels: Samples, rate: int, sample_rate: int, *, name: str) -> Samples:
    """Samples of shape (samples, channels) at `rate` Hz as `load` gives those of a file. Raises `AudioError`."""
    seconds = len(channels) / rate
    if seconds < MIN_SECONDS:
        raise AudioError(f"{name} lasts {seconds:.3f} s; a clip must last at least {MIN_SECONDS} s.")
    if seconds > MAX_SECONDS + PADDING_SECONDS:
        raise AudioError(f"{name} lasts longer than {MAX_SECONDS:.0f} s; cut it into shorter clips.")
    if not np.isfinite(channels).all():
        raise AudioError(f"{name} holds samples that are not numbers (NaN or infinite).")
    mono = np.asarray(channels.mean(axis=1, dtype=np.float64), dtype=np.float32)
    if rate != sample_rate:
        mono = np.asarray(soxr.resample(mono, rate, sample_rate, quality="HQ"), dtype=np.float32)
    if not np.isfinite(mono).all():
        raise AudioError(f"{name} holds samples too large to be resampled; full scale is 1.")
    return mono


def _decode(path: Path) -> tuple[Samples, int]:
    """Samples of shape (samples, channels) and their rate, of at most a little over `MAX_SECONDS`."""
    if not path.is_file():
        raise AudioError(f"{path} does not exist or is no file.")
    try:
        with soundfile.SoundFile(path) as file:
            limit = int((MAX_SECONDS + 1) * file.samplerate)
            promised = min(file.frames, limit)
            samples = file.read(limit, dtype="float32", always_2d=True)
            rate = int(file.samplerate)
    except (soundfile.LibsndfileError, RuntimeError):
        return _decode_with_av(path)
    if len(samples) < promised:
        raise AudioError(f"{path} is cut short: {len(samples)} of {promised} samples could be decoded.")
    return samples, rate


def _decode_with_av(path: Path) -> tuple[Samples, int]:
    """What libsndfile does not read, such as m4a."""
    pieces: list[Samples] = []
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise AudioError(f"{path} holds no sound.")
            stream = container.streams.audio[0]
            rate = int(stream.rate)
            resampler = av.AudioResampler(format="fltp", rate=rate)
            total = 0
            for frame in container.decode(stream):
                for part in resampler.resample(frame):
                    pieces.append(part.to_ndarray().T.astype(np.float32))
                    total += len(pieces[-1])
                if total > (MAX_SECONDS + 1) * rate:
                    break
    except (av.FFmpegError, ValueError) as error:
        raise AudioError(f"{path} cannot be decoded as audio.") from error
    if not pieces:
        raise AudioError(f"{path} holds no sound.")
    return np.concatenate(pieces), rate
