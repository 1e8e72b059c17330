"""What a run costs: which device it trains on, with which code, for how long, and how much memory it uses."""

from typing import TYPE_CHECKING

from django.db.models import BigIntegerField, F, Value
from django.db.models.functions import Greatest

from worker.code_version import code_version
from worker.models import TrainingRun

if TYPE_CHECKING:
    from modeling.device_use import Device, MemoryUse


def run_set_up(*, run_id: int, device: "Device") -> None:
    """What the worker that carries the run on is."""
    TrainingRun.objects.filter(pk=run_id).update(
        device=device.name[:200], is_on_gpu=device.is_gpu, code_version=code_version()[:80]
    )


def run_measured(*, run: TrainingRun, seconds: float, memory: "MemoryUse", checkpoint: str) -> bool:
    """Adds the seconds since the last word to what the run has cost; False where another process has it by now."""
    as_claimed = TrainingRun.objects.filter(pk=run.pk, attempt=run.attempt)
    measured = as_claimed.update(
        device_seconds=F("device_seconds") + seconds,
        memory_bytes=memory.process,
        peak_memory_bytes=_peak("peak_memory_bytes", memory.process),
        gpu_memory_bytes=memory.gpu,
        peak_gpu_memory_bytes=_peak("peak_gpu_memory_bytes", memory.gpu_peak),
        gpu_memory_total_bytes=memory.gpu_total,
        checkpoint=checkpoint,
    )
    return measured == 1


def _peak(column: str, found: int | None) -> Greatest:
    """PostgreSQL passes over what is null. Without its type a number stops at that of Django's small integers."""
    return Greatest(column, Value(found, output_field=BigIntegerField()))
