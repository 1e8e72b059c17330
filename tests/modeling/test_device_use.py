"""What a process says of its device and its memory, with and without a GPU."""

from types import SimpleNamespace

import pytest
import torch

from modeling.device_use import device_here, forget_peaks, memory_use


def test_it_works_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    device, memory = device_here(), memory_use()
    forget_peaks()
    assert device.name.startswith("CPU (") and not device.is_gpu
    assert memory.process > 2**20
    assert (memory.gpu, memory.gpu_peak, memory.gpu_total) == (None, None, None)


def test_of_a_gpu_it_tells_what_torch_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[bool] = []
    told = {
        "is_available": lambda: True,
        "get_device_name": lambda: "NVIDIA H200",
        "memory_reserved": lambda: 3,
        "max_memory_reserved": lambda: 5,
        "current_device": lambda: 0,
        "get_device_properties": lambda _: SimpleNamespace(total_memory=9),
        "reset_peak_memory_stats": lambda: forgotten.append(True),
    }
    for name, answer in told.items():
        monkeypatch.setattr(torch.cuda, name, answer)
    forget_peaks()
    memory = memory_use()
    assert (device_here().name, device_here().is_gpu) == ("NVIDIA H200", True)
    assert (memory.gpu, memory.gpu_peak, memory.gpu_total) == (3, 5, 9)
    assert forgotten == [True]
