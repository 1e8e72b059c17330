"""From an audio file to what CLAP's audio tower eats: decode, mix to mono, resample, log-mel.

The log-mel equals that of `transformers.ClapFeatureExtractor` for a clip of at most its `max_length_s`; a longer clip
is cut into windows of that length, the last one flush with the end, so that nothing is drawn at random and nothing is
left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import soundfile
import soxr
import torch
from scipy.signal import get_window

MIN_SECONDS, MAX_SECONDS = 0.1, 60.0
# Encoders pad to whole frames: a clip of 60 s may decode to a little more.
PADDING_SECONDS = 0.1
FLOOR = 1e-10

Samples = npt.NDArray[np.float32]


class AudioError(Exception):
    """A file that cannot be heard; the message names the file and what is wrong with it."""


def load(path: Path, sample_rate: int) -> Samples:
    """The clip as mono float32 at `sample_rate` Hz, shape (samples,). Raises `AudioError`."""
    channels, rate = _decode(path)
    seconds = len(channels) / rate
    if seconds < MIN_SECONDS:
        raise AudioError(f"{path} lasts {seconds:.3f} s; a clip must last at least {MIN_SECONDS} s.")
    if seconds > MAX_SECONDS + PADDING_SECONDS:
        raise AudioError(f"{path} lasts longer than {MAX_SECONDS:.0f} s; cut it into shorter clips.")
    if not np.isfinite(channels).all():
        raise AudioError(f"{path} holds samples that are not numbers (NaN or infinite).")
    mono = np.asarray(channels.mean(axis=1, dtype=np.float64), dtype=np.float32)
    if rate == sample_rate:
        return mono
    return np.asarray(soxr.resample(mono, rate, sample_rate, quality="HQ"), dtype=np.float32)


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


class LogMel:
    """The front end of one model, made from its `ClapFeatureExtractor`."""

    def __init__(self, extractor: Any) -> None:
        self.sample_rate = int(extractor.sampling_rate)
        self.window_samples = int(extractor.nb_max_samples)
        self.fused = extractor.truncation == "fusion"
        self.padding = extractor.padding
        self.fft_size = int(extractor.fft_window_size)
        self.hop = int(extractor.hop_length)
        filters = extractor.mel_filters if self.fused else extractor.mel_filters_slaney
        self.filters: npt.NDArray[np.float64] = np.asarray(filters, dtype=np.float64)
        self.hann = get_window("hann", self.fft_size)

    def __call__(self, samples: Samples) -> torch.Tensor:
        """Log-mel in dB of each window of a clip, shape (windows, channels, frames, mels), float32.

        Channels are 4 equal ones where the model fuses, else 1.
        """
        mel = torch.from_numpy(np.stack([self._log_mel(self._padded(window)) for window in self._windows(samples)]))
        return mel[:, None].repeat(1, 4 if self.fused else 1, 1, 1)

    def _windows(self, samples: Samples) -> list[Samples]:
        size = self.window_samples
        if len(samples) <= size:
            return [samples]
        starts = list(range(0, len(samples) - size, size)) + [len(samples) - size]
        return [samples[start : start + size] for start in starts]

    def _padded(self, samples: Samples) -> Samples:
        """As `ClapFeatureExtractor` pads: whole repeats and then silence, or as its `padding` says."""
        size = self.window_samples
        if self.padding == "repeat":
            return np.tile(samples, size // len(samples) + 1)[:size]
        if self.padding == "repeatpad":
            samples = np.tile(samples, size // len(samples))
        return np.pad(samples, (0, size - len(samples)))

    def _log_mel(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Log-mel of one padded window, shape (frames, mels); float32 would drown what lies 90 dB down."""
        centred = np.pad(samples.astype(np.float64), self.fft_size // 2, mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(centred, self.fft_size)[:: self.hop]
        spectrum = np.fft.rfft(frames * self.hann)
        power = spectrum.real**2 + spectrum.imag**2
        return np.asarray(10 * np.log10(np.maximum(power @ self.filters, FLOOR)), dtype=np.float32)
