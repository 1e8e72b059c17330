"""The device that this process trains on, and how much memory it uses there and of the machine."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

import psutil  # type: ignore[import-untyped]
import torch


@dataclass(frozen=True)
class Device:
    name: str
    is_gpu: bool


@dataclass(frozen=True)
class MemoryUse:
    """In bytes: of this process; and of its GPU, if any, what torch holds now, held at most, and what there is."""

    process: int
    gpu: int | None = None
    gpu_peak: int | None = None
    gpu_total: int | None = None


def device_here() -> Device:
    """Where `modeling.loading` puts a model."""
    if torch.cuda.is_available():
        return Device(torch.cuda.get_device_name(), is_gpu=True)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Device(f"CPU ({platform.machine()}, {cores} core{'' if cores == 1 else 's'})", is_gpu=False)


def forget_peaks() -> None:
    """Count the GPU's peak from here: a worker's process carries out one run after another."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def memory_use() -> MemoryUse:
    process = psutil.Process().memory_info().rss
    if not torch.cuda.is_available():
        return MemoryUse(process)
    return MemoryUse(
        process,
        gpu=torch.cuda.memory_reserved(),
        gpu_peak=torch.cuda.max_memory_reserved(),
        gpu_total=torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory,
    )
