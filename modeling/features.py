"""The front end of a CLAP: from samples to log-mel, as `transformers.ClapFeatureExtractor` does it but with no chance.

A clip of at most the model's window gives what the extractor gives. From a longer one the extractor draws crops at
random; here nothing is drawn. A model that fuses gets what it was trained on, the whole clip shrunk into one window and
three crops, each from the middle of the third that the extractor draws it from. Any other model hears the whole clip in
windows, the last one flush with the end.
"""

from __future__ import annotations

import hashlib
import json
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
            return self._fusion(self._log_mel(samples[None], device).float())
        windows = np.stack([self._padded(window) for window in self._windows(samples)])
        return self._log_mel(windows, device, period=len(samples))[:, None].float()

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

    def _log_mel(self, windows: npt.NDArray[np.float32], device: torch.device | str, period: int = 0) -> torch.Tensor:
        """Log-mel of windows (windows, samples), shape (windows, frames, mels), in float64.

        float32 would drown what lies 90 dB down. `period` is the length of the clip that a window repeats, 0 of none.
        """
        half = self.fft_size // 2
        centred = _reflected(windows, half)
        frames = torch.from_numpy(centred).to(device).unfold(1, self.fft_size, self.hop)
        numbers, like = self._distinct(centred, frames.shape[1], period)
        at_once = SAMPLES_AT_ONCE // self.fft_size if frames.device.type == "cpu" else len(numbers)
        parts = torch.from_numpy(numbers).split(at_once)  # type: ignore[no-untyped-call]
        # One thread: the same sums in the same order, wherever it is called from.
        with cpu_threads(1):
            mel = torch.cat([self._mel(frames[:, part.to(device)]) for part in parts], dim=1)
            return (10 * mel.clamp_min_(FLOOR).log10_())[:, torch.from_numpy(like).to(device)]

    def _distinct(self, centred: npt.NDArray[np.float64], n_frames: int, period: int) -> tuple[Numbers, Numbers]:
        """Numbers of the frames to be worked out, and for each frame the place of its like among them.

        Alike are frames a multiple of the period apart, within what is repeated, and those of the silence at the end.
        """
        number = np.arange(n_frames)
        start = number * self.hop - self.fft_size // 2
        size = centred.shape[1] - self.fft_size
        whole = size // period * period if period and self.padding == "repeatpad" else size
        repeats = bool(period) and self.padding != "pad"
        inside = (start >= 0) & (start + self.fft_size <= whole)
        like = np.where(inside & repeats, start % max(1, period), -1 - number)
        heard = (centred != 0).any(axis=0)
        # From the end, where the search is soon over.
        last = centred.shape[1] - 1 - int(heard[::-1].argmax()) if heard.any() else -1
        like[number * self.hop > last] = -1 - n_frames
        _, first, place = np.unique(like, return_index=True, return_inverse=True)
        return first, place

    def _mel(self, frames: torch.Tensor) -> torch.Tensor:
        """Power in each mel band of frames (windows, frames, samples), shape (windows, frames, mels)."""
        hann, filters = self.hann.to(frames.device), self.filters.to(frames.device)
        spectrum = torch.fft.rfft(frames * hann)[..., : len(filters)]
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


def _reflected(windows: npt.NDArray[np.float32], half: int) -> npt.NDArray[np.float64]:
    """`windows` in float64 with `half` samples of their reflection at each end.

    By torch, which takes less than half of numpy's time but reflects no window that is shorter than half a frame.
    """
    double = windows.astype(np.float64)
    if windows.shape[1] <= half:
        return np.pad(double, ((0, 0), (half, half)), mode="reflect")
    return np.asarray(torch.nn.functional.pad(torch.from_numpy(double), (half, half), mode="reflect").numpy())
