"""The front end of a CLAP: from samples to log-mel, as `transformers.ClapFeatureExtractor` does it but with no chance.

A clip of at most the model's window gives what the extractor gives. From a longer one the extractor draws crops at
random; here nothing is drawn. A model that fuses gets what it was trained on, the whole clip shrunk into one window and
three crops, each from the middle of the third that the extractor draws it from. Any other model hears the whole clip in
windows, the last one flush with the end.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.signal import get_window

from modeling.audio import Samples
from modeling.cores import cpu_threads

Numbers = npt.NDArray[np.int64]
FLOOR = 1e-10
FUSED_CHANNELS = 4
# Raised by whoever changes what comes out of here, or out of `audio.load`: log-mels made before are then not used.
VERSION = 2
# On a CPU: what is made of frames of so many samples stays within its cache.
SAMPLES_AT_ONCE = 1 << 17
SEARCHED_AT_ONCE = 1 << 12


class LogMel:
    """The front end of one model, made from its `ClapFeatureExtractor`. `fingerprint` says everything it depends on."""

    def __init__(self, extractor: Any) -> None:
        self.sample_rate = int(extractor.sampling_rate)
        self.window_samples = int(extractor.nb_max_samples)
        self.fused = extractor.truncation == "fusion"
        self.padding = str(extractor.padding)
        self.fft_size = int(extractor.fft_window_size)
        self.hop = int(extractor.hop_length)
        filters = np.asarray(extractor.mel_filters if self.fused else extractor.mel_filters_slaney, dtype=np.float64)
        # From the highest frequency that any band hears on, nothing is worked out.
        audible = int(np.flatnonzero(filters.any(axis=1)).max()) + 1
        self.filters = torch.from_numpy(np.ascontiguousarray(filters[:audible]))
        self.hann = torch.from_numpy(get_window("hann", self.fft_size))
        self.fingerprint = self._fingerprint()

    def __call__(self, samples: Samples, device: torch.device | str = "cpu") -> torch.Tensor:
        """Log-mel in dB of a clip, shape (windows, channels, frames, mels), float32, computed on `device`.

        There is one channel, which `Clap` repeats where its model fuses, or four where a fusing model gets a clip
        longer than its window.
        """
        if self.fused and len(samples) > self.window_samples:
            return self._fusion(self._log_mel([samples], len(samples), device).float())
        return self._log_mel(self._windows(samples), self.window_samples, device)[:, None].float()

    def _windows(self, samples: Samples) -> list[Samples]:
        size = self.window_samples
        if len(samples) <= size:
            return [samples]
        starts = list(range(0, len(samples) - size, size)) + [len(samples) - size]
        return [samples[start : start + size] for start in starts]

    def _centred(self, windows: Sequence[Samples], size: int) -> Samples:
        """Windows filled up to `size`, with half a frame of their reflection at each end; float32."""
        half = self.fft_size // 2
        centred = np.zeros((len(windows), size + 2 * half), dtype=np.float32)
        for row, samples in zip(centred, windows, strict=True):
            self._fill(row[half : half + size], samples)
            if size <= half:
                row[:] = np.pad(row[half : half + size], half, mode="reflect")
                continue
            # In place, where `numpy.pad` would copy all of it.
            row[:half] = row[half + 1 : 2 * half + 1][::-1]
            row[half + size :] = row[size - 1 : half + size - 1][::-1]
        return centred

    def _fill(self, window: Samples, samples: Samples) -> None:
        """As `ClapFeatureExtractor` pads: whole repeats and then silence, or as its `padding` says."""
        length = len(samples)
        repeats = len(window) // length if self.padding in ("repeat", "repeatpad") else 1
        window[: repeats * length].reshape(repeats, length)[:] = samples
        if self.padding == "repeat":
            window[repeats * length :] = samples[: len(window) - repeats * length]

    def _fusion(self, mel: torch.Tensor) -> torch.Tensor:
        """Of the log-mel (1, frames, mels) of a whole clip: shrunk, and a crop of each third, as four channels.

        One channel where it has no more frames than a window.
        """
        size = self.window_samples // self.hop + 1
        if mel.shape[1] == size:
            return mel[:, None]
        shrunk = torch.nn.functional.interpolate(mel[None], size=(size, mel.shape[2]), mode="bilinear")[0, 0]
        thirds = np.array_split(np.arange(mel.shape[1] - size + 1), 3)
        starts = [int(third[len(third) // 2]) if len(third) else 0 for third in thirds]
        return torch.stack([shrunk, *(mel[0, start : start + size] for start in starts)])[None]

    def _log_mel(self, windows: Sequence[Samples], size: int, device: torch.device | str) -> torch.Tensor:
        """Log-mel of windows filled up to `size` samples, shape (windows, frames, mels), in float64.

        float32 would drown what lies 90 dB down.
        """
        centred = self._centred(windows, size)
        frames = torch.from_numpy(centred).to(device).unfold(1, self.fft_size, self.hop)
        numbers, like = self._distinct(centred, frames.shape[1], len(windows[0]))
        at_once = SAMPLES_AT_ONCE // self.fft_size if frames.device.type == "cpu" else len(numbers)
        parts = torch.from_numpy(numbers).split(at_once)  # type: ignore[no-untyped-call]
        # One thread: the same sums in the same order, wherever it is called from.
        with cpu_threads(1):
            mel = torch.cat([self._mel(frames[:, part.to(device)].double()) for part in parts], dim=1)
            return (10 * mel.clamp_min_(FLOOR).log10_())[:, torch.from_numpy(like).to(device)]

    def _distinct(self, centred: Samples, n_frames: int, period: int) -> tuple[Numbers, Numbers]:
        """Numbers of the frames to be worked out, and for each frame the place of its like among them.

        Alike are frames a multiple of `period` apart, the length of the clip, within what repeats it, and those of the
        silence at the end.
        """
        number = np.arange(n_frames)
        start = number * self.hop - self.fft_size // 2
        size = centred.shape[1] - self.fft_size
        whole = size // period * period if self.padding == "repeatpad" else size
        repeats = self.padding != "pad"
        inside = (start >= 0) & (start + self.fft_size <= whole)
        like = np.where(inside & repeats, start % period, -1 - number)
        like[number * self.hop > _last_heard(centred)] = -1 - n_frames
        _, first, place = np.unique(like, return_index=True, return_inverse=True)
        return first, place

    def _mel(self, frames: torch.Tensor) -> torch.Tensor:
        """Power in each mel band of frames (windows, frames, samples), which go; shape (windows, frames, mels)."""
        hann, filters = self.hann.to(frames.device), self.filters.to(frames.device)
        spectrum = torch.fft.rfft(frames.mul_(hann))[..., : len(filters)]
        # Not the sum of a last axis of two, which takes ten times as long.
        mels: torch.Tensor = (spectrum.real.square() + spectrum.imag.square()) @ filters
        return mels

    def _fingerprint(self) -> str:
        told = {
            "version": VERSION,
            "sample_rate": self.sample_rate,
            "window_samples": self.window_samples,
            "fused": self.fused,
            "padding": self.padding,
            "fft_size": self.fft_size,
            "hop": self.hop,
            "filters": hashlib.sha256(self.filters.numpy().tobytes()).hexdigest(),
        }
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _last_heard(windows: Samples) -> int:
    """Place of the last sample that is not silent in all windows, -1 of none; sought from the end, where it is near."""
    for end in range(windows.shape[1], 0, -SEARCHED_AT_ONCE):
        start = max(0, end - SEARCHED_AT_ONCE)
        found = np.flatnonzero(windows[:, start:end].any(axis=0))
        if len(found):
            return start + int(found[-1])
    return -1
