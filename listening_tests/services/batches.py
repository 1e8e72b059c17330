"""Bulk statements go in batches: PostgreSQL takes at most 65,535 values in one."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

BATCH = 1_000
_T = TypeVar("_T")


def batches(sequence: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(sequence), BATCH):
        yield sequence[start : start + BATCH]
