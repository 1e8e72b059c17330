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

FLOOR = 1e-10
FUSED_CHANNELS = 4
# Raised by whoever changes what comes out of here, or out of `audio.load`: log-mels made before are then not used.
VERSION = 1


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
        self.filters = torch.from_numpy(np.ascontiguousarray(filters.T))
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
        return self._log_mel(windows, device)[:, None].float()

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

    def _log_mel(self, windows: npt.NDArray[np.float32], device: torch.device | str) -> torch.Tensor:
        """Log-mel of windows (windows, samples), shape (windows, frames, mels), in float64.

        float32 would drown what lies 90 dB down.
        """
        half = self.fft_size // 2
        # Padded by numpy: torch reflects no window that is shorter than half a frame.
        centred = torch.from_numpy(np.pad(windows.astype(np.float64), ((0, 0), (half, half)), mode="reflect"))
        hann, filters = self.hann.to(device), self.filters.to(device)
        # One thread: the same sums in the same order, wherever it is called from.
        with cpu_threads(1):
            spectrum = torch.stft(
                centred.to(device), self.fft_size, self.hop, window=hann, center=False, return_complex=True
            )
            # Not the sum of a last axis of two, which takes ten times as long.
            power = spectrum.real.square() + spectrum.imag.square()
            return 10 * (filters @ power).clamp_min(FLOOR).log10().transpose(1, 2)

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
